"""What came out on the test images: accuracies, costs, calibration, sources of variance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from bakeoff.errors import UsageError
from bakeoff.report.plots.labels import Point, label_points, shorten
from bakeoff.report.plots.style import (
    BLUE,
    FONT,
    GREEN,
    INK,
    LINE,
    MUTED,
    ORANGE,
    corner,
    find,
    legend,
    log_axis,
    name_margin,
    panels,
    percent_axis,
    spread,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bakeoff.analysis.comparison import Comparison, ModelResult, Score

_MOST_CLASSES = 30
_SOURCES = (("images", BLUE), ("seeds", ORANGE), ("both at once", GREEN))


@styled
def accuracy_dots(comparison: Comparison) -> Figure:
    """Draw every model's test accuracy: a dot a seed, the 95 % interval, the mean, the letters."""
    rows = [(model.name, model.accuracy, model.group) for model in comparison.models]
    recommended = comparison.recommended
    figure, axes = _dot_rows(rows, strong=recommended.model if recommended else None)
    corner(axes, "test accuracy")
    return figure


@styled
def per_class(comparison: Comparison, model: str | None = None) -> Figure:
    """Draw a model's accuracy in each class, with its seeds and interval, the worst class first.

    Of more than thirty classes the thirty worst are drawn.
    """
    result = find(comparison, model)
    rows = [
        (comparison.class_names[k], score, "") for k, score in worst_classes(result, _MOST_CLASSES)
    ]
    figure, axes = _dot_rows(rows)
    corner(axes, f"{result.name}: accuracy by class")
    return figure


def worst_classes(result: ModelResult, most: int) -> list[tuple[int, Score]]:
    """Return the classes with the lowest accuracy, the worst first, without those of no image."""
    scored = [(k, score) for k, score in enumerate(result.per_class_accuracy) if score is not None]
    return sorted(scored, key=lambda pair: pair[1].mean)[:most]


@styled
def accuracy_against_parameters(comparison: Comparison) -> Figure:
    """Draw accuracy against size; the line joins the models that no smaller one beats."""
    sizes = {model.name: float(model.parameters) for model in comparison.models}
    return _against(comparison, sizes, "parameters", lambda value: f"{value:,.0f}")


@styled
def accuracy_against_time(
    comparison: Comparison, *, kind: Literal["training", "prediction"] = "training"
) -> Figure:
    """Draw accuracy against the seconds of training one trial, or of predicting the test images.

    Models without a clock are left out; UsageError where no model has one.
    """
    field = "seconds_per_trial" if kind == "training" else "prediction_seconds"
    clocks = {model.name: getattr(model, field) for model in comparison.models}
    times = {name: seconds for name, seconds in clocks.items() if seconds}
    if not times:
        raise UsageError(f"expected clocks of {kind}, found none: the study did not record them")
    what = "training one trial" if kind == "training" else "predicting the test images"
    return _against(comparison, times, f"time of {what}", lambda value: f"{value:g} s")


@styled
def calibration(comparison: Comparison, model: str | None = None) -> Figure:
    """Draw how often a model was right against how sure it was, over all its seeds together.

    On the diagonal, of the images answered with 80 % confidence, 80 % are right. The bars below
    show what share of the images was answered with that confidence; a bin with fewer than ten
    answers a seed is too small to judge and gets no dot.
    """
    result = find(comparison, model)
    figure, (axes,) = panels(right=0.22)
    curves = result.calibration
    counts = np.sum([each.counts for each in curves], axis=0)
    hits = np.nansum([each.counts * np.nan_to_num(each.accuracy) for each in curves], axis=0)
    sure = np.nansum([each.counts * np.nan_to_num(each.confidence) for each in curves], axis=0)
    edges = curves[0].edges
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="exact")
    share = counts / max(1, counts.sum())
    axes.bar(edges[:-1], 0.25 * share, width=np.diff(edges), align="edge", color=LINE, zorder=1)
    enough = counts >= 10 * len(curves)
    if enough.any():
        x, y = sure[enough] / counts[enough], hits[enough] / counts[enough]
        axes.plot(x, y, "o-", color=BLUE, markersize=4.5, label="seen")
    axes.set_xlim(0, 1.01)
    axes.set_ylim(0, 1.02)
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    axes.set_xticks([0.25, 0.5, 0.75, 1.0])
    axes.set_xlabel("confidence in the answer", color=MUTED, labelpad=3)
    legend(axes)
    corner(axes, "right answers")
    return figure


