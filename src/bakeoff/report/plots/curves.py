"""What happened while a model trained: losses, accuracies and learning rates, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.report.plots.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    corner,
    find,
    legend,
    log_axis,
    panels,
    percent_axis,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bakeoff.analysis.comparison import Comparison, ModelResult

Panel = Literal["loss", "accuracy"]
Floats = NDArray[np.float64]

_MOST_POINTS = 400  # of a curve: more cannot be seen
_LOG_FROM = 20.0  # a loss that shrinks by more than this is drawn on a logarithmic axis


@dataclass(frozen=True)
class Curve:
    """One column of the histories, over the seeds; all float64 of shape (epochs,).

    `mean`, `low` and `high` are taken over the seeds whose value is finite in that epoch; nan
    where there is none. An epoch counts from 0.
    """

    epochs: Floats
    mean: Floats
    low: Floats
    high: Floats


def curve(histories: Sequence[Mapping[str, NDArray[np.float64]]], column: str) -> Curve | None:
    """Return a column's mean and range over the seeds; None where no epoch has a value."""
    longest = max((len(history["epoch"]) for history in histories), default=0)
    table = np.full((len(histories), longest), np.nan)
    for row, history in zip(table, histories, strict=True):
        row[: len(history[column])] = history[column]
    finite = np.isfinite(table)
    if not finite.any():
        return None
    count = finite.sum(axis=0)
    total = np.where(finite, table, 0.0).sum(axis=0)
    seen = count > 0
    mean = np.divide(total, count, out=np.full(longest, np.nan), where=seen)
    low = np.where(seen, np.where(finite, table, np.inf).min(axis=0), np.nan)
    high = np.where(seen, np.where(finite, table, -np.inf).max(axis=0), np.nan)
    return Curve(np.arange(longest, dtype=np.float64), mean, low, high)


@styled
def learning_curves(
    comparison: Comparison,
    model: str | None = None,
    *,
    show: Sequence[Panel] = ("loss", "accuracy"),
) -> Figure:
    """Draw loss and accuracy by epoch, for the training and the validation part.

    A line is the mean over the seeds and its band reaches from the lowest to the highest seed; a
    dot stands where a seed's epoch was selected. The loss is the training objective: it includes
    weight penalties, and then the validation loss without them is drawn too. `model` may be left
    out where there is only one.
    """
    result = find(comparison, model)
    figure, axes = panels(len(show))
    for panel, each in zip(axes, show, strict=True):
        _draw_curves(panel, result, each)
    return figure


@styled
def learning_rate(comparison: Comparison, model: str | None = None) -> Figure:
    """Draw the learning rate by epoch."""
    result = find(comparison, model)
    figure, (axes,) = panels()
    rates = curve(result.histories, "learning_rate")
    if rates is not None:
        axes.plot(rates.epochs, rates.mean, color=INK, drawstyle="steps-mid")
        if rates.mean.max() > _LOG_FROM * rates.mean.min() > 0:
            log_axis(axes.yaxis, unit=lambda value: f"{value:g}")
        else:
            axes.set_ylim(bottom=0, top=1.08 * float(rates.mean.max()))
    corner(axes, "learning rate")
    _epoch_axis(axes, result)
    return figure


def is_constant(result: ModelResult) -> bool:
    """Say whether the model trained with one learning rate all the time."""
    rates = [history["learning_rate"] for history in result.histories]
    return all(len(each) == 0 or bool((each == rates[0][0]).all()) for each in rates)


def penalised(result: ModelResult) -> bool:
    """Say whether the losses that were trained on include weight penalties."""
    with_penalty = curve(result.histories, "val_loss")
    without = curve(result.histories, "val_cross_entropy")
    if with_penalty is None or without is None:
        return False
    return bool(np.nanmax(np.abs(with_penalty.mean - without.mean)) > 1e-5)


def _draw_curves(axes: Axes, result: ModelResult, panel: Panel) -> None:
    training, validation = ("loss", "val_loss") if panel == "loss" else ("accuracy", "val_accuracy")
    drawn = [
        line
        for line in (
            _line(axes, result, training, "training", ORANGE, (0, (4, 1.6))),
            _line(axes, result, validation, "validation", BLUE, "solid"),
        )
        if line is not None
    ]
    if panel == "loss" and penalised(result):
        _line(axes, result, "val_cross_entropy", "without penalty", GREEN, (0, (1, 1.4)))
    has_validation = curve(result.histories, validation) is not None
    _mark_selected(axes, result, validation if has_validation else training)
    _epoch_axis(axes, result)
    values = np.concatenate([each.mean for each in drawn]) if drawn else np.array([np.nan])
    values = values[np.isfinite(values)]
    if panel == "accuracy":
        percent_axis(axes.yaxis)
    elif len(values) and values.max() > _LOG_FROM * values.min() > 0:
        log_axis(axes.yaxis)
    if drawn:
        legend(axes)
    corner(axes, panel)


def _line(
    axes: Axes, result: ModelResult, column: str, label: str, color: str, dash: object
) -> Curve | None:
    line = curve(result.histories, column)
    if line is None:
        return None
    keep = np.unique(np.linspace(0, len(line.epochs) - 1, _MOST_POINTS).round().astype(int))
    epochs = line.epochs[keep]
    alone = len(epochs) == 1
    axes.plot(
        epochs,
        line.mean[keep],
        color=color,
        linestyle=dash,
        label=label,
        marker="_" if alone else None,
    )
    if len(result.histories) > 1:
        axes.fill_between(
            epochs, line.low[keep], line.high[keep], color=color, alpha=0.16, linewidth=0
        )
    return line


def _mark_selected(axes: Axes, result: ModelResult, column: str) -> None:
    points = [
        (epoch, history[column][epoch])
        for epoch, history in zip(result.selected_epochs, result.histories, strict=True)
        if epoch is not None
        and epoch < len(history[column])
        and np.isfinite(history[column][epoch])
    ]
    if points:
        x, y = zip(*points, strict=True)
        color = BLUE if column.startswith("val") else ORANGE
        axes.plot(x, y, "o", color=color, markersize=4.5, label="selected", alpha=0.9, zorder=5)


def _epoch_axis(axes: Axes, result: ModelResult) -> None:
    from matplotlib.ticker import MaxNLocator

    last = max((len(history["epoch"]) for history in result.histories), default=1) - 1
    axes.set_xlim(-0.02 * last - 0.2, 1.02 * last + 0.2)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    axes.set_xlabel("epoch (the first is 0)", color=MUTED, labelpad=3)
