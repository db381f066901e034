"""A searched model with its choices filled in by a setting: an ordinary model, its search kept."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from bakeoff.errors import RecipeError
from bakeoff.recipe.architecture import describe
from bakeoff.recipe.dimension import Dimension, Setting, largest, middle
from bakeoff.recipe.parsing.parse_recipe import read_recipe
from bakeoff.recipe.parsing.problems import Problems
from bakeoff.recipe.search_space import filled
from bakeoff.recipe.types import ModelRecipe, Recipe
from bakeoff.recipe.value_kinds import Misfit

_DRAWN = 100  # settings that are tried before a search is refused


def with_setting(recipe: Recipe, name: str, setting: Setting) -> ModelRecipe:
    """Return the searched model `name` of a recipe with these values for its choices.

    Raises Misfit (a ValueError) where they do not fit together.
    """
    search = recipe.models[name].search
    if search is None:
        raise ValueError(f"{name} leaves no choice open")
    raw = {**recipe.resolved(), "models": {name: filled(search.space, setting)}}
    raw.pop("race", None)
    problems = Problems()
    read = read_recipe(raw, Path.cwd(), problems)
    if read is None:
        place, text = problems.found[0]
        raise Misfit(f"{place}: {text}")
    return read.models[name].model_copy(update={"search": search})


def with_networks(recipe: Recipe, input_shape: tuple[int, int, int], n_classes: int) -> Recipe:
    """Return the recipe with every searched model at a setting that makes a network.

    That is the middle of its choices wherever the middle makes one. Raises RecipeError for a model
    that makes no network, and for a search of which no setting that was tried makes one.
    """
    models = dict(recipe.models)
    for name, model in recipe.models.items():
        if model.layers is None:
            continue
        try:
            describe(model, input_shape, n_classes)
        except RecipeError as error:
            if model.search is None:
                raise
            found = _first_network(recipe, name, model.search.dimensions, input_shape, n_classes)
            if found is None:
                raise RecipeError(
                    f"models.{name}: expected choices of which some make a network, found none in "
                    f"{_DRAWN} settings; in the middle of all: {error}"
                ) from None
            models[name] = found
    return recipe.model_copy(update={"models": models})


def _first_network(
    recipe: Recipe,
    name: str,
    dims: tuple[Dimension, ...],
    input_shape: tuple[int, int, int],
    n_classes: int,
) -> ModelRecipe | None:
    """Return a searched model with the first setting that makes a network; None if none does."""
    for setting in _drawn(dims):
        with suppress(Misfit, RecipeError):
            model = with_setting(recipe, name, setting)
            describe(model, input_shape, n_classes)
            return model
    return None


def _drawn(dims: tuple[Dimension, ...]) -> Iterator[Setting]:
    """Yield settings, always the same: all choices at their lowest, then some by chance."""
    drawing = random.Random(0)
    for number in range(_DRAWN):
        yield {each.place: each.at(drawing.random() if number else 0.0) for each in dims}


def most(recipe: Recipe, name: str, size: Callable[[ModelRecipe], int]) -> int:
    """Return the `size` of a model; of a searched one, that of its largest setting.

    The largest setting is the middle, with every whole number at the end of its range where the
    model is larger. Where the middle makes no network, the first drawn setting that does takes its
    place.

    size : may raise RecipeError
    """

    def of(setting: Setting) -> int:
        with suppress(Misfit, RecipeError):
            return size(with_setting(recipe, name, setting))
        return 0

    model = recipe.models[name]
    if model.search is None:
        return size(model)
    dims = model.search.dimensions
    start = next((each for each in (middle(dims), *_drawn(dims)) if of(each)), None)
    return of(largest(dims, of, start))


def with_settings(recipe: Recipe, settings: dict[str, Setting]) -> Recipe:
    """Return a recipe whose searched models have the settings given, by model."""
    models = {
        name: with_setting(recipe, name, settings[name]) if name in settings else model
        for name, model in recipe.models.items()
    }
    return recipe.model_copy(update={"models": models})
