"""Figures of a comparison: each function takes a Comparison and returns a matplotlib Figure.

Nothing here touches pyplot or leaves a setting behind; matplotlib is imported when a figure is
drawn. `svg` turns a figure into an element for a web page.
"""

from bakeoff.figures.curves import learning_curves, learning_rate
from bakeoff.figures.images import label_suspects, samples, worst_mistakes
from bakeoff.figures.matrices import confusion, verdict_matrix
from bakeoff.figures.scores import (
    accuracy_against_parameters,
    accuracy_against_time,
    accuracy_dots,
    calibration,
    per_class,
    variance,
)
from bakeoff.figures.vector import svg

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
