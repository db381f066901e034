"""What a model's trials depend on beside the data and the seed, as a hash: its identity."""

from pathlib import Path

from bakeoff import recipe as recipes
from bakeoff.errors import RecipeError
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.types import Backbone
from bakeoff.storage import atomic, formats


def identity(model: ModelRecipe, recipe: Recipe) -> str:
    """Return a hash of everything a model's trials depend on beside the data and the seed.

    Of a Python builder the file's content counts and the function's name, not where it lies.
    """
    if model.backbone is not None:
        model = model.model_copy(update={"backbone": same_network(model.backbone)})
    parts = [recipes.model_fingerprint(model), recipe.selection]
    if model.python is not None:
        function = model.python.rpartition(":")[2]
        nameless = model.model_copy(update={"python": function})
        parts[0] = recipes.model_fingerprint(nameless)
        parts.append(builder_hash(model))
    return formats.sha256("\n".join(parts).encode())


def builder_hash(model: ModelRecipe) -> str:
    """Return the hash of the file of a model's Python builder; "" where it has none."""
    if model.python is None:
        return ""
    path = Path(model.python.rpartition(":")[0])
    if not path.is_file():
        raise RecipeError(
            f"models.{model.name}.python: expected a Python file and a function in it "
            f"(my_models.py:build), found no file {path}"
        )
    return formats.sha256(atomic.read_file(path))


def require_same_builder(model: ModelRecipe, recorded: str) -> None:
    """Refuse a Python builder whose file is not the one that a run, or its weights, began with.

    recorded : its hash then; "" for a model of declared layers
    """
    if model.python is not None and builder_hash(model) != recorded:
        raise RecipeError(
            f"models.{model.name}.python: expected {model.python.rpartition(':')[0]} as it was "
            "when this run began, found it changed: undo the change and run again, or give the "
            "changed network a name of its own"
        )


def same_network(backbone: Backbone) -> Backbone:
    """Return the backbone without the place of its study, which may move."""
    if backbone.network is None:
        return backbone
    return backbone.model_copy(update={"study": "", "model": ""})
