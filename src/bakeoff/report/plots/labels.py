"""Names beside points, each where it covers nothing; placed one after the other, in pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bakeoff.report.plots.style import FONT, INK, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[str, float, float]  # name, cost, accuracy
Box = tuple[float, float, float, float]  # left, bottom, right, top

_MOST_LETTERS = 24
_FAR = 26.0  # points between a name and its point from which on a thin line joins them
_LETTER = 0.58 * FONT  # width of a letter, in points; wide enough for most


def label_points(
    axes: Axes, points: Sequence[Point], bars: Sequence[tuple[float, float]], best: Sequence[str]
) -> None:
    """Write each point's name on the first side where it covers no point, bar, line or name.

    `bars` are the lower and upper ends of the points' intervals; `best` the names that a line
    joins, in its order; they are written in ink, the others muted. The axes' limits must be final.
    """
    scale = axes.get_figure(root=True).dpi / 72  # type: ignore[union-attr]  # pixels a point
    panel = axes.get_window_extent()
    taken = list(_obstacles(axes, points, bars, best, scale))
    for name, cost, accuracy in points:
        x, y = axes.transData.transform((cost, accuracy))
        text = shorten(name, most=_MOST_LETTERS)
        wide, tall = _LETTER * len(text) * scale, 1.25 * FONT * scale
        boxes = [(a, b, a + wide, b + tall) for a, b in _spots(x, y, wide, tall, scale)]
        inside = [box for box in boxes if box[0] > panel.x0 + 2 and box[2] < panel.x1 + 10]
        inside = inside or boxes
        free = (box for box in inside if not any(_overlap(box, other) for other in taken))
        chosen = next(free, None) or _least_covered(inside, taken)
        taken.append(chosen)
        far = abs((chosen[1] + chosen[3]) / 2 - y) > _FAR * scale
        axes.annotate(
            text,
            (cost, accuracy),
            xytext=((chosen[0] - x) / scale, (chosen[1] + 0.25 * tall - y) / scale),
            textcoords="offset points",
            color=INK if name in best else MUTED,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.6} if far else None,
        )


def shorten(name: str, *, most: int = 30) -> str:
    """Return a name of at most `most` letters; an ellipsis stands for the rest."""
    return name if len(name) <= most else name[: most - 1] + "…"


def _obstacles(
    axes: Axes,
    points: Sequence[Point],
    bars: Sequence[tuple[float, float]],
    best: Sequence[str],
    scale: float,
) -> Iterator[Box]:
    """Yield boxes around the points, their bars, and pieces of the line that joins the best."""
    pixels = {name: axes.transData.transform((x, y)) for name, x, y in points}
    around = 5 * scale
    for (name, cost, _), (low, high) in zip(points, bars, strict=True):
        x, y = pixels[name]
        yield (x - around, y - around, x + around, y + around)
        _, bottom = axes.transData.transform((cost, low))
        _, top = axes.transData.transform((cost, high))
        yield (x - 1, bottom, x + 1, top)
    for one, other in pairwise(best):
        for part in np.linspace(0.0, 1.0, 40):
            x, y = (1 - part) * pixels[one] + part * pixels[other]
            yield (x - 2, y - 2, x + 2, y + 2)


def _spots(
    x: float, y: float, wide: float, tall: float, scale: float
) -> Iterator[tuple[float, float]]:
    """Yield lower left corners for a text beside a point: right, left, above, below, further."""
    near = 7 * scale
    yield x + near, y - tall / 2
    yield x - near - wide, y - tall / 2
    for away in (near, 18 * scale, 32 * scale, 46 * scale, 60 * scale):
        for left in (x - wide / 2, x + near, x - near - wide):
            yield left, y + away
            yield left, y - away - tall


def _least_covered(boxes: Sequence[Box], taken: Sequence[Box]) -> Box:
    """Return the box that covers the fewest others, the first of them on a tie."""
    return min(boxes, key=lambda box: sum(_overlap(box, other) for other in taken))


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
