"""One model's saved predictions scored: of the test images trial by trial, of validation images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis import metrics
from bakeoff.storage import array_files, formats, written_folder


def validation_correct(trial: Path, labels: NDArray[np.int64], n_classes: int) -> NDArray[np.bool_]:
    """Return which validation images a finished trial classifies correctly, bool (n_validation,).

    Raises StorageError if its predictions are not as they were recorded, or are of other images.

    trial : the trial's folder
    """
    path = trial / written_folder.VALIDATION
    written_folder.read_recorded(trial, path.name, written_folder.read_manifest(trial))
    probabilities = array_files.read_npy(path)
    if probabilities.shape != (len(labels), n_classes):
        raise formats.damaged(path)
    return metrics.correct(probabilities, labels)


@dataclass(frozen=True, eq=False)
class ModelScores:
    """What one model's predictions come to; arrays of shape (seeds, n_test) but where said."""

    correct: NDArray[np.bool_]
    losses: NDArray[np.float64]
    balanced: tuple[float, ...]  # one a seed
    f1: NDArray[np.float64]  # per-image parts, see metrics
    confusion: NDArray[np.float64]  # (k, k), mean over seeds
    predicted: NDArray[np.int64]  # (seeds, k): how often each class
    calibration: tuple[metrics.Calibration, ...]

    @property
    def n_classes(self) -> int:
        """The number of classes."""
        return len(self.confusion)

    @classmethod
    def of(
        cls, probabilities: Sequence[NDArray[np.float32]], labels: NDArray[np.int64]
    ) -> ModelScores:
        """Score each trial in turn, so that no more than one's probabilities are in memory."""
        k = probabilities[0].shape[1]
        predictions = [metrics.predictions(each) for each in probabilities]
        matrices = np.stack([metrics.confusion_matrix(labels, each, k) for each in predictions])
        return cls(
            correct=np.stack([each == labels for each in predictions]),
            losses=np.stack([metrics.cross_entropy(each, labels) for each in probabilities]),
            balanced=tuple(metrics.balanced_accuracy(labels, each, k) for each in predictions),
            f1=np.stack([metrics.macro_f1_scores(labels, each, k) for each in predictions]),
            confusion=matrices.mean(axis=0),
            predicted=matrices.sum(axis=1),
            calibration=tuple(
                metrics.calibration(each, labels, predicted=prediction)
                for each, prediction in zip(probabilities, predictions, strict=True)
            ),
        )