@styled
def variance(comparison: Comparison) -> Figure:
    """Draw where each accuracy's uncertainty comes from: shares of its squared standard error.

    More test images shrink the first part, more seeds the second, either the third. Models with
    one seed cannot tell, and are left out.
    """
    rows = [(model.name, variance_shares(model)) for model in comparison.models]
    known = [(name, shares) for name, shares in rows if shares is not None]
    left = name_margin([name for name, _ in known] or ["-"])
    height = 0.95 + 0.32 * max(1, len(known))
    figure, (axes,) = panels(width=6.4, height=height, left=left, right=0.3)
    start = np.zeros(len(known))
    for part, (label, color) in enumerate(_SOURCES):
        width = np.array([shares[part] for _, shares in known])
        axes.barh(range(len(known)), width, left=start, color=color, height=0.62, label=label)
        start = start + width
    _name_rows(axes, [name for name, _ in known])
    axes.set_xlim(0, 1)
    percent_axis(axes.xaxis)
    legend(axes)
    return figure


def variance_shares(result: ModelResult) -> tuple[float, float, float] | None:
    """Return the shares of the images, the seeds and both at once in V; None where unknown."""
    accuracy = result.accuracy.estimate
    if accuracy.seed_variance is None or accuracy.noise_variance is None:
        return None
    parts = (accuracy.image_variance, accuracy.seed_variance, accuracy.noise_variance)
    total = sum(parts)
    return None if total <= 0 else (parts[0] / total, parts[1] / total, parts[2] / total)


def frontier(points: Sequence[Point]) -> list[str]:
    """Return the names that no cheaper one equals or beats, cheapest first."""
    names, best = [], -np.inf
    for name, _, accuracy in sorted(points, key=lambda point: (point[1], -point[2])):
        if accuracy > best:
            names.append(name)
            best = accuracy
    return names


def _dot_rows(
    rows: Sequence[tuple[str, Score, str]], *, strong: str | None = None
) -> tuple[Figure, Axes]:
    """Draw one row a score: dots, interval, mean; the first row on top."""
    names = [name for name, _, _ in rows]
    left, right = name_margin(names), 0.3 + 0.09 * max(len(group) for _, _, group in rows)
    height = 0.9 + 0.34 * len(rows)
    figure, (axes,) = panels(width=6.4, height=height, left=left, right=right)
    for row, (name, score, group) in enumerate(rows):
        color = BLUE if name == strong or strong is None else INK
        low, high = score.estimate.low, score.estimate.high
        axes.plot([low, high], [row, row], color=color, linewidth=2.2)
        axes.plot(
            score.per_seed, row + spread(len(score.per_seed), width=0.34), "o",
            color=color, alpha=0.45, markersize=4.5, markeredgewidth=0,
        )  # fmt: skip
        axes.plot([score.mean], [row], "|", color=color, markersize=13, markeredgewidth=2.2)
        axes.text(1.02, row, group, transform=axes.get_yaxis_transform(), va="center", color=INK)
    _name_rows(axes, names)
    percent_axis(axes.xaxis)
    return figure, axes


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [shorten(name) for name in names])
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.tick_params(axis="y", labelcolor=INK, labelsize=FONT)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def _against(
    comparison: Comparison, costs: dict[str, float], label: str, unit: Callable[[float], str]
) -> Figure:
    figure, (axes,) = panels(width=4.7, height=3.0, left=0.66, right=0.34)
    models = [model for model in comparison.models if model.name in costs]
    points = [(model.name, costs[model.name], model.accuracy.mean) for model in models]
    best = frontier(points)
    place = {name: (x, y) for name, x, y in points}
    edge = [place[name] for name in best]
    if len(edge) > 1:
        xs, ys = zip(*edge, strict=True)
        axes.plot(xs, ys, color=LINE, linewidth=5, solid_joinstyle="round", zorder=1)
    for model in models:
        x, y = place[model.name]
        color = BLUE if model.name in best else MUTED
        low, high = model.accuracy.estimate.low, model.accuracy.estimate.high
        axes.plot([x, x], [low, high], color=color, linewidth=1.4)
        axes.plot([x], [y], "o", color=color, markersize=6.5)
    values = [cost for _, cost, _ in points]
    low, high = min(values), max(values)
    axes.set_xlim(low / 1.6, high * 1.6)
    log_axis(axes.xaxis, unit=unit)
    percent_axis(axes.yaxis)
    axes.set_xlabel(label + " (log scale)", color=MUTED, labelpad=3)
    corner(axes, "test accuracy")
    bars = [(m.accuracy.estimate.low, m.accuracy.estimate.high) for m in models]
    label_points(axes, points, bars, best)
    return figure
