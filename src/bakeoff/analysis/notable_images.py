"""Which images a reader should look at: the worst mistakes, suspect labels, samples of classes.

Computed from saved predictions; the pictures themselves are taken from the data where it is at
hand. A place is an image's position in the test part, counted from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis import metrics
from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.storage.thumbnails import Pictures, thumbnails

MISTAKES = 12  # shown of a model
SUSPECTS = 24
SAMPLES = 8  # of a class
SAMPLED = 20  # classes


@dataclass(frozen=True)
class Mistake:
    """A test image that most seeds of a model get wrong.

    `answer` is the most frequent wrong answer, `probability` what it was given and
    `truth_probability` what the true class was given, both means over the seeds; `agree` of
    `seeds` gave this answer.
    """

    place: int
    truth: int
    answer: int
    probability: float
    truth_probability: float
    agree: int
    seeds: int


@dataclass(frozen=True)
class Suspect:
    """A test image whose label may be wrong; probabilities are means over a model's seeds."""

    place: int
    label: int
    suggestion: int
    probability: float  # of the suggestion
    label_probability: float


def worst_mistakes(
    comparison: Comparison, model: str, *, most: int = MISTAKES
) -> tuple[Mistake, ...]:
    """Return the mistakes of most seeds, those with the largest loss (mean over seeds) first."""
    probabilities, labels = comparison.probabilities[model], comparison.labels
    answers = np.stack([metrics.predictions(each) for each in probabilities])
    n_seeds, n_classes = len(answers), probabilities.shape[2]
    wrong = np.flatnonzero(2 * (answers != labels).sum(axis=0) > n_seeds)
    answers, probabilities = answers[:, wrong], probabilities[:, wrong]  # few, as a rule
    loss = np.mean([metrics.cross_entropy(each, labels[wrong]) for each in probabilities], axis=0)
    mean = np.nan_to_num(probabilities.astype(np.float64)).mean(axis=0)
    found = []
    for row in np.argsort(-loss, kind="stable").tolist():
        place = int(wrong[row])
        given, truth = answers[:, row], int(labels[place])
        counts = np.bincount(given[given >= 0], minlength=n_classes)
        counts[truth] = 0
        if not counts.any():
            continue  # no answer at all
        answer = int(np.lexsort((-mean[row], -counts))[0])
        found.append(
            Mistake(
                place=place,
                truth=truth,
                answer=answer,
                probability=float(mean[row, answer]),
                truth_probability=float(mean[row, truth]),
                agree=int(counts[answer]),
                seeds=n_seeds,
            )
        )
        if len(found) == most:
            break
    return tuple(found)


def can_suspect_labels() -> bool:
    """Say whether cleanlab, Bakeoff's extra `labels`, is installed."""
    return find_spec("cleanlab") is not None


def label_ranking(comparison: Comparison) -> NDArray[np.int64] | None:
    """Return the places of all test images, int64 (n_test,), the most suspect label first.

    By cleanlab's label quality (self-confidence) of the mean probabilities, over its seeds, of
    the model with the lowest loss; it was not trained on these images, as cleanlab asks for. None
    where cleanlab is not installed.
    """
    if not can_suspect_labels() or not comparison.models:
        return None
    from cleanlab.rank import get_label_quality_scores

    mean = _best_probabilities(comparison)
    scores = get_label_quality_scores(comparison.labels, mean, method="self_confidence")
    ranking: NDArray[np.int64] = np.argsort(scores, kind="stable")
    return ranking


def label_suspects(comparison: Comparison, *, most: int = SUSPECTS) -> tuple[Suspect, ...] | None:
    """Return the first of `label_ranking` in which the model contradicts the label."""
    ranking = label_ranking(comparison)
    if ranking is None:
        return None
    mean, labels = _best_probabilities(comparison), comparison.labels
    suspect = ranking[mean[ranking].argmax(axis=1) != labels[ranking]][:most]
    return tuple(
        Suspect(
            place=int(place),
            label=int(labels[place]),
            suggestion=int(mean[place].argmax()),
            probability=float(mean[place].max()),
            label_probability=float(mean[place, labels[place]]),
        )
        for place in suspect
    )


def lowest_loss(comparison: Comparison) -> ModelResult:
    """Return the model whose probabilities are the best."""
    return min(comparison.models, key=lambda model: model.loss.mean)


def collect(
    comparison: Comparison,
    images: NDArray[Any],
    maximum: float,
    samples: tuple[NDArray[Any], NDArray[np.int64]],
) -> Pictures:
    """Return small copies of every image that a report of this comparison shows.

    Parameters
    ----------
    images : shape (n_test, height, width, channels), in split order
    maximum : the pixel value that means white
    samples : training images to show, and their classes
    """
    places = np.array(sorted(_shown(comparison)), dtype=np.int64)
    return Pictures(
        test_hash=str(comparison.data["test_hash"]),
        places=places,
        images=thumbnails(images[places], maximum),
        sample_labels=np.asarray(samples[1], dtype=np.int64),
        samples=thumbnails(samples[0], maximum),
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
    return pictures is None or not _shown(comparison) <= set(pictures.places.tolist())


def _shown(comparison: Comparison) -> set[int]:
    """Return the places of all test images that a report shows."""
    mistakes = (
        each.place for m in comparison.models for each in worst_mistakes(comparison, m.name)
    )
    return {*mistakes, *(each.place for each in label_suspects(comparison) or ())}


def _best_probabilities(comparison: Comparison) -> NDArray[np.float64]:
    """Return the lowest loss's mean probabilities, float64 (n_test, k); rows sum to 1."""
    probabilities = comparison.probabilities[lowest_loss(comparison).name]
    mean = np.nan_to_num(probabilities.astype(np.float64)).mean(axis=0)
    sums = mean.sum(axis=1, keepdims=True)
    flat = np.full_like(mean, 1 / mean.shape[1])
    result: NDArray[np.float64] = np.divide(mean, sums, out=flat, where=sums > 0)
    return result
