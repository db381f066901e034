"""A finished trial as a network that predicts: its weights, read back checked; the seed to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.compare import compare
from bakeoff.data.sources import Pictures
from bakeoff.errors import StudyError
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.storage import array_files, formats, written_folder
from bakeoff.storage.study_folder import StudyFolder, to_go_on
from bakeoff.storage.study_recipe import read_recipe, require_as_declared
from bakeoff.study.arguments import whole
from bakeoff.study.jobs.model_identity import is_identity
from bakeoff.utils.text import listed, some
from bakeoff.utils.user_paths import from_here

if TYPE_CHECKING:
    from bakeoff.training.predictor import Predictor


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """One model of a study with the weights of one seed, or of several: an ensemble.

    study : study.json
    weights : of each seed, arrays by name
    reason : why this model and these seeds, in one sentence
    shipped : cross-validation trained it on all images: it is none of the study's trials
    """

    folder: StudyFolder
    study: Mapping[str, Any]
    recipe: ModelRecipe
    seeds: tuple[int, ...]
    weights: tuple[Mapping[str, NDArray[Any]], ...]
    reason: str
    shipped: bool = False

    def __repr__(self) -> str:
        """Say which model it is, and of which study."""
        return f"<TrainedModel {self.title}, of {from_here(self.folder.path)}>"

    def __getstate__(self) -> dict[str, Any]:
        """Leave the compiled network behind, which another process makes again."""
        return {key: value for key, value in vars(self).items() if key != "predictor"}

    @property
    def name(self) -> str:
        """The model's name."""
        return self.recipe.name

    @property
    def title(self) -> str:
        """The model and its seeds, as a message shows them: "cnn, seed 3"."""
        if self.shipped:
            return f"{self.name}, the shipped model"
        return f"{self.name}, {'seed' if len(self.seeds) == 1 else 'seeds'} {listed(self.seeds)}"

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes."""
        return tuple(self.study["data"]["class_names"])

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        height, width, channels = self.study["data"]["input_shape"]
        return height, width, channels

    @property
    def maximum(self) -> float:
        """The pixel value that means white."""
        return float(self.study["data"]["maximum"])

    @property
    def deep_white(self) -> float | None:
        """What white is in picture files of 16 bits; None where the study's data had none."""
        found = self.study["data"].get("deep_white")
        return self.maximum if found is None and self.maximum > 255 else found

    @cached_property
    def predictor(self) -> Predictor:
        """The compiled network."""
        from bakeoff.training.predictor import Predictor

        try:
            return Predictor(self.recipe, self.weights, **self._shape())
        except ValueError as error:
            place = self.folder.trial(self.name, self.seeds[0])
            raise formats.damaged(place / written_folder.WEIGHTS) from error

    def per_seed(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Return each seed's probabilities, float32, shape (seeds, n_images, n_classes).

        images : shape (n_images, height, width, channels), pixels as the data set stores them
        """
        return self.predictor(images)

    def keras_model(self, dtype: str | None = None) -> Any:
        """Return a keras.Model of Keras's own layers: pixels as stored in, probabilities out.

        dtype : of the pixels; uint8 where they are whole numbers, by default
        """
        from bakeoff.training.plain_model import plain_model

        dtype = dtype or ("uint8" if self.stores_bytes else "float32")
        return plain_model(self.recipe, self.weights, dtype=dtype, **self._shape())

    @property
    def stores_bytes(self) -> bool:
        """Whether pixels are whole numbers up to `maximum`; otherwise they are float32."""
        dtype = self.study["data"].get("dtype")  # not said by earlier versions
        return 1 < self.maximum <= 255 and dtype in (None, "uint8")

    @cached_property
    def pictures(self) -> Pictures | None:
        """How the study read picture files; None where its images came as arrays."""
        declared = read_recipe(self.folder, self.study).data
        if isinstance(declared, Pictures):
            return declared
        found = self.study["data"].get("pictures")
        return None if found is None else Pictures(**{**found, "size": tuple(found["size"])})

    def _shape(self) -> dict[str, Any]:
        classes = len(self.class_names)
        return {"input_shape": self.input_shape, "n_classes": classes, "maximum": self.maximum}


def trained_model(
    folder: StudyFolder,
    *,
    model: str | None = None,
    seed: int | None = None,
    ensemble: bool = False,
    recommended: str | None = None,
) -> TrainedModel:
    """Return a model of a study, ready to predict.

    Parameters
    ----------
    model : its name; the recommended one by default
    seed : one that was trained; by default the median one by validation accuracy
    ensemble : take all seeds; the prediction is the mean of their probabilities
    recommended : the study's recommendation, where the caller knows it

    Raises
    ------
    StudyError
        If there is no study, no such model or seed, or nothing is trained or recommended.
    """
    study = folder.read_study()
    recipe = read_recipe(folder, study)
    done = {name: seeds for name, seeds in folder.finished().items() if name in recipe.models}
    if not done:
        raise StudyError(
            f"{folder.path}: expected a study with a trained model, found none trained yet: "
            f"run `{to_go_on(folder, study)}`"
        )
    seed = None if seed is None else whole(seed, "seed")
    if ensemble and seed is not None:
        raise StudyError("expected either one seed or the ensemble of all, found both: choose one")
    reason = "the model that was named"
    if model is None:
        model, reason = _recommended(folder, done, recommended)
    _require_trained(folder, recipe, done, model)
    _require_same_builder(study, recipe.models[model], recipe)
    if recipe.split.folds is not None:
        chosen = ensemble or seed is not None
        return _shipped(folder, study, recipe.models[model], reason, chosen=chosen)
    seeds, why = _seeds(folder, model, done[model], wanted=seed, ensemble=ensemble)
    for each in seeds:
        require_as_declared(folder, recipe.models[model], recipe.selection, each)
    weights = tuple(array_files.recorded_weights(folder.trial(model, each)) for each in seeds)
    return TrainedModel(folder, study, recipe.models[model], seeds, weights, reason + why)


def _require_trained(
    folder: StudyFolder, recipe: Recipe, done: Mapping[str, Sequence[int]], model: Any
) -> None:
    """Refuse what is not the name of a model with a finished trial.

    done : the seeds of the finished trials by model
    """
    if not isinstance(model, str) or model not in done:
        known = isinstance(model, str) and model in recipe.models
        found = "one that is not trained yet" if known else "no such model"
        raise StudyError(
            f"{folder.path}: expected a trained model ({some(sorted(done))}), found {model!r}, "
            f"{found}"
        )


def _seeds(
    folder: StudyFolder, model: str, done: Sequence[int], *, wanted: int | None, ensemble: bool
) -> tuple[tuple[int, ...], str]:
    """Return the seeds to take of those that are `done`, and what the reason says of them."""
    if ensemble:
        return tuple(done), ", all its seeds averaged"
    if wanted is None:
        seed, why = _one_seed(folder, model, done)
        return (seed,), f", {why}" if len(done) > 1 else ""
    if wanted not in done:
        raise StudyError(
            f"{folder.path}: expected a trained seed of {model} ({some([str(s) for s in done])}), "
            f"found {wanted}"
        )
    return (wanted,), ""


def with_all_seeds(trained: TrainedModel) -> TrainedModel:
    """Return the same model with all its seeds; the one network of cross-validation has no more."""
    if read_recipe(trained.folder, trained.study).split.folds is not None:
        return trained
    return trained_model(trained.folder, model=trained.name, ensemble=True)


def _shipped(
    folder: StudyFolder,
    study: Mapping[str, Any],
    recipe: ModelRecipe,
    reason: str,
    *,
    chosen: bool,
) -> TrainedModel:
    """Return the model that cross-validation trained on all images; no fold's network is it."""
    place = folder.shipped(recipe.name)
    if chosen:
        raise StudyError(
            f"{folder.path}: expected neither a seed nor an ensemble, found one: cross-validation "
            "ships one network, trained on all images"
        )
    if not place.exists():
        others = sorted(
            each.parent.name for each in folder.shipped("*").parent.glob("*/trial.json")
        )
        here = f", here {listed(others)}" if others else ""
        raise StudyError(
            f"{folder.path}: expected a model that was trained on all images, found none of "
            f"{recipe.name}: cross-validation ships the recommended model, once it is opened{here}"
        )
    document = folder.read_shipped(recipe.name)
    said = f"{reason}, trained on all {document['images']:,} images"
    seeds, weights = (int(document["seed"]),), (array_files.recorded_weights(place),)
    return TrainedModel(folder, study, recipe, seeds, weights, said, shipped=True)


def _recommended(
    folder: StudyFolder, done: Mapping[str, Sequence[int]], known: str | None
) -> tuple[str, str]:
    if known is not None:
        return known, "the recommended model"
    if len(done) == 1:
        return next(iter(done)), "the only trained model"
    hint = f"name one with --model ({some(sorted(done))})"
    if not folder.openings():
        raise StudyError(
            f"{folder.path}: expected a study that recommends a model, found one whose test set "
            f"is sealed: {hint}"
        )
    comparison = compare([folder])
    if comparison.to_use is not None:
        return comparison.to_use, "the recommended model"
    recommendation = comparison.recommended
    if recommendation is None:
        raise StudyError(
            f"{folder.path}: expected a study that recommends a model, found one that recommends "
            f"none: {hint}"
        )
    return recommendation.model, "the leading model (the study recommends none)"


def _require_same_builder(study: Mapping[str, Any], model: ModelRecipe, recipe: Recipe) -> None:
    """Refuse weights in another network than the one that the Python builder made for them."""
    if model.python is None:
        return
    if not is_identity(study["identities"][model.name], model, recipe):
        path = model.python.rpartition(":")[0]
        raise StudyError(
            f"{path}: expected the file that built {model.name} when it was trained, and what it "
            "imports, found one changed: restore it, or train the changed network in a study of "
            "its own (--out)"
        )


def _one_seed(folder: StudyFolder, model: str, seeds: Sequence[int]) -> tuple[int, str]:
    """Return the seed whose validation accuracy is in the middle, the lower one of two, and why.

    Without validation images nothing tells seeds apart: it is the first.
    """
    scores = []
    for seed in seeds:
        validation = folder.read_trial(model, seed)["validation"]
        if validation is None:
            return min(seeds), "its first seed, as no validation images prefer one"
        entropy = validation["cross_entropy"]
        scores.append((validation["accuracy"], entropy is None, -(entropy or 0.0), seed))
    return sorted(scores)[(len(scores) - 1) // 2][-1], "its median seed on the validation part"
