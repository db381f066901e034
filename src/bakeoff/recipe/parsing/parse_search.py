"""Reading models that leave choices open, and the `search` that is to make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from bakeoff.recipe.dimension import Dimension, Setting, middle, taken
from bakeoff.recipe.parsing.parse_split import SEED
from bakeoff.recipe.parsing.problems import Problems
from bakeoff.recipe.search_space import dimensions, filled, has_choices, is_choice
from bakeoff.recipe.types import ModelRecipe, Recipe, Search, plain_data
from bakeoff.recipe.value_kinds import (
    Choice,
    Kind,
    Misfit,
    Number,
    Whole,
    found,
    inside,
    unknown_key,
)

SAMPLERS = ("tpe", "random", "grid", "qmc")
PRUNING = ("none", "median")
KINDS: Mapping[str, Kind] = {
    "settings": Whole(1, 10_000),
    "sampler": Choice(SAMPLERS, "a sampler"),
    "minutes": Number(0, 1e6, above=True),
    "pruning": Choice(PRUNING, "a rule"),
    "seed": SEED,
}
TUNING_SEEDS = 1_000_000_000  # setting k is trained with this + k, and a study's seeds lie below
EXAMPLE = "{settings: 40, sampler: tpe}"

ReadModel = Callable[[Any, Problems], ModelRecipe | None]


def read_search(raw: object) -> dict[str, Any]:
    """Read {settings, sampler, minutes, pruning, seed}; what is not there is left out."""
    if not isinstance(raw, Mapping):
        raise Misfit(f"expected keys such as {EXAMPLE}, found {found(raw)}")
    for key in raw:
        if key not in KINDS:
            raise unknown_key(key, KINDS)
    return {
        key: inside(f".{key}", KINDS[key].read, each)
        for key, each in raw.items()
        if each is not None
    }


def read_searched(
    raw: Mapping[str, Any],
    usual_search: Mapping[str, Any],
    read: ReadModel,
    place: str,
    problems: Problems,
) -> ModelRecipe | None:
    """Read a model that leaves choices open: checked at the ends of every choice.

    usual_search : what the study's `search` says
    read : reads a model without choices
    """
    declared = {key: each for key, each in raw.items() if key != "search"}
    opened = _read_choices(declared, raw.get("search"), place, problems)
    if opened is None:
        return None
    said, dims = opened
    lowest = {each.place: each.at(0.0) for each in dims}
    noted = Problems()
    first = read(filled(declared, lowest), noted)
    for where, text in noted.found:
        problems.add(where, _for_whole_numbers(dims, where.removeprefix(f"{place}."), text))
    if first is None or noted.found:
        return None
    for dim, settings in _ends(dims, lowest):
        if (wrong := _wrong_end(dim, settings, declared, read)) is not None:
            problems.add(f"{place}.{wrong[0]}", wrong[1])
            return None
    first = read(filled(declared, middle(dims)), Problems()) or first  # some are impossible
    space = _with_whole_paths(declared, first)
    search = Search.model_validate({**usual_search, **said, "space": space})
    return first.model_copy(update={"search": search})


def _read_choices(
    declared: Mapping[str, Any], search: object, place: str, problems: Problems
) -> tuple[dict[str, Any], tuple[Dimension, ...]] | None:
    """Return what a model's `search` says, and its choices; None after noting what is wrong."""
    try:
        said = {} if search is None else inside(".search", read_search, search)
        dims = dimensions(declared)
    except Misfit as misfit:
        where = misfit.inside if misfit.inside.startswith(".") else f".{misfit.inside}"
        problems.add(place + (where if misfit.inside else ""), str(misfit))
        return None
    if not dims:
        text = "expected a choice in this model, such as {log: [0.0001, 0.01]}, found none"
        problems.add(f"{place}.search", text)
        return None
    if chosen := _chosen_files(declared):
        text = "expected one, found a choice: declare a model for each"
        problems.add(f"{place}.{chosen}", text)
        return None
    return said, dims


