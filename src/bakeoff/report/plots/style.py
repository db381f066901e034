"""How every figure looks: one palette, sizes in inches, nothing from the user's own settings.

The colours tell blue from orange to every common kind of colour blindness, and every meaning that
has a colour also has a shape, a dash or a word. matplotlib is imported inside the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bakeoff.analysis.comparison import Comparison, ModelResult

P = ParamSpec("P")
R = TypeVar("R")

# name: (on a light page, on a dark page). The light ones stand in the figures; `svg` turns each
# into a CSS variable of that name, so that a page can switch them.
PALETTE = {
    "paper": ("#fdfdfc", "#15171a"),
    "ink": ("#1d2126", "#e9e7e2"),
    "muted": ("#626a73", "#a3a9b1"),
    "line": ("#d9dcdf", "#363b42"),
    "blue": ("#0a67ad", "#74b8f0"),
    "orange": ("#c0540a", "#f2a65a"),
    "green": ("#0a7a5c", "#57cba5"),
}
PAPER, INK, MUTED, LINE, BLUE, ORANGE, GREEN = (light for light, _ in PALETTE.values())

PANEL = (4.4, 2.65)  # inches; 317 × 191 units of a page, so 10-point letters stay readable there
FONT = 10.0

# Leading digits of a logarithmic axis's ticks, ever closer together.
_ROUND: tuple[Sequence[float], ...] = (
    (1, 3),
    (1, 2, 5),
    (1, 1.5, 2, 3, 4, 5, 6, 8),
    tuple(k / 10 for k in range(10, 100)),
    tuple(k / 100 for k in range(100, 1000)),
)

SETTINGS: dict[str, Any] = {
    "font.size": FONT,
    "text.parse_math": False,  # a class may be called "$"
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": FONT,
    "axes.titlelocation": "left",
    "axes.labelsize": FONT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": FONT - 0.5,
    "ytick.labelsize": FONT - 0.5,
    "legend.frameon": False,
    "legend.fontsize": FONT - 0.5,
    "lines.linewidth": 1.7,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "figure.dpi": 100,
    "svg.fonttype": "none",
    "svg.hashsalt": "bakeoff",
    "path.simplify": True,
}


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function with Bakeoff's settings; matplotlib's own are put back after it."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib

        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(SETTINGS)  # type: ignore[arg-type]  # any str to mypy
            return draw(*args, **kwargs)

    return inside


def panels(
    columns: int = 1,
    *,
    width: float = PANEL[0],
    height: float = PANEL[1],
    left: float = 0.62,
    right: float = 0.12,
    top: float = 0.32,
    bottom: float = 0.52,
) -> tuple[Figure, list[Axes]]:
    """Return a figure of panels side by side; sizes and margins of one panel in inches.

    Margins are fixed, not fitted to the text: the same numbers give the same picture anywhere.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(columns * width, height))
    axes = []
    for column in range(columns):
        inner = (width - left - right) / (columns * width)
        place = ((column * width + left) / (columns * width), bottom / height)
        axes.append(figure.add_axes((*place, inner, (height - top - bottom) / height)))
        # Ticks are made when the figure is drawn, which may be after the settings were put back.
        axes[-1].tick_params(length=0, labelsize=FONT - 0.5, labelcolor=MUTED, pad=4)
        axes[-1].tick_params(grid_color=LINE, grid_linewidth=0.7)
    return figure, axes


def legend(axes: Axes, *, columns: int = 3) -> None:
    """Put the legend above the panel, where it hides no data."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.02, 0.99),
        ncols=columns,
        handlelength=1.6,
        columnspacing=1.2,
        handletextpad=0.5,
        borderaxespad=0.0,
    )


def corner(axes: Axes, text: str) -> None:
    """Write what a panel shows at its upper right, across from the legend."""
    place: dict[str, Any] = {"ha": "right", "va": "bottom", "transform": axes.transAxes}
    axes.text(1.0, 1.035, text, fontweight="bold", **place)


def percent_axis(axis: Any, *, log: bool = False) -> None:
    """Write an axis of fractions in percent, without a power of ten or needless zeros."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if not log:
        axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.10g} %"))


def log_axis(axis: Any, *, unit: Callable[[float], str] | None = None) -> None:
    """Make an axis logarithmic with ticks at round numbers; its limits must be final."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

    axis.axes.set_xscale("log") if axis.axis_name == "x" else axis.axes.set_yscale("log")
    axis.set_major_locator(FixedLocator(log_ticks(*axis.get_view_interval())))
    write = unit or (lambda value: f"{value:.10g}")
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def log_ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Return round numbers from low to high for a logarithmic axis, as many as there is room for.

    At least two, unless low and high are less than a few per cent apart.
    """
    first, last = floor(log10(low)), ceil(log10(high))
    step = ceil((last - first + 1) / most)  # decades between two ticks, over many of them
    choices: list[list[float]] = [[10.0**k for k in range(first, last + 1, step)]]
    for factors in _ROUND:
        choices.append([f * 10.0**k for k in range(first, last + 1) for f in factors])
    written = [[float(f"{tick:.6g}") for tick in ticks] for ticks in choices]  # 0.3, not 0.30…04
    inside = [[tick for tick in ticks if low <= tick <= high] for ticks in written]
    fitting = [ticks for ticks in inside if len(ticks) <= most]
    return max(fitting, key=len)


def name_margin(names: Sequence[str], *, most: float = 2.6) -> float:
    """Return the inches that the longest of these names takes at the left of a panel."""
    return min(most, 0.25 + 0.077 * max(map(len, names)))


def spread(count: int, *, width: float) -> NDArray[np.float64]:
    """Return fixed small offsets, so that dots of equal value do not hide each other."""
    if count < 2:
        return np.zeros(count)
    order = (np.arange(count) * 7) % count if count % 7 else np.arange(count)
    offsets: NDArray[np.float64] = width * (order / (count - 1) - 0.5)
    return offsets


def find(comparison: Comparison, model: str | None) -> ModelResult:
    """Return the model of that name, or the only one; UsageError if there is none."""
    if model is None and len(comparison.models) == 1:
        return comparison.models[0]
    for result in comparison.models:
        if result.name == model:
            return result
    names = ", ".join(result.name for result in comparison.models)
    raise UsageError(f"expected a model of this comparison ({names}), found {model}")
