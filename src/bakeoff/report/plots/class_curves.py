"""How well each class is told from all others: ROC and precision-recall curves, with seed bands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bakeoff.analysis.class_scores import ClassScores, class_scores
from bakeoff.report.plots.figure import (
    HEIGHT,
    TARGET,
    WIDTH,
    Figure,
    field,
    figure,
    find,
    percent_axis,
    series,
    tip,
)
from bakeoff.report.words.short_names import short_labels
from bakeoff.utils.text import percent

if TYPE_CHECKING:
    from bakeoff.analysis.comparison import Comparison

_MOST_CLASSES = 10  # lines that can be told apart
_LEGEND = 4  # rows of names above the curves; more of them make the figure higher
_ZOOMS = (0.05, 0.1, 0.2, 0.5, 1.0)  # shares of false alarms up to which a ROC curve is drawn


Scores = tuple[ClassScores | None, ...]


def roc_curves(
    comparison: Comparison,
    model: str | None = None,
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    scores: Scores | None = None,
) -> Figure:
    """Draw, for each class against the rest, found images against false alarms.

    A line is the mean over the seeds, its band reaches from the lowest seed to the highest. Only
    the left part is drawn where nothing happens to the right of it. Of more than ten classes,
    those with the smallest areas. `scores` are the model's, where they are at hand.
    """
    result = find(comparison, model)
    hardest = _hardest(scores or class_scores(comparison, result.name), roc=True)
    far = next(
        zoom
        for zoom in _ZOOMS
        if zoom == 1.0 or all(each.roc.mean[each.roc.x <= zoom][-1] > 0.995 for each in hardest)
    )
    return _drawn(
        comparison, result.name, hardest, (width, height),
        title="ROC: found, against false alarms",
        x=("false alarms, share of the other classes", [0.0, far]), curve="roc",
    )  # fmt: skip


def precision_recall_curves(
    comparison: Comparison,
    model: str | None = None,
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    scores: Scores | None = None,
) -> Figure:
    """Draw, for each class, which share of the images predicted as it belong to it (precision).

    Along the other axis stands which share of the class's images is found (recall). A line is the
    mean over the seeds, its band reaches from the lowest seed to the highest. Of more than ten
    classes, those with the smallest areas. `scores` are the model's, where they are at hand.
    """
    result = find(comparison, model)
    hardest = _hardest(scores or class_scores(comparison, result.name), roc=False)
    return _drawn(
        comparison, result.name, hardest, (width, height),
        title="Precision, against recall",
        x=("recall, share of the class that is found", [0.0, 1.0]), curve="pr",
    )  # fmt: skip


def _hardest(scores: Scores, *, roc: bool) -> list[ClassScores]:
    known = [each for each in scores if each is not None]

    def area(each: ClassScores) -> float:
        return each.roc_area.mean if roc else each.average_precision.mean

    chosen = sorted(known, key=area)[:_MOST_CLASSES]
    return sorted(chosen, key=lambda each: each.index)


def _drawn(
    comparison: Comparison,
    model: str,
    scores: list[ClassScores],
    size: tuple[int, int],
    *,
    title: str,
    x: tuple[str, list[float]],
    curve: str,
) -> Figure:
    names = [comparison.class_names[each.index] for each in scores]
    (width, height), (label, domain) = size, x
    cut = short_labels(comparison.class_names)  # those of classes that are not drawn, too
    coded = series([cut[each.index] for each in scores], width=width)
    legend = -(-len(names) // coded["color"]["legend"]["columns"])  # rows of names
    rows = [
        row
        for name, short, each in zip(names, coded["color"]["scale"]["domain"], scores, strict=True)
        for row in _rows(name, short, each, comparison.unit, curve=curve, far=domain[1])
    ]
    lowest = min([1.0, *(row["low"] for row in rows)])
    band = {"color": coded["color"]}
    encoding = {
        "x": {
            "field": "x", "type": "quantitative", "title": label, "axis": percent_axis(),
            "scale": {"domain": domain, "nice": False},
        },
        "y": field("y", axis=percent_axis(), scale={"domain": [lowest, 1.0], "zero": False}),
    }  # fmt: skip
    return figure(
        {
            "height": height + 16 * (len(names) // 5) + 13 * max(0, legend - _LEGEND),
            "title": title,
            "data": {"values": rows},
            "encoding": encoding,
            "layer": [
                {
                    "mark": {"type": "area", "opacity": 0.12, "clip": True},
                    "encoding": {
                        "y": {**encoding["y"], "field": "low"}, "y2": {"field": "high"}, **band,
                    },
                },
                {
                    "mark": {"type": "line", "strokeWidth": 1.6, "clip": True},
                    "encoding": coded,
                },
                {
                    "transform": [{"filter": "datum.told"}],
                    "mark": TARGET,
                    "encoding": tip(),
                },
            ],
        },
        alt=f"{title} of {model}, for each class against the rest.",
        width=width,
    )  # fmt: skip


def _rows(
    name: str, short: str, scores: ClassScores, unit: str, *, curve: str, far: float
) -> Iterator[dict[str, Any]]:
    """Yield the points of a class's curve up to `far` along x, fewer of them the longer it is."""
    drawn = scores.roc if curve == "roc" else scores.pr
    area = scores.roc_area if curve == "roc" else scores.average_precision
    said = f"{name} · area {area.mean:.4f} ({unit}s {area.low:.4f} to {area.high:.4f})"
    step = 4 if far > 0.5 else 2 if far > 0.2 else 1
    for k, at in enumerate(drawn.x.tolist()):
        if at <= far + 1e-9 and k % step == 0:
            value = float(drawn.mean[k])
            yield {
                "x": at, "y": value, "low": float(drawn.low[k]), "high": float(drawn.high[k]),
                "series": short, "tip": f"{said} · {percent(value)} at {percent(at)}",
                "told": k % (4 * step) == 0,
            }  # fmt: skip
