"""How findings put numbers and lists into sentences."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.utils.text import counted, listed


def seeds_of(model: ModelResult, positions: Sequence[int]) -> str:
    """Return the seeds at these positions: "seed 3 of 5 seeds", "all 5 seeds"."""
    total = len(model.seeds)
    if len(positions) == total > 1:
        return "both seeds" if total == 2 else f"all {total} seeds"
    names = [str(model.seeds[position]) for position in positions]
    return f"{'seed' if len(names) == 1 else 'seeds'} {listed(names)} of {counted(total, 'seed')}"


def mean_of(count: int) -> str:
    """Return what a number of several seeds is: "mean of 5 seeds", or "one seed"."""
    return "one seed" if count == 1 else f"mean of {count} seeds"


def unit_of(comparison: Comparison) -> str:
    """Return what takes a seed's place: in cross-validation each network has one of its own."""
    return "repeat" if comparison.data.get("folds") else "seed"
