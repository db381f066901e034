"""Confusion matrices and the matrix of verdicts: coloured squares with numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.class_mistakes import row_rates
from bakeoff.errors import UsageError
from bakeoff.report.plots.figure import (
    BLUE,
    INK,
    LINE,
    MOST_CLASSES,
    MUTED,
    ORANGE,
    PAPER,
    Figure,
    field,
    figure,
    find,
    tip,
)
from bakeoff.report.words.short_names import short_labels
from bakeoff.report.words.wording import VERDICTS
from bakeoff.utils.text import percent, signed_points

if TYPE_CHECKING:
    from bakeoff.analysis.comparison import Comparison
    from bakeoff.analysis.verdicts import Pair

_PADDING = {"left": 16, "right": 40, "top": 4, "bottom": 4}  # a page's letters may be wider
MOST_MODELS = 30  # a matrix of a hundred is as wide as six pages, and most of a report’s bytes
_DEEPEST = 0.5  # opacity of the fullest square: numbers on it keep a contrast of 4.5 to 1
_COLORS = {"better": BLUE, "worse": ORANGE, "practically equal": MUTED}
_OPPOSITE = {"better": "worse", "worse": "better"}


def confusion(
    comparison: Comparison, model: str | None = None, *, diagonal: bool = True, rates: bool = False
) -> Figure:
    """Draw a model's confusion matrix, true class by predicted class, as the mean over its seeds.

    Without the diagonal the colours show the mistakes alone. Numbers are images, or with `rates`
    percent of the true class's images. Of more than twenty classes, those with the most mistakes,
    as the true or the predicted class; the other columns are left out.
    """
    result = find(comparison, model)
    chosen = _worst(result.confusion, MOST_CLASSES)
    images = np.bincount(comparison.labels, minlength=len(result.confusion))
    shares = row_rates(result.confusion, images)[np.ix_(chosen, chosen)]
    counts = result.confusion[np.ix_(chosen, chosen)].astype(np.float64)
    names = [comparison.class_names[k] for k in chosen]
    shown = 100 * shares if rates else counts.copy()
    if not diagonal:
        np.fill_diagonal(shown, 0.0)
    most = max(1e-9, float(shown.max(initial=0.0)))
    short = short_labels(comparison.class_names, most=14)
    labels = [short[k] for k in chosen]
    side = _side(len(labels))
    small = side < 22  # there, a number of three digits and a point runs into its neighbour
    rows = [
        {
            "truth": labels[i], "predicted": labels[j], "share": value / most,
            "text": _number(value, whole=99.95 if rates and not small else 9.95),
            "tip": f"{names[i]} predicted as {names[j]} · {counts[i, j]:.1f} images · "
            f"{percent(float(shares[i, j]))} of {names[i]}",
        }
        for (i, j), value in np.ndenumerate(shown)
        if value > 0
    ]  # fmt: skip
    title = "Predictions, percent of the true class" if rates else "Predictions, images"
    if not diagonal:
        title = "Mistakes alone, percent of the true class" if rates else "Mistakes alone, images"
    note = "" if len(chosen) == len(result.confusion) else " (classes with the most mistakes)"
    return figure(
        {
            "title": title + note,
            "width": {"step": side},
            "height": {"step": side},
            "data": {"values": rows},
            "encoding": {
                "x": _classes("predicted", labels, "top"),
                "y": _classes("truth", labels, "left"),
            },
            "layer": _squares(BLUE if diagonal else ORANGE, 10.5 if side > 26 else 8.5),
        },
        alt=f"Confusion matrix of {result.name}: true class by predicted class, "
        f"mean of {len(result.seeds)} {result.unit}s.",
        width=None,
    )


def verdict_matrix(comparison: Comparison) -> Figure:
    """Draw the verdict on each row's model against each column's, with the difference in points.

    Of more than thirty models, the best thirty. Raises UsageError if there is but one.
    """
    if len(comparison.models) < 2:
        raise UsageError(
            "expected at least two models, between which there are verdicts, found one"
        )
    names = [model.name for model in comparison.models[:MOST_MODELS]]
    labels = short_labels(names, most=18)
    left_out = len(comparison.models) > len(names)
    best = f", the best {len(names)} of {len(comparison.models)}" if left_out else ""
    shown = frozenset(names)
    found = {(p.a, p.b): p for p in comparison.pairs if p.a in shown and p.b in shown}
    rows = [
        _verdict_cell(a, pair) | {"row": row, "column": column}
        for a, row in zip(names, labels, strict=True)
        for b, column in zip(names, labels, strict=True)
        if (pair := found.get((a, b)) or found.get((b, a)))
    ]
    own = {"color": {"field": "color", "type": "nominal", "scale": None}}
    dense = len(names) > 6
    return figure(
        {
            "padding": _PADDING,
            "width": {"step": 62 if dense else 74},
            "height": {"step": 26},
            "data": {"values": rows},
            "encoding": {
                "x": _classes("column", labels, "top", title=None),
                "y": _classes("row", labels, "left", title=None),
            },
            "layer": [
                {
                    "mark": {"type": "rect", "stroke": PAPER, "strokeWidth": 2},
                    "encoding": {**own, "opacity": {"field": "opacity", "scale": None}, **tip()},
                },
                {
                    "mark": {"type": "text", "fontSize": 11, "color": INK},
                    "encoding": {"text": {"field": "text"}},
                },
            ],
        },
        alt=f"Each row’s model against each column’s{best}: "
        + "; ".join(f"{a} {p.verdict or 'no verdict'} {b}" for (a, b), p in found.items())
        + ".",
        width=None,
    )


def _verdict_cell(name: str, pair: Pair) -> dict[str, Any]:
    """Return what is said of a model against the other one of a pair."""
    word, difference = seen_from(pair, name)
    said = "" if difference is None else signed_points(difference)
    other = pair.b if pair.a == name else pair.a
    return {
        "text": f"{VERDICTS.get(word or '', '–')} {said}".strip(),
        "color": _COLORS.get(word or "", LINE),
        "opacity": 0.25 if word in _COLORS else 0.35,
        "tip": f"{name} against {other} · {word or 'no verdict'} · {said} points",
    }


def seen_from(pair: Pair, name: str) -> tuple[str | None, float | None]:
    """Return a pair's verdict and difference as said of its model `name` against the other."""
    difference = pair.test.difference if pair.test else None
    if name == pair.a or pair.verdict is None:
        sign = 1 if name == pair.a else -1
        return pair.verdict, None if difference is None else sign * difference
    return _OPPOSITE.get(pair.verdict, pair.verdict), None if difference is None else -difference


