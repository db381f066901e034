"""Backbones that are another study's models: looked up once, before this study is begun."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakeoff.errors import RecipeError, StudyError
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.types import Backbone, BackboneNetwork
from bakeoff.storage import written_folder
from bakeoff.storage.backbone_weights import weights_folder
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import recorded_recipe
from bakeoff.study.winner.trained_model import TrainedModel, trained_model


def with_study_backbones(recipe: Recipe, begun: StudyFolder | None = None) -> Recipe:
    """Return a recipe in which every backbone from another study holds its network.

    begun : the folder of the study that is to be carried out: where it is there, it knows the
        networks of studies that are gone since

    Raises RecipeError or StudyError if there is no such study, its model cannot be a backbone, or a
    model or a seed is new in `begun` and the weights that it starts from are gone.
    """
    before = None
    starts = [model.backbone for model in recipe.models.values() if model.backbone is not None]
    if begun is not None and begun.exists() and any(each.study is not None for each in starts):
        before = recorded_recipe(begun, begun.read_study())
    known = {} if before is None else before.models
    models = {name: _looked_up(model, known.get(name)) for name, model in recipe.models.items()}
    if begun is not None:
        seeds = set() if before is None else set(before.seeds)
        for name, model in models.items():
            if name not in known or set(recipe.seeds) - seeds:
                _require_weights(model.backbone)
    return recipe.model_copy(update={"models": models})


def _require_weights(backbone: Backbone | None) -> None:
    if backbone is not None and backbone.network is not None:
        weights_folder(backbone)


def _looked_up(model: ModelRecipe, before: ModelRecipe | None) -> ModelRecipe:
    backbone = model.backbone
    if backbone is None or backbone.study is None or backbone.network is not None:
        return model
    place = f"models.{model.name}.backbone"
    try:
        trained = trained_model(StudyFolder(Path(backbone.study)), model=backbone.model)
    except StudyError as error:
        same = None if before is None else _as_before(backbone, before.backbone)
        if same is None:
            raise StudyError(f"{place}: {error}") from None
        return _holding(model, same)
    found = _network(trained, place)
    if isinstance(backbone.start, int) and backbone.start > len(found.layers):
        raise RecipeError(
            f"{place}.from: expected a layer of {trained.name}, 1 to {len(found.layers)}, found "
            f"{backbone.start}"
        )
    known = {"model": trained.name, "network": found}
    return _holding(model, backbone.model_copy(update=known))


def _as_before(backbone: Backbone, before: Backbone | None) -> Backbone | None:
    """Return the backbone with the network that this study holds; None if it names another one."""
    if before is None or before.network is None or not backbone.study or not before.study:
        return None
    same = Path(before.study).resolve() == Path(backbone.study).resolve()
    if not same or backbone.model not in (None, before.model):
        return None
    return backbone.model_copy(update={"model": before.model, "network": before.network})


def _holding(model: ModelRecipe, backbone: Backbone) -> ModelRecipe:
    """Return the model with a backbone that holds its network, also in what a search fills in."""
    update: dict[str, Any] = {"backbone": backbone}
    if model.search is not None and backbone.network is not None:
        space = _in_space(model.search.space, str(backbone.model), backbone.network)
        update["search"] = model.search.model_copy(update={"space": space})
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
    seed = trained.seeds[0]  # of a shipped model there are folds' networks, too
    source = folder.shipped(trained.name) if trained.shipped else folder.trial(trained.name, seed)
    manifest = written_folder.read_manifest(source)
    data = trained.study["data"]
    images = data["test"] if data.get("folds") else data["train"]
    return BackboneNetwork(
        input_shape=trained.input_shape,
        layers=layers,
        seed=trained.seeds[0],
        weights=manifest[written_folder.WEIGHTS],
        seen=f"{data['name']}: {images:,} images in {len(trained.class_names):,} classes",
    )
