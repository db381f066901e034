"""The recipe: load a file or a shipped recipe, or parse a mapping, to a complete frozen Recipe.

Everything a Recipe holds is complete: defaults are written out, `training` is merged into every
model, paths are absolute. `resolved` and `dump` give it back in the recipe's own grammar.

From a file to a Recipe: recipe_text (a file, or the name of a shipped recipe, to text), parsing
(text to plain data, and this to values; every problem is noted with its place), types (the frozen
values). vocabulary has Keras's words and defaults, value_kinds the kinds of value that they take;
json_schema makes the JSON Schema and the documentation's tables from both.

What is asked for is imported only then, so that `bakeoff status`, which reads a study's recipe by
outline.py alone, does not wait for the grammar.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bakeoff.recipe.learning_rate import Phase
    from bakeoff.recipe.outline import BASELINES
    from bakeoff.recipe.recipe_text import dump, load, model_fingerprint, parse, read, shipped
    from bakeoff.recipe.types import Layer, ModelRecipe, Optimizer, Recipe, SplitRecipe, Training

__all__ = [
    "BASELINES",
    "Layer",
    "ModelRecipe",
    "Optimizer",
    "Phase",
    "Recipe",
    "SplitRecipe",
    "Training",
    "dump",
    "load",
    "model_fingerprint",
    "parse",
    "read",
    "shipped",
]

_HOMES = {
    "BASELINES": "outline",
    "Phase": "learning_rate",
    **dict.fromkeys(
        ("Layer", "ModelRecipe", "Optimizer", "Recipe", "SplitRecipe", "Training"), "types"
    ),
    **dict.fromkeys(
        ("dump", "load", "model_fingerprint", "parse", "read", "shipped"), "recipe_text"
    ),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bakeoff.recipe' has no attribute {name!r}")
    return getattr(import_module(f"bakeoff.recipe.{_HOMES[name]}"), name)
