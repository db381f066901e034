"""Backbones that are another study's models: looked up once, before this study is begun."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakeoff.errors import RecipeError
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.types import Backbone, BackboneNetwork
from bakeoff.storage import written_folder
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.trained_model import TrainedModel, trained_model


def with_study_backbones(recipe: Recipe) -> Recipe:
    """Return a recipe in which every backbone from another study holds its network.

    Raises RecipeError or StudyError if there is no such study, or its model cannot be a backbone.
    """
    models = {name: _looked_up(model) for name, model in recipe.models.items()}
    return recipe.model_copy(update={"models": models})


def _looked_up(model: ModelRecipe) -> ModelRecipe:
    backbone = model.backbone
    if backbone is None or backbone.study is None or backbone.network is not None:
        return model
    place = f"models.{model.name}.backbone"
    trained = trained_model(StudyFolder(Path(backbone.study)), model=backbone.model)
    found = _network(trained, place)
    if isinstance(backbone.start, int) and backbone.start > len(found.layers):
        raise RecipeError(
            f"{place}.from: expected a layer of {trained.name}, 1 to {len(found.layers)}, found "
            f"{backbone.start}"
        )
    known = {"model": trained.name, "network": found}
    update: dict[str, Any] = {"backbone": backbone.model_copy(update=known)}
    if model.search is not None:
        update["search"] = model.search.model_copy(
            update={"space": _in_space(model.search.space, trained.name, found)}
        )
    return model.model_copy(update=update)


def _in_space(space: Mapping[str, Any], model: str, found: BackboneNetwork) -> dict[str, Any]:
    declared = {**space["backbone"], "model": model, "network": found.resolved()}
    return {**space, "backbone": declared}


def _network(trained: TrainedModel, place: str) -> BackboneNetwork:
    layers = trained.recipe.layers
    if not layers or trained.recipe.backbone is not None:
        have = "no layers" if layers == () else "a Python builder"
        have = "one with a backbone" if trained.recipe.backbone is not None else have
        raise RecipeError(
            f"{place}: expected a model with layers of its own, found {have}: {trained.name} of "
            f"{trained.folder.path}"
        )
    folder = trained.folder
    source = folder.trial(trained.name, trained.seeds[0])
    source = folder.shipped(trained.name) if not source.exists() else source
    manifest = written_folder.read_manifest(source)
    data = trained.study["data"]
    images = data["test"] if data.get("folds") else data["train"]
    return BackboneNetwork(
        input_shape=trained.input_shape,
        layers=layers,
        seed=trained.seeds[0],
        weights=manifest["weights.safetensors"],
        seen=f"{data['name']}: {images:,} images in {len(trained.class_names):,} classes",
    )


def same_network(backbone: Backbone) -> Backbone:
    """Return the backbone without the place of its study, which may move."""
    if backbone.network is None:
        return backbone
    return backbone.model_copy(update={"study": "", "model": ""})
