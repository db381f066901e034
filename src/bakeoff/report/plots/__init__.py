"""Figures of a comparison: each function takes a Comparison and returns a matplotlib Figure.

Nothing here touches pyplot or leaves a setting behind; matplotlib is imported when a figure is
drawn. `svg` turns a figure into an element for a web page.
"""

from bakeoff.report.plots.curves import learning_curves, learning_rate
from bakeoff.report.plots.images import label_suspects, samples, worst_mistakes
from bakeoff.report.plots.matrices import confusion, verdict_matrix
from bakeoff.report.plots.scores import (
    accuracy_against_parameters,
    accuracy_against_time,
    accuracy_dots,
    calibration,
    per_class,
    variance,
)
from bakeoff.report.plots.svg_export import svg

__all__ = [
    "accuracy_against_parameters",
    "accuracy_against_time",
    "accuracy_dots",
    "calibration",
    "confusion",
    "label_suspects",
    "learning_curves",
    "learning_rate",
    "per_class",
    "samples",
    "svg",
    "variance",
    "verdict_matrix",
    "worst_mistakes",
]
