"""Figures beside the test accuracies: calibration, sources of variance, images of each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bakeoff.analysis.wording import part_in_words
from bakeoff.report.plots.figure import (
    BLUE,
    GREEN,
    MOST_CLASSES,
    MUTED,
    ORANGE,
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
    from bakeoff.analysis.comparison import Comparison


def class_counts(comparison: Comparison, *, width: int = WIDTH) -> Figure:
    """Draw how many images each class has in each part of the split.

    Of cross-validation all images are drawn, each of which is once in the test part of a repeat.
    Of more than twenty classes, the ten largest and the ten smallest are drawn.
    """
    names = comparison.class_names
    parts: dict[str, list[int]] = {}
    if not comparison.folded:
        declared = comparison.data.get("class_counts") or {}
        parts = {part: list(each) for part, each in declared.items() if len(each) == len(names)}
    parts["test"] = np.bincount(comparison.labels, minlength=len(names)).tolist()
    words = {part: part_in_words(part) for part in parts}
    if comparison.folded:
        words = {"test": "all, each tested in turn"}
    total = np.sum(list(parts.values()), axis=0)
    order = np.argsort(-total, kind="stable").tolist()
    half = MOST_CLASSES // 2
    shown = order if len(order) <= MOST_CLASSES else order[:half] + order[-half:]
    short = short_labels(names, most=18)
    labels = [short[k] for k in shown]
    rows = [
        {
            "class": short[k], "part": words[part], "images": counts[k], "order": at,
            "tip": f"{names[k]} · {words[part]} · {counts[k]:,} images",
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
                "y": field("class", "nominal", sort=labels, axis=names_axis(labels)),
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
        f"{'; '.join(f'{names[k]} {total[k]:,}' for k in shown)}.",
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
    words = (
        ("images", "networks", "both together")
        if comparison.folded
        else ("test images", "seeds", "both together")
    )
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
            "height": 70 + TITLE + 24 * len(names),
            "title": "Where the uncertainty comes from",
            "data": {"values": rows},
            "mark": {"type": "bar", "height": {"band": 0.7}},
            "encoding": {
                "y": field("model", "nominal", sort=names, axis=names_axis(names)),
                "x": field("share", axis=percent_axis(), scale={"domain": [0, 1]}),
                "color": field("source", "nominal", scale=colors, legend={"symbolType": "square"}),
                "order": {"field": "order"},
                **tip(),
            },
        },
        alt=f"Shares of each accuracy’s squared standard error: {'; '.join(said)}.",
        width=width,
    )
