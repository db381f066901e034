"""Reading a whole recipe: a raw mapping to a complete Recipe; problems are noted by place."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bakeoff.errors import printable
from bakeoff.recipe.outline import BASELINES
from bakeoff.recipe.parsing.meant_choices import meant_choice
from bakeoff.recipe.parsing.parse_backbone import read_backbone
from bakeoff.recipe.parsing.parse_data import read_data
from bakeoff.recipe.parsing.parse_model import read_arguments, read_layers
from bakeoff.recipe.parsing.parse_race import check_race, read_race
from bakeoff.recipe.parsing.parse_search import (
    check_search,
    is_searched,
    read_search,
    read_searched,
)
from bakeoff.recipe.parsing.parse_seeds import read_looks, read_seeds
from bakeoff.recipe.parsing.parse_split import read_repeats, read_split
from bakeoff.recipe.parsing.parse_training import (
    DEFAULT_TRAINING,
    GivenTraining,
    finish_training,
    read_training,
)
from bakeoff.recipe.parsing.problems import (
    Problems,
    attempt,
    is_text,
    known_keys,
    read_path,
)
from bakeoff.recipe.search_space import has_choices
from bakeoff.recipe.types import ModelRecipe, Recipe, SplitRecipe
from bakeoff.recipe.value_kinds import (
    Choice,
    Misfit,
    Number,
    found,
    inside,
)
from bakeoff.recipe.vocabulary.layers import Output

KEYS = (
    *("name", "title", "data", "split", "seeds", "race", "selection", "training"),
    *("baselines", "margin", "give_up", "prefer", "search", "models"),
)
MODEL_KEYS = ("backbone", "layers", "output", "training", "python")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
RESERVED = ("baselines", "images.npy", "labels.npy", "manifest.json", "opening.json")
NAME_WORDS = "1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or digit"
PYTHON = re.compile(r"(?P<file>.+\.py):(?P<function>[A-Za-z_][A-Za-z0-9_]*)")
SHARE = Number(0, 1, above=True, below=True)
PREFERENCE = Choice(("parameters", "time"), "a preference")
SELECTION = Choice(("best-loss", "best-accuracy", "last"), "a selection")
MAX_MODELS = 200


def read_recipe(raw: object, folder: Path, problems: Problems) -> Recipe | None:
    """Return the recipe; relative paths are relative to `folder`. None if there are problems."""
    if not isinstance(raw, Mapping):
        problems.add("", f"expected keys such as name, data and models, found {found(raw)}")
        return None
    good = known_keys(raw, KEYS, "", problems)
    values: dict[str, Any] = {}

    def take(key: str, read: Callable[[Any], Any]) -> None:
        if raw.get(key) is not None:
            values[key] = attempt(read, raw[key], key, problems)

    take("name", read_name)
    take("title", read_title)
    take("data", lambda data: read_data(data, folder, problems))
    take("split", lambda split: read_split(split, problems))
    values |= _read_seeds(raw, values.get("split"), problems)
    take("race", read_race)
    take("selection", SELECTION.read)
    base = _read_base(raw.get("training"), problems)
    values["training"] = finish_training(base, "training", problems, check_phases=False)
    take("baselines", read_baselines)
    take("margin", SHARE.read)
    take("give_up", SHARE.read)
    take("prefer", PREFERENCE.read)
    usual = attempt(read_search, raw.get("search") or {}, "search", problems) or {}
    take("models", lambda models: read_models(models, base, usual, folder, problems))
    for key in ("data", "models", "name"):  # last: what is there and wrong tells more
        if raw.get(key) is None and good:  # else it is probably there, misspelt
            problems.add("", f"{key} is missing")
    if not problems.found:
        recipe = Recipe.model_validate(values)
        check_together(recipe, problems)
        check_search(recipe, problems, asked=raw.get("search") is not None)
    return None if problems.found else Recipe.model_validate(values)


def _read_seeds(
    raw: Mapping[Any, Any], split: SplitRecipe | None, problems: Problems
) -> dict[str, Any]:
    """Read the seeds, or what says them otherwise: looks at the test set, repeats of folds."""
    said, values = raw.get("seeds"), {}
    if isinstance(said, Mapping):
        looks = attempt(read_looks, said, "seeds", problems)
        values = {"looks": looks, "seeds": tuple(range((looks or (1,))[-1]))}
    elif said is not None:
        values = {"seeds": attempt(read_seeds, said, "seeds", problems)}
    if split is not None and split.folds is not None:
        if said is not None:
            problems.add(
                "seeds",
                "expected no seeds beside split.folds, where seed r trains repeat r, found some: "
                "write split.repeats instead",
            )
        values["seeds"] = attempt(read_repeats, raw["split"], "split.repeats", problems)
    return values


def _read_base(raw: object, problems: Problems) -> GivenTraining:
    """Read the training of all models, laid over the defaults."""
    if has_choices(raw):
        text = "expected no choice for all models, found one: write it in the training of each"
        problems.add("training", text)
        raw = None
    return read_training(raw, "training", problems).over(DEFAULT_TRAINING)


def check_together(recipe: Recipe, problems: Problems) -> None:
    """Note settings that are each allowed, but not together."""
    if not recipe.split.validation.amount and recipe.selection != "last":
        problems.add(
            "split.validation",
            f"expected validation images, since selection is {recipe.selection}, found 0: "
            f"give some, or write selection: last",
        )
    if recipe.race is not None:
        check_race(recipe.race, recipe, problems)
    for name, model in recipe.models.items():
        if model.training.options.patience is not None and recipe.selection == "last":
            text = "expected none, since selection: last takes the last epoch, found one: remove it"
            problems.add(f"models.{name}.training.patience", text)
        if name in recipe.baselines:
            problems.add(f"models.{name}", "is the name of a baseline; choose another name")
        if name in RESERVED:  # stands beside the models' folders in an opening
            text = "is the name of a file or folder of Bakeoff's own; choose another name"
            problems.add(f"models.{name}", text)


def read_name(raw: object) -> str:
    """Read the name of a study or model, which is also the name of its folder."""
    if not isinstance(raw, str) or not NAME.fullmatch(raw):
        raise Misfit(f"expected a name ({NAME_WORDS}), found {found(raw)}")
    return raw


def read_title(raw: object) -> str:
    """Read free text as one line: white space is collapsed, what turns text round is shown."""
    text = " ".join(raw.split()) if isinstance(raw, str) else None
    if text is None or len(text) > 200 or not is_text(text):
        raise Misfit(f"expected text of at most 200 characters, found {found(raw)}")
    return printable(text)


def read_baselines(raw: object) -> tuple[str, ...]:
    """Read a list of baselines."""
    if not isinstance(raw, list | tuple):
        raise Misfit(f"expected a list of {', '.join(BASELINES)}, or [], found {found(raw)}")
    one = Choice(BASELINES, "a baseline")
    names = [inside(f"[{number}]", one.read, each) for number, each in enumerate(raw, 1)]
    if len(set(names)) < len(names):
        raise Misfit("expected different baselines, found one twice")
    return tuple(names)


def read_models(
    raw: object,
    base: GivenTraining,
    search: Mapping[str, Any],
    folder: Path,
    problems: Problems,
) -> dict[str, ModelRecipe]:
    """Read the models by name, in the order in which they stand."""
    if not isinstance(raw, Mapping) or not 1 <= len(raw) <= MAX_MODELS:
        raise Misfit(f"expected 1 to {MAX_MODELS} models by name, found {found(raw)}")
    models = {}
    for name, model in raw.items():
        if attempt(read_name, name, "models", problems) is not None:
            read = read_model(name, model, base, search, folder, problems)
            if read is not None:
                models[name] = read
    return models


def read_model(
    name: str,
    raw: object,
    base: GivenTraining,
    search: Mapping[str, Any],
    folder: Path,
    problems: Problems,
) -> ModelRecipe | None:
    """Read one model, which may leave choices open to a search."""
    place = f"models.{name}"
    if (meant := meant_choice(raw)) is not None:
        problems.add(f"{place}.{meant[0]}" if meant[0] else place, meant[1])
        return None

    def settled(raw: object, problems: Problems) -> ModelRecipe | None:
        return read_settled(name, raw, base, folder, place, problems)

    if is_searched(raw):
        return read_searched(raw, search, settled, place, problems)
    return settled(raw, problems)


def read_settled(
    name: str, raw: object, base: GivenTraining, folder: Path, place: str, problems: Problems
) -> ModelRecipe | None:
    """Read one model without choices: {backbone, layers, output, training}, {python, training}."""
    if not isinstance(raw, Mapping):
        problems.add(place, f"expected keys such as layers and training, found {found(raw)}")
        return None
    before = len(problems.found)
    good = known_keys(raw, MODEL_KEYS, place, problems)
    values: dict[str, Any] = {}
    given = read_training(raw.get("training"), f"{place}.training", problems)
    if len(problems.found) == before:
        values["training"] = finish_training(given.over(base), f"{place}.training", problems)
    layers, python, output = raw.get("layers"), raw.get("python"), raw.get("output")
    if raw.get("backbone") is not None:
        where, training = f"{place}.backbone", values.get("training")
        values["backbone"] = read_backbone(raw["backbone"], training, folder, where, problems)
        layers = [] if layers is None else layers
    if (layers is None) == (python is None):
        have = "neither" if layers is None else "both"
        if good or layers is not None:  # else it is probably there, misspelt
            problems.add(place, f"expected either layers or python, found {have}")
    elif layers is not None:
        values["layers"] = read_layers(layers, f"{place}.layers", problems)
        arguments = read_arguments(Output, output, f"{place}.output", problems)
        values["output"] = arguments.plain() if arguments else {}
    else:
        values["python"] = attempt(
            lambda text: read_python(text, folder), python, f"{place}.python", problems
        )
        if output is not None:
            text = "expected no output beside python, found one: build it in the Python function"
            problems.add(f"{place}.output", text)
    if len(problems.found) > before:
        return None
    return ModelRecipe.model_validate({"name": name, **values})


def read_python(raw: object, folder: Path) -> str:
    """Read "file.py:function"; only its form is looked at."""
    match = PYTHON.fullmatch(raw) if isinstance(raw, str) else None
    if match is None:
        raise Misfit(f'expected "file.py:function", found {found(raw)}')
    return f"{read_path(match['file'], folder, 'a Python file')}:{match['function']}"
