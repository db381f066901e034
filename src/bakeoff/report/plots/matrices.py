"""Who is mistaken for whom, and which model is better: coloured squares with numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bakeoff.report.plots.labels import shorten
from bakeoff.report.plots.style import (
    BLUE,
    FONT,
    INK,
    LINE,
    MUTED,
    ORANGE,
    PAPER,
    find,
    name_margin,
    panels,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bakeoff.analysis.comparison import Comparison, Pair

_MOST_NUMBERS = 24  # classes: squares of larger matrices are too small for a number
SIGNS = {"better": "▲", "worse": "▼", "practically equal": "≈", "not separated": "?"}
_COLORS = {"better": BLUE, "worse": ORANGE, "practically equal": MUTED}
_OPPOSITE = {"better": "worse", "worse": "better"}


@styled
def confusion(
    comparison: Comparison, model: str | None = None, *, diagonal: bool = True, rates: bool = False
) -> Figure:
    """Draw a model's confusion matrix, true class by predicted class, as the mean over its seeds.

    Without the diagonal the colours show the mistakes alone. Numbers are images, or with `rates`
    percent of the true class's images.
    """
    result = find(comparison, model)
    matrix = result.confusion.astype(np.float64).copy()
    if rates:
        matrix = 100 * row_rates(matrix)
    if not diagonal:
        np.fill_diagonal(matrix, 0.0)
    names = [shorten(name, most=18) for name in comparison.class_names]
    side = 0.42 * len(names)
    left = 0.35 + name_margin(names)
    figure, (axes,) = panels(
        width=left + side + 0.15, height=left + side + 0.15, left=left, right=0.15,
        top=left, bottom=0.15,
    )  # fmt: skip
    _squares(axes, matrix, BLUE if diagonal else ORANGE)
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.xaxis.set_ticks_position("top")
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("predicted class", color=MUTED)
    axes.set_ylabel("true class", color=MUTED)
    axes.tick_params(length=0)
    if len(names) <= _MOST_NUMBERS:
        _numbers(axes, matrix, rates=rates)
    return figure


@styled
def verdict_matrix(comparison: Comparison) -> Figure:
    """Draw the verdict on each row's model against each column's, with the difference in points."""
    names = [model.name for model in comparison.models]
    labels = [shorten(name, most=18) for name in names]
    left, wide = name_margin(labels), max(0.85, 0.1 + 0.075 * max(map(len, labels)))
    figure, (axes,) = panels(
        width=left + wide * len(names) + 0.15, height=0.5 * len(names) + 0.5, left=left,
        right=0.15, top=0.4, bottom=0.1,
    )  # fmt: skip
    found = {(pair.a, pair.b): pair for pair in comparison.pairs}
    for row, a in enumerate(names):
        for column, b in enumerate(names):
            pair = found.get((a, b)) or found.get((b, a))
            if pair is not None:
                _verdict_square(axes, (column, row), *seen_from(pair, a))
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xticks(range(len(names)), labels)
    axes.set_yticks(range(len(names)), labels)
    axes.xaxis.set_ticks_position("top")
    axes.tick_params(length=0, labelcolor=INK)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    return figure


def row_rates(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide each row by its sum; a class without images keeps its zeros."""
    sums = matrix.sum(axis=1, keepdims=True)
    rates: NDArray[np.float64] = np.divide(matrix, sums, out=np.zeros_like(matrix), where=sums > 0)
    return rates


def seen_from(pair: Pair, name: str) -> tuple[str | None, float | None]:
    """Return a pair's verdict and difference as said of its model `name` against the other."""
    difference = pair.test.difference if pair.test else None
    if name == pair.a or pair.verdict is None:
        sign = 1 if name == pair.a else -1
        return pair.verdict, None if difference is None else sign * difference
    return _OPPOSITE.get(pair.verdict, pair.verdict), None if difference is None else -difference


def mistakes(matrix: NDArray[np.float64]) -> list[tuple[int, int, float, float]]:
    """Return (true class, predicted class, images, share of the true class), the most first."""
    rates = row_rates(matrix)
    pairs = [
        (i, j, float(matrix[i, j]), float(rates[i, j]))
        for i, j in np.argwhere(matrix > 0).tolist()
        if i != j
    ]
    return sorted(pairs, key=lambda each: (-each[2], each[0], each[1]))


def _squares(axes: Axes, matrix: NDArray[np.float64], color: str) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("shades", [PAPER, color])
    axes.imshow(matrix, cmap=shades, vmin=0, vmax=max(1e-9, float(matrix.max())), aspect="auto")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _numbers(axes: Axes, matrix: NDArray[np.float64], *, rates: bool) -> None:
    most = float(matrix.max())
    for row, column in np.argwhere(matrix > 0).tolist():
        value = float(matrix[row, column])
        axes.text(
            column,
            row,
            f"{value:,.0f}" if value >= (99.95 if rates else 9.95) else f"{value:.1f}",
            ha="center",
            va="center",
            fontsize=FONT - 2.5,
            color=PAPER if value > 0.55 * most else INK,
        )


def _verdict_square(
    axes: Axes, place: tuple[int, int], word: str | None, difference: float | None
) -> None:
    from matplotlib.patches import Rectangle

    x, y = place
    if word:
        color = _COLORS.get(word)
        square = Rectangle((x - 0.47, y - 0.47), 0.94, 0.94, linewidth=0.8)
        square.set(facecolor=color or "none", alpha=0.25 if color else 1.0)
        square.set(edgecolor="none" if color else LINE)
        axes.add_patch(square)
    sign = SIGNS[word] if word else "–"
    text = sign if difference is None else f"{sign} {100 * difference:+.2f}".replace("-", "−")
    axes.text(x, y, text, ha="center", va="center", fontsize=FONT - 0.5)
