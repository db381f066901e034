"""Scores of predicted probabilities, image by image and as a whole; NumPy only.

One trial at a time: `probabilities` is float32 (n_images, n_classes), as saved by the study,
`labels` and `predicted` are int64 (n_images,). An image whose row holds a value that is not
finite has no prediction: it is counted as wrong, its loss is the largest there is, and it stands in
no column of the confusion matrix and in no bin of the calibration curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EPSILON = 1e-7  # keras.backend.epsilon(): losses are between 1e-7 and 16.12
NO_PREDICTION = -1  # the prediction of an image whose probabilities are not finite

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Calibration:
    """How often the predicted class was correct, by how sure the model was of it.

    `edges` float64 (bins + 1,); `counts` int64 (bins,); `confidence` and `accuracy` float64
    (bins,), nan in empty bins; `error` is the expected calibration error: |accuracy − confidence|
    averaged over the images (Naeini 2015, Guo 2017), None where no image has a prediction.
    """

    edges: Floats
    counts: Integers
    confidence: Floats
    accuracy: Floats
    error: float | None


def predictions(probabilities: NDArray[Any]) -> Integers:
    """Class of the largest probability, the first on ties; NO_PREDICTION for a row not finite."""
    largest = probabilities.argmax(axis=1)
    return np.where(_finite(probabilities), largest, NO_PREDICTION).astype(np.int64)


def correct(probabilities: NDArray[Any], labels: Integers) -> NDArray[np.bool_]:
    """Whether each image was classified correctly, bool (n_images,)."""
    _check(probabilities, labels)
    found: NDArray[np.bool_] = predictions(probabilities) == labels
    return found


def cross_entropy(probabilities: NDArray[Any], labels: Integers) -> Floats:
    """−log of the true class's probability for each image, in nats, float64 (n_images,).

    The probability is clipped to [1e-7, 1 − 1e-7] as Keras does, so every loss is finite.
    """
    _check(probabilities, labels)
    true_class = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    finite = _finite(probabilities)
    losses: Floats = -np.log(np.clip(np.where(finite, true_class, 0.0), EPSILON, 1 - EPSILON))
    return losses


def confusion_matrix(labels: Integers, predicted: Integers, n_classes: int) -> Integers:
    """Count images, int64 (n_classes, n_classes): row = true class, column = predicted class."""
    known = predicted != NO_PREDICTION
    cells = labels[known] * n_classes + predicted[known]
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def per_class_accuracy(labels: Integers, predicted: Integers, n_classes: int) -> Floats:
    """Share of each class's images that were classified correctly, float64; nan without images."""
    hits, true_counts, _ = _counts(labels, predicted, n_classes)
    return _divide(hits, true_counts)


def balanced_accuracy(labels: Integers, predicted: Integers, n_classes: int) -> float:
    """Mean of the per-class accuracies, over the classes that have images."""
    return float(np.nanmean(per_class_accuracy(labels, predicted, n_classes)))


def macro_f1(labels: Integers, predicted: Integers, n_classes: int) -> float:
    """Mean of the classes' F1 = 2·hits/(images + predictions), over the classes that occur."""
    hits, true_counts, predicted_counts = _counts(labels, predicted, n_classes)
    return float(np.nanmean(_divide(2 * hits, true_counts + predicted_counts)))


def macro_f1_scores(labels: Integers, predicted: Integers, n_classes: int) -> Floats:
    """Per-image parts of macro F1, float64 (n_images,), for `estimates.estimate_macro_f1`.

    F1 is no mean over images, but close to its value F it behaves like one (delta method; the
    variance is that of Takahashi et al. 2022, Applied Intelligence 52). With s_k = (images +
    predictions of class k)/n, differentiating F_k = 2·hits_k/(n·s_k) by one image's weight
    gives, for an image of class y predicted as z,

        score_i = F + (1/K)·[2·(y = z)/s_y − F_y/s_y − F_z/s_z]

    whose mean is F. An image without a prediction has no z, and no last term.
    """
    n_images = len(labels)
    hits, true_counts, predicted_counts = _counts(labels, predicted, n_classes)
    f1 = _divide(2 * hits, true_counts + predicted_counts)
    share = (true_counts + predicted_counts) / n_images
    known = predicted != NO_PREDICTION
    z = np.where(known, predicted, labels)
    gain = np.where(predicted == labels, 2 / share[labels], 0.0)
    cost = f1[labels] / share[labels] + np.where(known, f1[z] / share[z], 0.0)
    return np.nanmean(f1) + (gain - cost) / np.count_nonzero(share)


def calibration(
    probabilities: NDArray[Any],
    labels: Integers,
    *,
    bins: int = 15,
    predicted: Integers | None = None,
) -> Calibration:
    """Calibration curve of the predicted class, in `bins` bins of equal width over [0, 1].

    predicted : what `predictions` returns, where the caller has asked it already
    """
    _check(probabilities, labels)
    predicted = predictions(probabilities) if predicted is None else predicted
    known = predicted != NO_PREDICTION
    images = np.flatnonzero(known)
    sure = probabilities[images, predicted[images]].astype(np.float64)
    correct = (predicted == labels)[known]
    # Bins are closed on the right, (0, 1/15], … (14/15, 1], so that a probability of 1 has one.
    which = np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(which, minlength=bins)
    confidence = _divide(np.bincount(which, weights=sure, minlength=bins), counts)
    accuracy = _divide(np.bincount(which, weights=correct, minlength=bins), counts)
    gaps = np.nansum(counts * np.abs(accuracy - confidence))
    return Calibration(
        edges=np.linspace(0, 1, bins + 1),
        counts=counts,
        confidence=confidence,
        accuracy=accuracy,
        error=float(gaps / len(sure)) if len(sure) else None,
    )


def _finite(probabilities: NDArray[Any]) -> NDArray[np.bool_]:
    """Say of each row whether all its values are finite, bool (n_images,)."""
    finite = np.isfinite(probabilities)
    if finite.all():  # nearly always, and much sooner found than row by row
        return np.ones(len(finite), dtype=bool)
    rows: NDArray[np.bool_] = finite.all(axis=1)
    return rows


def _counts(labels: Integers, predicted: Integers, n_classes: int) -> tuple[Integers, ...]:
    """Correct predictions, images and predictions of each class."""
    if labels.shape != predicted.shape or labels.size == 0:
        raise ValueError(
            f"expected a prediction for each label, got {predicted.shape} for {labels.shape}"
        )
    return (
        np.bincount(labels[predicted == labels], minlength=n_classes),
        np.bincount(labels, minlength=n_classes),
        np.bincount(predicted[predicted != NO_PREDICTION], minlength=n_classes),
    )


def _divide(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """Quotient, nan where the divisor is 0."""
    quotient: Floats = np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)
    return quotient


def _check(probabilities: NDArray[Any], labels: Integers) -> None:
    if probabilities.ndim != 2 or len(probabilities) != len(labels):
        raise ValueError(
            f"expected probabilities of shape ({len(labels)}, n_classes), got {probabilities.shape}"
        )
