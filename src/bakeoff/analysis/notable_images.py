"""Which images a reader should look at: the worst mistakes, suspect labels, samples of classes.

Computed from saved predictions; the pictures themselves are taken from the data where it is at
hand. An index is an image's position in the test part, counted from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis import metrics
from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.storage.thumbnails import SAMPLE_SIDE, Pictures, thumbnails

MISTAKES = 12  # shown of a model
SHARED = 12  # that every model gets wrong, and that a single one classifies correctly
SUSPECTS = 12
SAMPLES = 8  # of a class
SAMPLED = 20  # classes


@dataclass(frozen=True)
class Mistake:
    """A test image that most seeds of a model get wrong.

    `predicted` is the most frequent wrong prediction, `probability` what it was given, a mean over
    the seeds; `agree` of `seeds` predicted it.
    """

    index: int
    truth: int
    predicted: int
    probability: float
    agree: int
    seeds: int


@dataclass(frozen=True)
class Suspect:
    """A test image whose label may be wrong; probabilities are means over a model's seeds."""

    index: int
    label: int
    suggestion: int
    probability: float  # of the suggestion
    label_probability: float


def worst_mistakes(
    comparison: Comparison, model: str, *, most: int = MISTAKES
) -> tuple[Mistake, ...]:
    """Return the mistakes of most seeds, those with the largest loss (mean over seeds) first."""
    probabilities, labels = comparison.probabilities[model], comparison.labels
    predictions = np.stack([metrics.predictions(each) for each in probabilities])
    n_seeds, n_classes = len(predictions), probabilities.shape[2]
    wrong = np.flatnonzero(2 * (predictions != labels).sum(axis=0) > n_seeds)
    predictions, probabilities = predictions[:, wrong], probabilities[:, wrong]  # few, as a rule
    loss = np.mean([metrics.cross_entropy(each, labels[wrong]) for each in probabilities], axis=0)
    mean = np.nan_to_num(probabilities.astype(np.float64)).mean(axis=0)
    found = []
    for row in np.argsort(-loss, kind="stable").tolist():
        index = int(wrong[row])
        given, truth = predictions[:, row], int(labels[index])
        counts = np.bincount(given[given >= 0], minlength=n_classes)
        counts[truth] = 0
        if not counts.any():
            continue  # no prediction at all
        predicted = int(np.lexsort((-mean[row], -counts))[0])
        found.append(
            Mistake(
                index=index,
                truth=truth,
                predicted=predicted,
                probability=float(mean[row, predicted]),
                agree=int(counts[predicted]),
                seeds=n_seeds,
            )
        )
        if len(found) == most:
            break
    return tuple(found)


@dataclass(frozen=True)
class Shared:
    """A test image of which all models say the same: wrong, or correct for a single one.

    `predictions` holds each model's most frequent prediction over its seeds, -1 for none;
    `only` the one model that classifies it correctly, None where none has.
    """

    index: int
    truth: int
    predictions: Mapping[str, int]
    only: str | None


def shared_mistakes(comparison: Comparison) -> tuple[Shared, ...]:
    """Return the images that most seeds of every model get wrong, the largest loss first."""
    return _shared(comparison, alone=False)


def correct_alone(comparison: Comparison) -> tuple[Shared, ...]:
    """Return the images that most seeds of exactly one model classify correctly, the surest first.

    None of fewer than two models.
    """
    return _shared(comparison, alone=True) if len(comparison.models) > 1 else ()


def _shared(comparison: Comparison, *, alone: bool) -> tuple[Shared, ...]:
    labels, names = comparison.labels, [model.name for model in comparison.models]
    if not names:
        return ()
    correct, given, sure = [], [], []
    for name in names:
        probabilities = comparison.probabilities[name]
        predictions = np.stack([metrics.predictions(each) for each in probabilities])
        correct.append(2 * (predictions == labels).sum(axis=0) > len(predictions))
        given.append(predictions)
        of_truth = probabilities[:, np.arange(len(labels)), labels].astype(np.float64)
        sure.append(np.nan_to_num(of_truth).mean(axis=0))
    count, sum_sure = np.sum(correct, axis=0), np.sum(sure, axis=0)
    chosen = np.flatnonzero(count == (1 if alone else 0))
    order = np.argsort(sum_sure[chosen] * (-1 if alone else 1), kind="stable")
    found = []
    for index in chosen[order][:SHARED].tolist():
        only = next((name for name, hits in zip(names, correct, strict=True) if hits[index]), None)
        said = {
            name: _most_frequent(predictions[:, index], but=None if hits[index] else labels[index])
            for name, predictions, hits in zip(names, given, correct, strict=True)
        }
        found.append(Shared(int(index), int(labels[index]), said, only))
    return tuple(found)


