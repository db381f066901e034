"""How well each class is told from the others: precision, recall, F1, ROC and PR curves by seed.

Computed from saved predictions, each class against the rest. An image without a prediction (its
probabilities are not finite) belongs to no class for the model: it counts as missed, and comes last
in the order of both curves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis import metrics

if TYPE_CHECKING:
    from bakeoff.analysis.comparison import Comparison

Floats = NDArray[np.float64]

GRID = np.linspace(0.0, 1.0, 201)  # where curves of several seeds are averaged


@dataclass(frozen=True)
class Spread:
    """A number over the seeds: mean, lowest, highest; nan where no seed defines it."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Band:
    """A curve over the seeds; all float64 of shape (points,)."""

    x: Floats
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class ClassScores:
    """One class against the rest, of one model, on the test images.

    Attributes
    ----------
    index : the class; `images` : how many test images it has
    precision : correct share of the images that are called so; nan where none is
    recall : share of its images that are found
    f1 : their harmonic mean
    roc_area : area under the ROC curve (Fawcett 2006), ties counting half
    average_precision : Σ (recall_i − recall_{i−1})·precision_i, as in scikit-learn
    roc : true-positive rate over the false-positive rate
    pr : precision over recall, the highest that is reached with at least that recall
    """

    index: int
    images: int
    precision: Spread
    recall: Spread
    f1: Spread
    roc_area: Spread
    average_precision: Spread
    roc: Band
    pr: Band


def class_scores(comparison: Comparison, model: str) -> tuple[ClassScores | None, ...]:
    """Return each class's scores; None for a class that has no test image, or nothing else."""
    probabilities, labels = comparison.probabilities[model], comparison.labels
    predicted = np.stack([metrics.predictions(each) for each in probabilities])
    # Without a prediction an image is the last to be taken for anything.
    finite = np.isfinite(probabilities).all(axis=2, keepdims=True)
    scores = np.where(finite, probabilities, -1.0)
    found: list[ClassScores | None] = []
    for k in range(probabilities.shape[2]):
        truth = labels == k
        if not truth.any() or truth.all():
            found.append(None)
            continue
        hits = ((predicted == k) & truth).sum(axis=1)
        called, images = (predicted == k).sum(axis=1), int(truth.sum())
        precision = np.divide(hits, called, out=np.full(len(hits), np.nan), where=called > 0)
        curves = [one_curve(each[:, k], truth) for each in scores]
        found.append(
            ClassScores(
                index=k,
                images=images,
                precision=_spread(precision),
                recall=_spread(hits / images),
                f1=_spread(2 * hits / (called + images)),
                roc_area=_spread(np.array([each.roc_area for each in curves])),
                average_precision=_spread(np.array([each.average_precision for each in curves])),
                roc=_band([each.roc for each in curves]),
                pr=_band([each.pr for each in curves]),
            )
        )
    return tuple(found)


@dataclass(frozen=True, eq=False)
class OneCurve:
    """The two curves of one seed on the common grid, float64 (201,), and their areas."""

    roc: Floats
    pr: Floats
    roc_area: float
    average_precision: float


def one_curve(scores: NDArray[np.floating], truth: NDArray[np.bool_]) -> OneCurve:
    """Return ROC and precision-recall curve of one score, both shape (n_images,).

    Images of equal score are taken together, so their order does not matter.
    """
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # of equal scores
    true_positives, taken = hits[last].astype(np.float64), last + 1.0
    recall = np.concatenate([[0.0], true_positives / hits[-1]])
    alarms = np.concatenate([[0.0], (taken - true_positives) / (len(truth) - hits[-1])])
    precision = true_positives / taken
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.searchsorted(recall[1:], GRID - 1e-12)
    # Of several points above one false-alarm rate the highest counts.
    at = np.searchsorted(alarms, GRID, side="right") - 1
    following = np.minimum(at + 1, len(alarms) - 1)
    width = alarms[following] - alarms[at]
    part = np.divide(GRID - alarms[at], width, out=np.zeros_like(GRID), where=width > 0)
    return OneCurve(
        roc=recall[at] + part * (recall[following] - recall[at]),
        pr=best_from_here[np.minimum(steps, len(precision) - 1)],
        roc_area=float(np.trapezoid(recall, alarms)),
        average_precision=float(np.sum(np.diff(recall) * precision)),
    )


def _spread(values: Floats) -> Spread:
    known = values[np.isfinite(values)]
    if not len(known):
        return Spread(np.nan, np.nan, np.nan)
    return Spread(float(known.mean()), float(known.min()), float(known.max()))


def _band(curves: list[Floats]) -> Band:
    table = np.stack(curves)
    return Band(GRID, table.mean(axis=0), table.min(axis=0), table.max(axis=0))