def _with_whole_paths(declared: Mapping[str, Any], read: ModelRecipe) -> dict[str, Any]:
    """Return a model as declared, its paths as they were read: no longer relative to the recipe."""
    space: dict[str, Any] = plain_data(declared)
    if "python" in space:
        space["python"] = read.python
    if read.backbone is not None and read.backbone.study is not None:
        space["backbone"]["study"] = read.backbone.study
    return space


def _wrong_end(
    dim: Dimension, settings: Sequence[Setting], declared: Mapping[str, Any], read: ReadModel
) -> tuple[str, str] | None:
    """Return where something is wrong at the ends of a choice, and what; None if all is well."""
    models: list[tuple[str, ModelRecipe | None]] = []
    for setting in settings:
        noted, words = Problems(), dim.words(setting[dim.place])
        model = read(filled(declared, setting), noted)
        if noted.found:
            return dim.place, f"with {words}: {noted.found[0][1]}"
        if dim.kind != "choice" or has_choices(dim.options[int(setting[dim.place])]):
            continue
        if twin := next((name for name, other in models if other == model), None):
            both = f"{twin} and {words}, which say the same" if twin != words else f"{twin} twice"
            return f"{dim.place}.choice", f"expected different options, found {both}"
        models.append((words, model))
    return None


def _for_whole_numbers(dims: tuple[Dimension, ...], where: str, text: str) -> str:
    """Return what is wrong at the lowest setting; of a range of other numbers, what to write."""
    dim = next((each for each in dims if where.startswith(each.place)), None)
    if dim is None or dim.is_whole or "a whole number" not in text:
        return text
    ends = f"[{dim.low:g}, {dim.high:g}]"
    if dim.low != int(dim.low) or dim.high != int(dim.high):
        ends = "[1, 4]"
    return (
        f"expected a choice of whole numbers, such as {{whole: {ends}}}, found {dim.kind}, whose "
        "numbers are not whole"
    )


def _chosen_files(declared: Mapping[str, Any]) -> str | None:
    """Return where a builder or a study is a choice: files are not looked up for each setting."""
    if is_choice(declared.get("python")):
        return "python"
    backbone = declared.get("backbone")
    if not isinstance(backbone, Mapping):
        return None
    options = backbone.get("choice")
    if isinstance(options, list) and any(isinstance(o, Mapping) and "study" in o for o in options):
        return "backbone"
    keys = ("study", "model") if "study" in backbone else ()
    return next((f"backbone.{key}" for key in keys if is_choice(backbone.get(key))), None)


def is_searched(raw: object) -> TypeGuard[Mapping[str, Any]]:
    """Say whether a model leaves choices open, or says how to search."""
    return isinstance(raw, Mapping) and (has_choices(raw) or raw.get("search") is not None)


def check_search(recipe: Recipe, problems: Problems, *, asked: bool) -> None:
    """Note what does not go with a search; `asked`: the study says how to search."""
    searched = [name for name, model in recipe.models.items() if model.search is not None]
    if not searched:
        if asked:
            text = "expected a model with a choice, such as {log: [0.0001, 0.01]}, found none"
            problems.add("search", text)
        return
    place = f"models.{searched[0]}"
    if recipe.split.folds is not None:
        text = "expected no choices beside split.folds, found some: a search takes one split"
        problems.add(place, text)
    elif not recipe.split.validation.amount:
        text = "expected validation images, on which settings are judged, found split.validation 0"
        problems.add(place, f"{text}: give some")
    if max(recipe.seeds) >= TUNING_SEEDS:
        problems.add(
            "seeds",
            f"expected seeds below {TUNING_SEEDS:,}, above which a search has its own, found "
            f"{max(recipe.seeds)}",
        )


def _ends(dims: tuple[Dimension, ...], start: Setting) -> Iterator[tuple[Dimension, list[Setting]]]:
    """Yield every choice with settings at its ends or options, the other choices as in `start`."""
    for each in dims:
        values = range(len(each.options)) if each.kind == "choice" else (each.low, each.high)
        around = {place: 1 if which is None else which for place, which in each.when}
        settings: list[Setting] = [
            {**start, **around, each.place: int(value) if each.is_whole else value}
            for value in values
        ]
        yield each, [setting for setting in settings if each in taken(dims, setting)]
