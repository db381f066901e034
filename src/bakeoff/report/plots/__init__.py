"""Figures of a comparison: each function takes a Comparison and returns a Figure.

A Figure is a Vega-Lite specification that shows itself in notebooks and is saved as SVG, PNG, PDF;
nothing is drawn before it is asked for.
"""

from bakeoff.report.plots.class_curves import precision_recall_curves, roc_curves
from bakeoff.report.plots.costs import accuracy_against_parameters, accuracy_against_time
from bakeoff.report.plots.curves import all_curves, learning_curves, learning_rate
from bakeoff.report.plots.dots import accuracy_dots, per_class
from bakeoff.report.plots.figure import Figure
from bakeoff.report.plots.matrices import confusion, verdict_matrix
from bakeoff.report.plots.scores import calibration, class_counts, classes_counted, variance
from bakeoff.report.plots.search import (
    importance,
    parallel_coordinates,
    tuning_curves,
    usable_width,
)

__all__ = [
    "Figure",
    "accuracy_against_parameters",
    "accuracy_against_time",
    "accuracy_dots",
    "all_curves",
    "calibration",
    "class_counts",
    "classes_counted",
    "confusion",
    "importance",
    "learning_curves",
    "learning_rate",
    "parallel_coordinates",
    "per_class",
    "precision_recall_curves",
    "roc_curves",
    "tuning_curves",
    "usable_width",
    "variance",
    "verdict_matrix",
]
