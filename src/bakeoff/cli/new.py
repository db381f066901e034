"""A first recipe for somebody's images: what `bakeoff new` writes, to be changed by hand.

It says what was found in comments, and it runs as it is.
"""

import json
import os
import re
import textwrap
import unicodedata
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from bakeoff import data as datasets
from bakeoff import recipe as recipes
from bakeoff.cli import first_models
from bakeoff.data import DataSet, Source
from bakeoff.data.recognise import about_name, guessed, recognise
from bakeoff.data.sources import Pictures
from bakeoff.data.split import make_split
from bakeoff.errors import DataError, UsageError
from bakeoff.recipe.parsing.parse_data import KINDS
from bakeoff.recipe.parsing.problems import is_text
from bakeoff.recipe.suggestions import nearest
from bakeoff.storage.atomic import write_file
from bakeoff.utils.text import counted, shown
from bakeoff.utils.user_paths import to_install

_CLASSES_NAMED = 40
_FOLDS, _REPEATS, _SEEDS = 5, 5, 5  # of the recipe that is written
_NO_TEXT = ("null", "true", "false")  # as YAML reads them


@dataclass(frozen=True)
class Written:
    """What was written, and remarks for the user."""

    path: Path
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Found:
    data: DataSet
    declared: str  # the value of the recipe's `data`, as YAML
    comment: str


def new(wanted: str, *, folder: Path, tune: bool = False) -> Written:
    """Write a recipe for images of any kind, or a data set's name, into `folder`.

    tune : leave choices open in its models, for a search

    Raises
    ------
    UsageError : there is no such data, or a file of the recipe's name is there already
    DataError : the data cannot be read
    """
    path, name = Path(wanted), _name(wanted)
    target = folder / f"{name}.yaml"
    if os.path.lexists(target):
        raise UsageError(
            f"{shown(target.name)}: expected to write a new file, found one there already: rename "
            "or remove it"
        )
    source = wanted if wanted in datasets.NAMES else recognise(path)
    if source is None:
        close = nearest(wanted, datasets.NAMES)
        raise UsageError(
            f"expected a folder of images, an npz, CSV, IDX or Parquet file, or a data set "
            f"({', '.join(datasets.NAMES)}), found {shown(wanted)!r}"
            + (f"; did you mean {close}?" if close else "")
        )
    declared = _declared(source, folder)
    data = datasets.load(source)
    notes = data.notes + (about_name(source) if isinstance(source, str) else ())
    found = _Found(data, declared, _about(source))
    write_file(target, _text(name, found, tune=tune).encode())
    try:
        make_split(
            data.labels,
            test_start=data.test_start,
            validation=0.2,
            validation_start=data.validation_start,
            class_names=data.class_names,
        )
    except DataError as error:
        return Written(target, (*notes, f"before it can run: {error}"))
    return Written(target, notes)


def _name(wanted: str) -> str:
    """Return a study's name for the data: letters without accents, not that of a shipped recipe."""
    stem = re.sub(r"\.(npz|csv|tsv|parquet|gz)$", "", Path(os.path.abspath(wanted)).name.lower())
    letters = unicodedata.normalize("NFKD", stem.casefold())  # an accent is a character of its own
    bare = "".join(each for each in letters if not unicodedata.combining(each))
    plain = re.sub(r"[^a-z0-9._-]+", "-", bare).strip("-._")[:60] or "images"
    return f"my-{plain}" if plain in recipes.shipped() else plain


def _relative(path: Path, folder: Path) -> str:
    """Return the path as the recipe will say it: relative to the recipe where it lies below."""
    absolute, root = Path(os.path.abspath(path)), Path(os.path.abspath(folder))
    inside = absolute.is_relative_to(root)
    text = str(absolute.relative_to(root)) if inside else str(absolute)
    _require_writable(text)
    return f"./{text}" if text.startswith("~") else text  # else read as somebody's home


def _require_writable(path: str) -> None:
    """Refuse a path that no recipe can name, before anything is written."""
    try:
        path.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{shown(path)}: expected a path in UTF-8, found bytes that are none: rename it"
        ) from None
    if not is_text(path):
        raise UsageError(
            f"{shown(path)}: expected a path of printable characters, found tabs, line breaks or "
            "others that a recipe cannot hold: rename it"
        )


def _quoted(text: str) -> str:
    """Return text as YAML reads it back, whatever is in it."""
    if re.fullmatch(r"[A-Za-z][\w./-]*", text) and text.lower() not in _NO_TEXT:
        return text
    return json.dumps(text, ensure_ascii=False)