def _worst(matrix: NDArray[np.float64], most: int) -> list[int]:
    """Return the classes with the most mistakes, in their own order."""
    if len(matrix) <= most:
        return list(range(len(matrix)))
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:most]
    return sorted(int(k) for k in order)


def _classes(name: str, labels: list[str], orient: str, title: str | None = "") -> dict[str, Any]:
    axis: dict[str, Any] = {
        "orient": orient, "grid": False, "domain": False, "labelColor": INK, "labelFontSize": 11,
    }  # fmt: skip
    if orient == "top":
        wide = max(map(len, labels), default=0) > (2 if title == "" else 9)
        axis["labelAngle"] = -45 if wide else 0
    words = {"predicted": "predicted class", "truth": "true class"}.get(name)
    scale = {"domain": labels}
    coded = field(name, "nominal", sort=labels, axis=axis, scale=scale)
    return {**coded, "title": words if title == "" else None}


def _squares(color: str, size: float) -> list[dict[str, Any]]:
    return [
        {
            "mark": {"type": "rect", "color": color},
            "encoding": {
                "opacity": field(
                    "share", legend=None, scale={"domain": [0, 1], "range": [0.06, _DEEPEST]}
                ),
                **tip(),
            },
        },
        {
            "mark": {"type": "text", "fontSize": size, "color": INK},
            "encoding": {"text": {"field": "text"}},
        },
    ]  # fmt: skip


def _side(classes: int) -> int:
    """Return the pixels of one square, so that a matrix of any size is about as wide."""
    return max(18, min(32, 300 // max(1, classes)))


def _number(value: float, *, whole: float) -> str:
    return f"{value:,.0f}" if value >= whole else f"{value:.1f}"
