"""What a model's trials depend on beside the data and the seed, as a hash: its identity."""

from pathlib import Path

from bakeoff import recipe as recipes
from bakeoff.errors import RecipeError, StudyError
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.architecture import describe
from bakeoff.recipe.types import Backbone
from bakeoff.storage import atomic, formats
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.jobs.builder_files import imported_files


def identity(model: ModelRecipe, recipe: Recipe, *, imported: bool = True) -> str:
    """Return a hash of everything a model's trials depend on beside the data and the seed.

    Of a Python builder the file's content counts and the function's name, not where it lies, and
    likewise that of files that it imports, unless they are not `imported`.
    """
    if model.backbone is not None:
        model = model.model_copy(update={"backbone": same_network(model.backbone)})
    parts = [recipes.model_fingerprint(model), recipe.selection]
    if model.python is not None:
        function = model.python.rpartition(":")[2]
        nameless = model.model_copy(update={"python": function})
        parts[0] = recipes.model_fingerprint(nameless)
        parts.append(builder_hash(model, imported=imported))
    return formats.sha256("\n".join(parts).encode())


def is_identity(recorded: str | None, model: ModelRecipe, recipe: Recipe) -> bool:
    """Say whether a study recorded this model: of a builder's imports, earlier versions did not."""
    return recorded in (identity(model, recipe), identity(model, recipe, imported=False))


def builder_hash(model: ModelRecipe, *, imported: bool = True) -> str:
    """Return the hash of a model's Python builder, a file and what it imports; "" where none is."""
    if model.python is None:
        return ""
    path = Path(model.python.rpartition(":")[0])
    if not path.is_file():
        raise RecipeError(
            f"models.{model.name}.python: expected a Python file and a function in it "
            f"(my_models.py:build), found no file {path}"
        )
    own = formats.sha256(atomic.read_file(path))
    others = imported_files(path) if imported else {}
    lines = [f"{name} {formats.sha256(content)}" for name, content in sorted(others.items())]
    return formats.sha256("\n".join([own, *lines]).encode()) if lines else own


def require_same_builder(model: ModelRecipe, recorded: str) -> None:
    """Refuse a Python builder that is not, with what it imports, the one that a run began with.

    recorded : its hash then; "" for a model of declared layers
    """
    if model.python is not None and builder_hash(model) != recorded:
        raise RecipeError(
            f"models.{model.name}.python: expected {model.python.rpartition(':')[0]} and what it "
            "imports as they were when this run began, found one changed: undo the change and run "
            "again, or put the changed network into a file of its own, under a name of its own"
        )


def require_still_declared(folder: StudyFolder, model: str, begun_with: str) -> None:
    """Refuse to train a model that another run has changed or dropped in the study since.

    begun_with : the model's identity when this run began; "" to ask nothing
    """
    if not begun_with or not folder.exists():
        return
    if folder.read_study()["identities"].get(model) != begun_with:
        raise StudyError(
            f"{folder.path}: expected {model} as it was declared when this run began, found that "
            "another run of a changed recipe has changed or dropped it: run again what is to "
            "count, and the other recipe with another --out"
        )


def require_as_planned(
    model: ModelRecipe, shape: tuple[int, int, int], n_classes: int, found: tuple[int, int]
) -> None:
    """Refuse a network of other sizes than `bakeoff plan` says: something here changed Keras.

    found : parameters, and those that are trained
    """
    if model.layers is None or model.frozen_backbone is not None:  # of it the head alone is here
        return
    planned = describe(model, shape, n_classes)
    if found != (planned.parameters, planned.trainable_parameters):
        raise RecipeError(
            f"models.{model.name}: expected a network of {planned.parameters:,} parameters, of "
            f"which {planned.trainable_parameters:,} are trained, found {found[0]:,} and "
            f"{found[1]:,}: Keras is set up otherwise in this process than Bakeoff sets it up"
        )


def same_network(backbone: Backbone) -> Backbone:
    """Return the backbone without the place of its study, which may move."""
    if backbone.network is None:
        return backbone
    return backbone.model_copy(update={"study": "", "model": ""})
