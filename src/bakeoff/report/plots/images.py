"""Images a reader should look at, each with its classes below it: mistakes, suspects, samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bakeoff.analysis import notable_images
from bakeoff.errors import UsageError
from bakeoff.report.plots.labels import shorten
from bakeoff.report.plots.style import FONT, INK, MUTED, find, styled
from bakeoff.storage.thumbnails import Image, Pictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bakeoff.analysis.comparison import Comparison

_COLUMNS = 6
_SIDE = 1.05  # inches of a picture and the gap below it
_GAP = 0.35  # after it
_MARGIN = 0.1  # at the left and above
_TEXT = 0.42  # inches of the two lines below it
_NARROW = 0.45  # of a sample
_MOST_LETTERS = 16
NO_CLEANLAB = (
    "expected cleanlab, which ranks suspect labels, found none: pip install 'bakeoff[labels]'"
)


@styled
def worst_mistakes(comparison: Comparison, model: str | None = None) -> Figure:
    """Draw the test images that a model gets most wrong (the largest loss, mean over its seeds).

    Below each its class, the most frequent answer, the probability that was given to it (mean
    over the seeds), and how many seeds agree. UsageError where there are no pictures.
    """
    result = find(comparison, model)
    pictures = _pictures(comparison)
    names = comparison.class_names
    shown = [
        (
            pictures.of(each.place),
            f"is {shorten(names[each.truth], most=_MOST_LETTERS)}",
            f"{shorten(names[each.answer], most=_MOST_LETTERS)}, {100 * each.probability:.0f} %, "
            f"{each.agree} of {each.seeds}",
        )
        for each in notable_images.worst_mistakes(comparison, result.name)
    ]
    return _grid(shown)


@styled
def label_suspects(comparison: Comparison) -> Figure:
    """Draw the test images whose labels deserve a second look, the most suspect first.

    Below each its label, what the model with the lowest loss says instead, and the probability
    of that (mean over its seeds). UsageError where there are no pictures or no cleanlab.
    """
    pictures = _pictures(comparison)
    suspects = notable_images.label_suspects(comparison)
    if suspects is None:
        raise UsageError(NO_CLEANLAB)
    names = comparison.class_names
    shown = [
        (
            pictures.of(each.place),
            f"label {shorten(names[each.label], most=_MOST_LETTERS)}",
            f"{shorten(names[each.suggestion], most=_MOST_LETTERS)}, "
            f"{100 * each.probability:.0f} %, no. {each.place}",
        )
        for each in suspects
    ]
    return _grid(shown)


@styled
def samples(comparison: Comparison) -> Figure:
    """Draw a few training images of every class, a row a class; of at most twenty classes."""
    from matplotlib.figure import Figure

    pictures = _pictures(comparison)
    classes = np.unique(pictures.sample_labels).tolist()
    names = [shorten(comparison.class_names[k], most=_MOST_LETTERS) for k in classes]
    left = 0.2 + 0.09 * max(map(len, names), default=0)
    width, height = left + _NARROW * notable_images.SAMPLES, _NARROW * max(1, len(classes))
    figure = Figure(figsize=(width, height))
    for row, (k, name) in enumerate(zip(classes, names, strict=True)):
        middle = 1 - (row + 0.5) * _NARROW / height
        figure.text(
            (left - 0.1) / width, middle, name, ha="right", va="center", color=INK, fontsize=FONT
        )
        for column, image in enumerate(pictures.samples[pictures.sample_labels == k]):
            place = (left + column * _NARROW, height - (row + 1) * _NARROW)
            _draw(figure, image, place, 0.92 * _NARROW)
    return figure


def _pictures(comparison: Comparison) -> Pictures:
    if comparison.pictures is None:
        raise UsageError(
            "expected pictures of the images, found none: `bakeoff report STUDY` takes them "
            "where the data is at hand"
        )
    return comparison.pictures


def _grid(shown: Sequence[tuple[Image | None, str, str]]) -> Figure:
    from matplotlib.figure import Figure

    rows = max(1, -(-len(shown) // _COLUMNS))
    width = _COLUMNS * (_SIDE + _GAP) + _MARGIN
    height = rows * (_SIDE + _TEXT) + _MARGIN
    figure = Figure(figsize=(width, height))
    for number, (image, above, below) in enumerate(shown):
        row, column = divmod(number, _COLUMNS)
        x = _MARGIN + column * (_SIDE + _GAP)
        y = height - _MARGIN - row * (_SIDE + _TEXT) - _SIDE
        if image is not None:
            _draw(figure, image, (x, y), 0.92 * _SIDE)
        for line, (text, color) in enumerate(((above, INK), (below, MUTED))):
            figure.text(
                x / width, (y - 0.02 - 0.15 * line) / height, text, ha="left", va="top",
                color=color, fontsize=FONT - 2,
            )  # fmt: skip
    return figure


def _draw(figure: Figure, image: Image, place: tuple[float, float], side: float) -> None:
    """Draw an image with its lower left corner at a place, all in inches."""
    width, height = figure.get_size_inches()
    box = (place[0] / width, place[1] / height, side / width, side / height)
    axes = figure.add_axes(box)
    pixels = image[..., 0] if image.shape[2] == 1 else image
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
