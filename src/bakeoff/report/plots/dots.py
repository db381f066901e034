"""Figures of test accuracies: a row a model or a class, a dot a seed, the interval, the mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.class_mistakes import worst_classes
from bakeoff.analysis.wording import baseline_in_words
from bakeoff.report.plots.figure import (
    BLUE,
    INK,
    MOST_CLASSES,
    MUTED,
    TITLE,
    WIDTH,
    Figure,
    field,
    figure,
    find,
    names_axis,
    percent_axis,
    tip,
)
from bakeoff.report.words.short_names import short_labels
from bakeoff.utils.text import percent

if TYPE_CHECKING:
    from bakeoff.analysis.comparison import Comparison, ModelResult
    from bakeoff.analysis.estimates import Estimate

_ROW = 30  # pixels of a row of dots


def accuracy_dots(comparison: Comparison, *, width: int = 640) -> Figure:
    """Draw every model's test accuracy: a dot a seed, the 95 % interval, the mean, the letters.

    The baselines stand below, with their intervals and without dots.
    """
    strong = comparison.to_use
    most = 24 if width > 400 else 19
    names = [m.name for m in comparison.models] + [
        baseline_in_words(b.name) for b in comparison.baselines
    ]
    short = short_labels(names, most=most)
    rows = [
        _Row(label + (f"  ({m.group})" if m.group else ""), m.accuracy.estimate,
             m.accuracy.per_seed, _dots(m), BLUE if m.name == strong else INK, m.name)
        for m, label in zip(comparison.models, short, strict=False)
    ] + [
        _Row(label, b.accuracy, (), (), MUTED, baseline_in_words(b.name))
        for b, label in zip(comparison.baselines, short[len(comparison.models) :], strict=True)
    ]  # fmt: skip
    said = [
        f"{m.name} {_scored(m.accuracy.estimate)}{', group ' if m.group else ''}{m.group}"
        for m in comparison.models
    ]
    said += [
        f"baseline {baseline_in_words(b.name)} {_scored(b.accuracy)}" for b in comparison.baselines
    ]
    return figure(
        _dot_rows(rows),
        alt=f"Test accuracy with 95 % intervals: {'; '.join(said)}.",
        width=width,
    )


def per_class(comparison: Comparison, model: str | None = None, *, width: int = WIDTH) -> Figure:
    """Draw a model's accuracy in each class, with its seeds and interval, the worst class first.

    Of more than twenty classes the twenty worst are drawn.
    """
    result = find(comparison, model)
    worst = worst_classes(result, MOST_CLASSES)
    names = comparison.class_names
    labels = short_labels(names, most=18)
    rows = [
        _Row(
            *(labels[k], score.estimate, score.per_seed, _dots(result)),
            *(BLUE, names[k]),
        )
        for k, score in worst
    ]
    said = [f"{names[k]} {_scored(score.estimate)}" for k, score in worst]
    drawn = _dot_rows(rows, row=20)
    return figure(
        {**drawn, "height": drawn["height"] + TITLE, "title": "Accuracy by class"},
        alt=f"Accuracy of {result.name} by class, the worst first: {'; '.join(said)}.",
        width=width,
    )


@dataclass(frozen=True)
class _Row:
    """One score of a dot plot; `name` is what its marks are called, `label` what stands beside."""

    label: str
    estimate: Estimate
    values: Sequence[float]  # one a seed
    dots: Sequence[str]  # what each value is of: "seed 3"
    color: str
    name: str


def _dot_rows(rows: Sequence[_Row], *, row: int = _ROW) -> dict[str, Any]:
    """Return one row a score: dots, interval, mean; the first row on top."""
    labels = [each.label for each in rows]
    low, high = _reach(rows)
    away, lines, dots = [], [], []
    for label, each in zip(labels, rows, strict=True):
        if each.estimate.high < low:
            away.append(_arrow(label, each, low))
        else:
            lines.append(_interval(label, each, low))
            dots += _seeds(label, each)
    y = field("row", "nominal", sort=labels, axis=names_axis(labels), scale={"domain": labels})
    x = field("low", scale={"domain": [low, high], "nice": False}, axis=percent_axis())
    own = {"color": {"field": "color", "type": "nominal", "scale": None}}
    return {
        "height": 34 + row * len(labels),
        "encoding": {"y": y},
        "layer": [
            {
                "data": {"values": lines},
                "mark": {"type": "rule", "strokeWidth": 2.4},
                "encoding": {"x": x, "x2": {"field": "high"}, **own, **tip()},
            },
            {
                "data": {"values": dots},
                "mark": {"type": "point", "filled": True, "size": 34, "opacity": 0.5},
                "encoding": {
                    "x": {**x, "field": "value"},
                    "yOffset": {
                        "field": "offset", "type": "quantitative", "scale": {"domain": [-0.5, 0.5]},
                    },
                    **own,
                    **tip(),
                },
            },
            {
                "data": {"values": lines},
                "mark": {"type": "tick", "thickness": 2.6, "size": row * 0.55, "opacity": 1},
                "encoding": {"x": {**x, "field": "mean"}, **own, **tip()},
            },
            {
                "data": {"values": away},
                "mark": {"type": "text", "align": "left", "dx": 4, "color": MUTED},
                "encoding": {"x": x, "text": {"field": "text"}, **tip()},
            },
        ],
    }  # fmt: skip


def _arrow(label: str, score: _Row, low: float) -> dict[str, Any]:
    """Return the words that stand for a score left of the scale, which begins at `low`."""
    mean = score.estimate.mean
    about = f"{score.name} · mean {_scored(score.estimate)}"
    return {"row": label, "low": low, "text": f"◂ {percent(mean)}", "tip": about}


def _interval(label: str, score: _Row, low: float) -> dict[str, Any]:
    """Return a score's interval and mean, the interval cut off where the scale begins."""
    found = score.estimate
    return {
        "row": label, "low": max(low, found.low), "high": found.high, "mean": found.mean,
        "tip": f"{score.name} · mean {_scored(found)}", "color": score.color,
    }  # fmt: skip


