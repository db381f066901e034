"""The job that predicts the test images: made when a study opens its test set, and never before."""

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.recipe import ModelRecipe
from bakeoff.recipe.types import Backbone
from bakeoff.storage import array_files, atomic, formats, written_folder
from bakeoff.study.jobs.development_data import feature_files
from bakeoff.study.jobs.job import timing_now
from bakeoff.study.jobs.model_identity import require_same_builder
from bakeoff.training import baselines
from bakeoff.utils.events import OnEpoch


@dataclass(frozen=True)
class PredictJob:
    """Predict the test images with a finished trial or baseline; writes one npy file.

    source : the trial's or baseline's folder
    declared : ModelRecipe as JSON; None for a baseline
    images : npy file of the test images
    folds : npy file that says in which fold each image is tested; None without cross-validation.
        Then every image is predicted by the network that has not seen it.
    timing : where it is written how long predicting takes; None: not measured
    builder : hash of the Python builder that makes its network; "" where there is none
    """

    label: str
    affinity: str
    source: str
    declared: str | None
    images: str
    target: str
    maximum: float
    n_classes: int
    folds: str | None = None
    timing: str | None = None
    builder: str = ""

    @property
    def runs_user_code(self) -> bool:
        """Whether a Python builder makes its network."""
        recipe = self.recipe
        return recipe is not None and recipe.python is not None

    @property
    def recipe(self) -> ModelRecipe | None:
        """The declared model; None for a baseline."""
        return None if self.declared is None else ModelRecipe.model_validate_json(self.declared)

    def run(self, on_epoch: OnEpoch) -> None:
        """Predict and write the probabilities, float32, shape (n_images, n_classes)."""
        started = time.monotonic()
        images = array_files.read_npy(Path(self.images))
        name = written_folder.WEIGHTS
        if self.folds is None:
            probabilities = self._predict(name, images)
        else:
            tested = array_files.read_npy(Path(self.folds))
            probabilities = np.empty((len(images), self.n_classes), np.float32)
            for fold in np.unique(tested):
                rows, name = tested == fold, f"fold-{fold}/{written_folder.WEIGHTS}"
                probabilities[rows] = self._predict(name, images[rows])
            images = images[rows]
        atomic.write_file(Path(self.target), array_files.npy_bytes(probabilities))
        if self.timing is not None:
            timing = timing_now(time.monotonic() - started) | self._seconds(name, images)
            atomic.write_file(Path(self.timing), formats.sealed_json(timing))

    def claimed(self) -> AbstractContextManager[bool]:
        """Claim it without a lock: whoever opens the test set holds the study's."""
        return nullcontext(True)

    def reads(self) -> list[Path]:
        """Return the files of the images or of their features, and of the weights."""
        source, images = Path(self.source), Path(self.images)
        files = [images, source / written_folder.MANIFEST, *source.rglob(written_folder.WEIGHTS)]
        if self.folds is not None:
            files.append(Path(self.folds))
        recipe = self.recipe
        if recipe is not None and recipe.frozen_backbone is not None:
            plain = Backbone(name=recipe.frozen_backbone)
            files += feature_files(plain, (images,), self.maximum)
        return files

    def writes(self) -> list[Path]:
        """Return the file of the probabilities, and of the timing."""
        return [Path(each) for each in (self.target, self.timing) if each is not None]

    def keeps(self) -> list[Path]:
        """Return nothing: it has no checkpoints."""
        return []

    def _predict(self, name: str, images: NDArray[Any]) -> NDArray[np.float32]:
        weights, recipe = array_files.recorded_weights(Path(self.source), name), self.recipe
        try:
            if recipe is None:
                return baselines.predict(weights, images, maximum=self.maximum)
            from bakeoff.training.predict import predict

            found = predict(recipe, weights, images, maximum=self.maximum, n_classes=self.n_classes)
            require_same_builder(recipe, self.builder)  # of these weights
            return found
        except ValueError as error:
            raise formats.damaged(Path(self.source) / name) from error

    def _seconds(self, name: str, images: NDArray[Any]) -> dict[str, float]:
        """Return the seconds of predicting an image alone and in a batch."""
        from bakeoff.training.prediction_time import prediction_seconds

        recipe = self.recipe
        assert recipe is not None  # baselines are not measured
        weights = array_files.recorded_weights(Path(self.source), name)
        return prediction_seconds(
            recipe, weights, images, maximum=self.maximum, n_classes=self.n_classes
        )