def _text(name: str, found: _Found, *, tune: bool) -> str:
    data = found.data
    divided, networks = _divided(data, tune=tune)
    images = len(data.labels) if data.test_start is None else data.test_start
    trained = np.bincount(data.labels[: data.validation_start or data.test_start]).tolist()
    batch = 32 if images < 10_000 else 128
    made = first_models.models
    models = first_models.searched_models(data) if tune else made(data, networks=networks)
    search = _SEARCH.format(install=to_install("tune")) if tune else ""
    first = f"#   bakeoff tune {name}.yaml\n" if tune else ""
    return f"""{_commented(_introduction(found))}
#   bakeoff plan {name}.yaml
{first}#   bakeoff run {name}.yaml
name: {_quoted(name)}
data: {found.declared}
{divided}training:  # for every model; a model may have its own
  epochs: {first_models.epochs(images, batch)}
  batch_size: {batch}
  optimizer: {{adam: {{learning_rate: 0.001}}}}
{first_models.class_weight(trained)}{search}models:
{models}"""


def _introduction(found: _Found) -> str:
    """Say what the recipe is for: how many images of which classes, and what was found of them."""
    data = found.data
    counts = np.bincount(data.labels, minlength=data.n_classes).tolist()
    classes = [f"{each} ({count:,})" for each, count in zip(data.class_names, counts, strict=True)]
    more = data.n_classes - _CLASSES_NAMED
    listed = ", ".join(classes[:_CLASSES_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return (
        f"A first recipe for {data.name}, to be changed; docs/recipe.md says what it may hold. "
        f"{len(data.labels):,} images of {counted(data.n_classes, 'class', 'classes')}: "
        f"{listed}. {found.comment}"
    )


def _divided(data: DataSet, *, tune: bool) -> tuple[str, int]:
    """Return (the lines of `split` and `seeds`, how many networks of each model they ask for)."""
    if _cross_validated(data) and not tune:  # a search takes one split
        return _FEW_IMAGES, _FOLDS * _REPEATS
    split, whose = "{validation: 0.2}", ""
    if data.test_start is None:
        split = "{validation: 0.2, test: 0.2}"
        if data.validation_start is not None:
            whose = "; the validation part is the data's own, so that validation is not used"
    elif data.validation_start is None:
        whose = "; the test part is the data's own"
    else:
        whose = "; both parts are the data's own, so this is not used"
    why = "" if tune else _too_few_to_divide(data)
    return (
        f"{why}split: {split}  # shares, or numbers of images{whose}\n"
        f"seeds: {_SEEDS}  # every model is trained five times\n"
    ), _SEEDS


_SEARCH = """\
# The same budget for every model. Settings are judged on validation images; the best one is then
# trained five times with fresh seeds. sampler: tpe needs {install}.
search: {{settings: 20, sampler: random}}
"""
_FEW_IMAGES = f"""\
# Few images: one test part would be too small to tell models apart. So all of them are tested, five
# times over: each model is trained on 4/5 of them and tested on the fifth left out, five times.
split: {{folds: {_FOLDS}, repeats: {_REPEATS}}}
"""


def _few(data: DataSet) -> bool:
    """Say whether there are so few images that a test part of them would tell little."""
    own = data.test_start is not None or data.validation_start is not None
    return not own and len(data.labels) < first_models.FEW


def _smallest(data: DataSet) -> tuple[int, str]:
    """Return the images and the name of the smallest class that has any."""
    present, counts = np.unique(data.labels, return_counts=True)
    return int(counts.min()), data.class_names[int(present[counts.argmin()])]


def _cross_validated(data: DataSet) -> bool:
    return _few(data) and _smallest(data)[0] >= _FOLDS


def _too_few_to_divide(data: DataSet) -> str:
    """Say why so few images are not cross-validated, where a class stands against it."""
    count, name = _smallest(data)
    if not _few(data) or count >= _FOLDS:
        return ""
    said = (
        f"Few images: {_FOLDS} folds would test all of them, but need {_FOLDS} of every class, and "
        f"{shown(name)} has {count}. Add images or leave such classes out, and write split: "
        f"{{folds: {_FOLDS}, repeats: {_REPEATS}}} in place of split and seeds."
    )
    return _commented(said) + "\n"


def _declared(source: Source, folder: Path) -> str:
    """Return the value of the recipe's `data`, as YAML in one line."""
    if isinstance(source, str):
        return source
    plain = {each.name: getattr(source, each.name) for each in fields(source)}
    main = next(key for key in KINDS if key in plain)
    keys = [main, *(key for key in plain if key != main and plain[key] is not None)]
    if isinstance(source, Pictures) and source.fit == "stretch":
        keys.remove("fit")
    return f"{{{', '.join(f'{key}: {_flow(plain[key], folder)}' for key in keys)}}}"


def _flow(value: object, folder: Path) -> str:
    if isinstance(value, Path):
        return _quoted(_relative(value, folder))
    if isinstance(value, tuple):
        return f"[{', '.join(_flow(each, folder) for each in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _about(source: Source) -> str:
    """Say what was found of the pictures' sizes."""
    _, sizes = guessed(source)
    return f"{sizes}; Bakeoff brings every image to `size`." if sizes else ""


def _commented(text: str) -> str:
    return "\n".join(f"# {line}" for line in textwrap.wrap(text, 96, break_on_hyphens=False))