def _seeds(label: str, score: _Row) -> list[dict[str, Any]]:
    """Return one dot a seed, spread so that none hides another."""
    offsets = spread(len(score.values), width=0.6).tolist()
    return [
        {"row": label, "value": value, "offset": offset, "color": score.color,
         "tip": f"{score.name} · {dot} · {percent(value)}"}
        for value, offset, dot in zip(score.values, offsets, score.dots, strict=True)
    ]  # fmt: skip


def spread(count: int, *, width: float) -> NDArray[np.float64]:
    """Return fixed small offsets, so that dots of equal value do not hide each other."""
    if count < 2:
        return np.zeros(count)
    order = (np.arange(count) * 7) % count if count % 7 else np.arange(count)
    offsets: NDArray[np.float64] = width * (order / (count - 1) - 0.5)
    return offsets


def _dots(result: ModelResult) -> list[str]:
    return [f"{result.unit} {seed}" for seed in result.seeds]


def _reach(rows: Sequence[_Row]) -> tuple[float, float]:
    """Return from where to where the scale goes: a baseline that is far below may be off it.

    One that is above never is: where models do not reach it, that is what the picture shows.
    """
    scored = [each for each in rows if each.values] or list(rows)
    ends = [
        value
        for each in scored
        for value in (each.estimate.low, each.estimate.high, *each.values)
        if np.isfinite(value)
    ]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    near = low - max(high - low, 0.02)
    others = [each.estimate.low for each in rows if not each.values and each.estimate.mean >= near]
    low = min([low, *others])
    high = max([high, *(each.estimate.high for each in rows if np.isfinite(each.estimate.high))])
    pad = 0.04 * (high - low) or 0.01
    return max(0.0, low - pad), min(1.0, high + pad)


def _scored(estimate: Estimate) -> str:
    return f"{percent(estimate.mean)} ({percent(estimate.low)} to {percent(estimate.high)})"
