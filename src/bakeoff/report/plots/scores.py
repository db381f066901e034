"""Figures of test results: accuracies, calibration, sources of variance, images of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bakeoff.analysis.checks.wording import baseline_in_words
from bakeoff.analysis.class_mistakes import worst_classes
from bakeoff.report.plots.figure import (
    BLUE,
    GREEN,
    INK,
    MOST_CLASSES,
    MUTED,
    ORANGE,
    WIDTH,
    Figure,
    field,
    figure,
    find,
    percent_axis,
    spread,
    tip,
)
from bakeoff.report.words.short_names import short_labels
from bakeoff.utils.text import percent

if TYPE_CHECKING:
    from bakeoff.analysis.comparison import Comparison, ModelResult
    from bakeoff.analysis.estimates import Estimate

_ROW = 30  # pixels of a row of dots
_TITLE = 20  # pixels


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
        {**drawn, "height": drawn["height"] + _TITLE, "title": "Accuracy by class"},
        alt=f"Accuracy of {result.name} by class, the worst first: {'; '.join(said)}.",
        width=width,
    )


def class_counts(comparison: Comparison, *, width: int = WIDTH) -> Figure:
    """Draw how many images each class has in each part of the split.

    Of cross-validation all images are drawn, each of which is once in the test part of a repeat.
    Of more than twenty classes, the ten largest and the ten smallest are drawn.
    """
    names = comparison.class_names
    parts = {
        part: list(counts)
        for part, counts in (comparison.data.get("class_counts") or {}).items()
        if len(counts) == len(names)
    }
    if comparison.folded:
        parts = {}
    parts["test"] = np.bincount(comparison.labels, minlength=len(names)).tolist()
    order = np.argsort(-np.sum(list(parts.values()), axis=0), kind="stable").tolist()
    half = MOST_CLASSES // 2
    shown = order if len(order) <= MOST_CLASSES else order[:half] + order[-half:]
    short = short_labels(names, most=18)
    labels = [short[k] for k in shown]
    words = {"train": "training", "validation": "validation", "test": "test"}
    if comparison.folded:
        words = {"test": "all, each tested in turn"}
    rows = [
        {
            "class": short[k], "part": words.get(part, part), "images": counts[k], "order": at,
            "tip": f"{names[k]} · {words.get(part, part)} · {counts[k]:,} images",
        }
        for at, (part, counts) in enumerate(parts.items())
        for k in shown
    ]  # fmt: skip
    domain = list(dict.fromkeys(str(row["part"]) for row in rows))
    colors = {"domain": domain, "range": [BLUE, GREEN, ORANGE][-len(domain) :]}
    return figure(
        {
            "height": 60 + 18 * len(shown),
            "data": {"values": rows},
            "mark": {"type": "bar", "height": {"band": 0.72}},
            "encoding": {
                "y": field("class", "nominal", sort=labels, axis=_named(labels)),
                "x": {
                    "field": "images", "type": "quantitative", "title": "images",
                    "axis": {"tickCount": 4},
                },
                "color": field("part", "nominal", scale=colors, legend={"symbolType": "square"}),
                "order": {"field": "order"},
                **tip(),
            },
        },
        alt=f"Images of {classes_counted(comparison)}: "
        f"{'; '.join(f'{names[k]} {_all(parts, k):,}' for k in shown)}.",
        width=width,
    )  # fmt: skip


def classes_counted(comparison: Comparison) -> str:
    """Say which classes `class_counts` draws: "each class", or of many the largest and smallest."""
    classes, half = len(comparison.class_names), MOST_CLASSES // 2
    if classes <= MOST_CLASSES:
        return "each class"
    return f"the {half} largest and the {half} smallest of {classes:,} classes"


def calibration(comparison: Comparison, model: str | None = None) -> Figure:
    """Draw how often a model was correct against how sure it was, over all its seeds together.

    On the dashed line, of the images predicted with 80 % confidence, 80 % are correct. The larger a
    dot, the more images were predicted so; a bin with fewer than ten predictions a seed
    is too small to judge and gets no dot.
    """
    result = find(comparison, model)
    curves = result.calibration
    counts = np.sum([each.counts for each in curves], axis=0)
    hits = np.nansum([each.counts * np.nan_to_num(each.accuracy) for each in curves], axis=0)
    sure = np.nansum([each.counts * np.nan_to_num(each.confidence) for each in curves], axis=0)
    enough = counts >= 10 * len(curves)
    rows = [
        {
            "sure": s / n, "correct": h / n, "share": n / max(1, counts.sum()),
            "tip": f"{percent(s / n)} sure · {percent(h / n)} correct · "
            f"{percent(n / max(1, counts.sum()))} of the predictions",
        }
        for n, h, s in zip(counts[enough], hits[enough], sure[enough], strict=True)
    ]  # fmt: skip
    lowest = min((min(row["sure"], row["correct"]) for row in rows), default=0.5)
    domain = [max(0.0, np.floor(20 * lowest - 0.5) / 20), 1.0]
    diagonal = [{"sure": end, "correct": end} for end in domain]
    axis: dict[str, Any] = {"scale": {"domain": domain, "nice": False, "clamp": True}}
    return figure(
        {
            "title": "Correct predictions, by confidence",
            "encoding": {
                "x": {
                    "field": "sure", "type": "quantitative",
                    "title": "confidence in the prediction",
                    "axis": percent_axis(), **axis,
                },
                "y": field("correct", axis=percent_axis(), **axis),
            },
            "layer": [
                {
                    "data": {"values": diagonal},
                    "mark": {"type": "line", "color": MUTED, "strokeDash": [4, 3]},
                },
                {"data": {"values": rows}, "mark": {"type": "line", "color": BLUE}},
                {
                    "data": {"values": rows},
                    "mark": {"type": "point", "filled": True, "color": BLUE, "opacity": 1},
                    "encoding": {
                        "size": field(
                            "share", legend=None, scale={"domain": [0, 1], "range": [24, 260]}
                        ),
                        **tip(),
                    },
                },
            ],
        },
        alt=f"Calibration of {result.name}: share of correct predictions by confidence.",
    )  # fmt: skip


def variance(comparison: Comparison, *, width: int = WIDTH) -> Figure:
    """Draw where each accuracy's uncertainty comes from: shares of its squared standard error.

    More test images shrink the first part, more seeds the second, either the third. Models with
    one seed cannot tell, and are left out. In cross-validation repeats take the place of seeds.
    """
    words = ("images", "networks", "both together") if comparison.folded else _SOURCES
    known = [(m.name, m.accuracy.estimate.shares) for m in comparison.models]
    short = short_labels([name for name, _ in known], most=18)
    rows = [
        {
            "model": label, "source": word, "share": share, "order": at,
            "tip": f"{name} · {word} {100 * share:.0f} %",
        }
        for (name, shares), label in zip(known, short, strict=True)
        if shares is not None
        for at, (word, share) in enumerate(zip(words, shares, strict=True))
    ]  # fmt: skip
    names = list(dict.fromkeys(str(row["model"]) for row in rows))
    colors = {"domain": list(words), "range": [BLUE, ORANGE, GREEN]}
    said = [str(row["tip"]).replace(" · ", ": ") for row in rows]
    return figure(
        {
            "height": 70 + _TITLE + 24 * len(names),
            "title": "Where the uncertainty comes from",
            "data": {"values": rows},
            "mark": {"type": "bar", "height": {"band": 0.7}},
            "encoding": {
                "y": field("model", "nominal", sort=names, axis=_named(names)),
                "x": field("share", axis=percent_axis(), scale={"domain": [0, 1]}),
                "color": field("source", "nominal", scale=colors, legend={"symbolType": "square"}),
                "order": {"field": "order"},
                **tip(),
            },
        },
        alt=f"Shares of each accuracy’s squared standard error: {'; '.join(said)}.",
        width=width,
    )


_SOURCES = ("test images", "seeds", "both together")


_LETTER, _MOST_ROOM = 6.5, 240.0  # pixels of a letter in a browser's wide font, and of a name


def _named(labels: Sequence[str]) -> dict[str, Any]:
    """Return an axis of names, with room for them."""
    room = min(_MOST_ROOM, _LETTER * max(map(len, labels), default=0))
    return {"grid": False, "domain": False, "labelColor": INK, "labelFontSize": 12,
            "minExtent": room}  # fmt: skip


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
    y = field("row", "nominal", sort=labels, axis=_named(labels), scale={"domain": labels})
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


def _all(parts: dict[str, list[int]], k: int) -> int:
    return sum(counts[k] for counts in parts.values())


def _scored(estimate: Estimate) -> str:
    return f"{percent(estimate.mean)} ({percent(estimate.low)} to {percent(estimate.high)})"
