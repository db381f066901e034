"""Draw the vocabulary: writes the tables of docs/recipe.md, every word with its arguments.

`python docs/draw_vocabulary.py` (or `make architecture`) after a layer, an optimizer or an option was
added or changed.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bakeoff.recipe.json_schema import RATE_TEXT, kind_of
from bakeoff.recipe.value_kinds import Choice, Kind
from bakeoff.recipe.vocabulary.arguments import Arguments
from bakeoff.recipe.vocabulary.optimizers import OPTIMIZERS
from bakeoff.recipe.vocabulary.residual import RESIDUAL, Residual
from bakeoff.recipe.vocabulary.training import TrainingOptions
from bakeoff.recipe.vocabulary.words import LAYERS

PAGE = Path(__file__).parent / "recipe.md"
INSIDE = "a list of layers; their input is added to their output"
Row = tuple[str, type[Arguments], Mapping[str, tuple[object, str]]]


def tables() -> dict[str, str]:
    """Return every table by the name of its place in the page."""
    layers: list[Row] = [(name, cls, {}) for name, cls in LAYERS.items()]
    layers.append((RESIDUAL, Residual, {"its layers": (None, INSIDE)}))
    optimizers = [
        (name, cls, {"learning_rate": (cls.usual_rate, RATE_TEXT)})
        for name, cls in OPTIMIZERS.items()
    ]
    options: list[Row] = [("training", TrainingOptions, {})]
    return {"layers": table(layers), "optimizers": table(optimizers), "options": table(options)}


def table(rows: Sequence[Row]) -> str:
    """Return a Markdown table: the words with their arguments, the defaults, what they may be."""
    lines = ["| name | argument | default | may be |", "| --- | --- | --- | --- |"]
    for name, cls, extra in rows:
        entries = [
            (key, "required" if default is None else json.dumps(default), words)
            for key, (default, words) in extra.items()
        ]
        for key, field in cls.model_fields.items():
            default = "required" if field.is_required() else json.dumps(field.default)
            if key == "strides" and field.default is None:
                default = "that of pool_size"
            main = " (main)" if key == cls.main else ""
            entries.append((key + main, default, words_of(kind_of(cls, key))))
        for key, default, words in entries or [("", "", "no arguments")]:
            lines.append(f"| {name} | {key} | {default} | {words} |")
            name = ""
    return "\n".join(lines)


def words_of(kind: Kind) -> str:
    """Return what is expected, without the long lists of words that the page gives once."""
    return kind.what if isinstance(kind, Choice) and len(kind.options) > 4 else kind.words()


def drawn(page: str) -> str:
    """Return the page with its tables made again."""
    for name, text in tables().items():
        begin = f"<!-- {name}: made by docs/draw_vocabulary.py -->"
        end = f"<!-- end of the {name} -->"
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n\n{text}\n\n{end}{rest.partition(end)[2]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
