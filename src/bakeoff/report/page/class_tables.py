"""Tables by class: each model's share found, and precision, recall, F1 and areas of one model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bakeoff.analysis.class_scores import ClassScores, Spread
from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.report.plots.figure import MOST_CLASSES
from bakeoff.report.words.short_names import short_labels
from bakeoff.utils.text import percent

MOST_MODELS = 12  # columns
SHADES = 10


@dataclass(frozen=True)
class Cell:
    """A number of a table: its text, what a pointer reads there, its value, its shade (0 … 10)."""

    text: str
    tip: str
    value: str
    shade: int = 0


@dataclass(frozen=True)
class ClassTable:
    """Rows of cells, each with its class's name; `left_out` classes are not shown."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[Cell, ...]], ...]  # class, images, cells
    left_out: int


def found_by_model(comparison: Comparison) -> ClassTable:
    """Return, for every class and model, which share of the class's test images it finds.

    The classes in which the models are worst stand first; a higher shade means that more is missed.
    """
    models = comparison.models[:MOST_MODELS]
    images = np.bincount(comparison.labels, minlength=len(comparison.class_names))
    there = [k for k, count in enumerate(images) if count]
    means = {
        k: float(np.mean([s.mean for m in models if (s := m.per_class_accuracy[k]) is not None]))
        for k in there
    }
    order = sorted(there, key=lambda k: (means[k], k))[:MOST_CLASSES]
    sound = [model for model in models if not model.failed] or models  # else all others are pale
    found = [score for m in sound for k in order if (score := m.per_class_accuracy[k]) is not None]
    largest = max((1 - score.mean for score in found), default=0.0)
    rows = [
        (
            comparison.class_names[k],
            f"{images[k]:,}",
            tuple(_found(comparison, model, k, largest) for model in models),
        )
        for k in order
    ]
    heads = tuple(short_labels([model.name for model in models], most=14))
    return ClassTable(heads, tuple(rows), len(there) - len(order))


def _found(comparison: Comparison, model: ModelResult, k: int, largest: float) -> Cell:
    """Return which share of class `k` a model finds; `largest` is what any model misses of any."""
    score = model.per_class_accuracy[k]
    assert score is not None  # the class has test images
    low, high = percent(score.estimate.low), percent(score.estimate.high)
    seeds = ", ".join(percent(value) for value in score.per_seed)
    return Cell(
        text=f"{100 * score.mean:.1f}",
        tip=f"{model.name} · {comparison.class_names[k]} · 95 % interval {low} to {high} · "
        f"{model.unit}s {seeds}",
        value=repr(score.mean),
        shade=_shade(1 - score.mean, largest),
    )


def about_found_by_model(comparison: Comparison) -> str:
    """Say what `found_by_model` holds, and of how many models."""
    text = (
        "Percent of each class’s test images that a model finds (recall); the stronger the colour, "
        "the more it misses."
    )
    if len(comparison.models) > MOST_MODELS:
        text += f" Of {len(comparison.models)} models, the {MOST_MODELS} with the highest accuracy."
    return text


def by_class(comparison: Comparison, scores: tuple[ClassScores | None, ...]) -> ClassTable:
    """Return precision, recall, F1 and the two areas of one model, the lowest F1 first."""
    known = [each for each in scores if each is not None]
    shown = sorted(known, key=lambda each: (np.nan_to_num(each.f1.mean), each.index))
    rows = []
    unit = comparison.unit
    for each in shown[:MOST_CLASSES]:
        name = comparison.class_names[each.index]
        cells = [
            _percent(f"{name} · precision", each.precision, unit),
            _percent(f"{name} · recall", each.recall, unit),
            _percent(f"{name} · F1", each.f1, unit),
            _area(f"{name} · area under the ROC curve", each.roc_area, unit),
            _area(f"{name} · area under the precision-recall curve", each.average_precision, unit),
        ]
        rows.append((name, f"{each.images:,}", tuple(cells)))
    heads = ("Precision", "Recall", "F1", "ROC area", "PR area")
    return ClassTable(heads, tuple(rows), len(known) - min(len(known), MOST_CLASSES))


def _percent(what: str, spread: Spread, unit: str) -> Cell:
    if not np.isfinite(spread.mean):
        return Cell("–", f"{what}: no image is called so", "")
    tip = f"{what} · {unit}s {percent(spread.low)} to {percent(spread.high)}"
    return Cell(f"{100 * spread.mean:.1f}", tip, repr(spread.mean))


def _area(what: str, spread: Spread, unit: str) -> Cell:
    tip = f"{what} · {unit}s {spread.low:.4f} to {spread.high:.4f}"
    return Cell(f"{spread.mean:.4f}", tip, repr(spread.mean))


def _shade(missed: float, largest: float) -> int:
    if largest <= 0 or missed <= 0:
        return 0
    return min(SHADES, max(1, round(SHADES * missed / largest)))