def _most_frequent(predictions: NDArray[np.int64], *, but: int | None) -> int:
    """Return what most seeds say; −1 if none says a class.

    but : the truth, where no majority says it: three seeds that say three classes are wrong
    """
    known = predictions[(predictions >= 0) & (predictions != (-1 if but is None else but))]
    return int(np.bincount(known).argmax()) if len(known) else -1


def label_ranking(comparison: Comparison) -> NDArray[np.int64]:
    """Return the indices of all test images, int64 (n_test,), the most suspect label first.

    By the probability of the label, which cleanlab calls label quality by self-confidence
    (Northcutt, Jiang and Chuang 2021), in the mean over its seeds of the model with the lowest
    loss. As the method asks for, it was not trained on these images.
    """
    mean, labels = _best_probabilities(comparison), comparison.labels
    ranking: NDArray[np.int64] = np.argsort(mean[np.arange(len(labels)), labels], kind="stable")
    return ranking


def label_suspects(comparison: Comparison, *, most: int = SUSPECTS) -> tuple[Suspect, ...]:
    """Return the first of `label_ranking` in which the model contradicts the label."""
    if not comparison.models:
        return ()
    ranking = label_ranking(comparison)
    mean, labels = _best_probabilities(comparison), comparison.labels
    suspect = ranking[mean[ranking].argmax(axis=1) != labels[ranking]][:most]
    return tuple(
        Suspect(
            index=int(index),
            label=int(labels[index]),
            suggestion=int(mean[index].argmax()),
            probability=float(mean[index].max()),
            label_probability=float(mean[index, labels[index]]),
        )
        for index in suspect
    )


def lowest_loss(comparison: Comparison) -> ModelResult:
    """Return the model whose probabilities are the best."""
    return min(comparison.models, key=lambda model: model.loss.mean)


def collect(
    comparison: Comparison,
    images: NDArray[Any],
    maximum: float,
    samples: tuple[NDArray[Any], NDArray[np.int64]],
    names: Sequence[str] = (),
    sample_names: Sequence[str] = (),
) -> Pictures:
    """Return small copies of every image that a report of this comparison shows.

    Parameters
    ----------
    images : shape (n_test, height, width, channels), in split order
    maximum : the pixel value that means white
    samples : training images to show, and their classes
    names, sample_names : "class/file" of every test image, and of every sample; none where the
        data has no files
    """
    indices = np.array(sorted(_shown(comparison)), dtype=np.int64)
    return Pictures(
        test_hash=str(comparison.data["test_hash"]),
        indices=indices,
        images=thumbnails(images[indices], maximum),
        sample_labels=np.asarray(samples[1], dtype=np.int64),
        samples=thumbnails(samples[0], maximum, most=SAMPLE_SIDE),
        names=np.array([names[index] for index in indices.tolist()] if names else [], np.str_),
        sample_names=np.array(list(sample_names), np.str_),
    )


def choose_samples(labels: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Return positions of a few images of every class, evenly spaced in the order they come in."""
    chosen = []
    for k in range(min(n_classes, SAMPLED)):
        positions = np.flatnonzero(labels == k)
        few = np.linspace(0, len(positions) - 1, min(SAMPLES, len(positions))).round().astype(int)
        chosen.append(positions[few])
    return np.concatenate(chosen) if chosen else np.array([], dtype=np.int64)


def lacking(comparison: Comparison) -> bool:
    """Say whether a report would show images of which there is no picture."""
    pictures = comparison.pictures
    return pictures is None or not _shown(comparison) <= set(pictures.indices.tolist())


def _shown(comparison: Comparison) -> set[int]:
    """Return the indices of all test images that a report shows."""
    mistakes = (
        each.index for m in comparison.models for each in worst_mistakes(comparison, m.name)
    )
    shared = [each.index for each in shared_mistakes(comparison) + correct_alone(comparison)]
    suspects = (each.index for each in label_suspects(comparison))
    return {*mistakes, *shared, *suspects}


def _best_probabilities(comparison: Comparison) -> NDArray[np.float64]:
    """Return the lowest loss's mean probabilities, float64 (n_test, k); rows sum to 1."""
    probabilities = comparison.probabilities[lowest_loss(comparison).name]
    mean = np.nan_to_num(probabilities.astype(np.float64)).mean(axis=0)
    sums = mean.sum(axis=1, keepdims=True)
    flat = np.full_like(mean, 1 / mean.shape[1])
    result: NDArray[np.float64] = np.divide(mean, sums, out=flat, where=sums > 0)
    return result
