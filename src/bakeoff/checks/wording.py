"""How findings put numbers and lists into sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bakeoff.results import ModelResult

_NAMED = 3  # items of a list that are named; the rest is counted


def percent(share: float, digits: int = 1) -> str:
    """Return a share in percent, "91.2 %"."""
    return f"{100 * share:.{digits}f} %"


def points(share: float, digits: int = 1) -> str:
    """Return a difference of shares in points, "0.4", "−1.9"."""
    return f"{100 * share:.{digits}f}".replace("-", "−")


def number(value: float, digits: int = 3, *, zeros: bool = False) -> str:
    """Return a number with as many digits that count: "0.0123", "1,042", "0.0000313", "1.04e12".

    Zeros at the end are left out, or kept with `zeros`.
    """
    size = abs(value)
    if size >= 10**digits - 0.5 or 0 < size < 1e-9 or not np.isfinite(value):
        text = f"{value:,.0f}" if 1 < size < 1e9 else f"{value:.{digits - 1}e}".replace("e+", "e")
    else:
        text = np.format_float_positional(
            value, precision=digits, unique=False, fractional=False, trim="k" if zeros else "-"
        )
    return text.replace("-", "−")


def plural(count: int, noun: str) -> str:
    """Return a count and its noun, "1 seed", "1,000 seeds"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(items: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def some(items: Sequence[str]) -> str:
    """Return the first few of a list and the number of the others."""
    if len(items) <= _NAMED:
        return listed(items)
    return f"{', '.join(items[:_NAMED])} and {len(items) - _NAMED:,} more"


def seeds_of(model: ModelResult, positions: Sequence[int]) -> str:
    """Return the seeds at these positions: "seed 3 of 5 seeds", "all 5 seeds"."""
    total = len(model.seeds)
    if len(positions) == total > 1:
        return "both seeds" if total == 2 else f"all {total} seeds"
    names = [str(model.seeds[position]) for position in positions]
    return f"{'seed' if len(names) == 1 else 'seeds'} {listed(names)} of {plural(total, 'seed')}"


def mean_of(count: int) -> str:
    """Return what a number of several seeds is: "mean of 5 seeds", or "one seed"."""
    return "one seed" if count == 1 else f"mean of {count} seeds"
