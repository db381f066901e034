"""How findings, and reports, name seeds, baselines and parts of a split in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.utils.text import counted, listed, whole_numbers

_BASELINES = {"majority": "majority class", "logistic": "logistic regression"}


def baseline_in_words(name: str) -> str:
    """Return a baseline's name in words, as tables and findings have it."""
    return _BASELINES.get(name, name)


def part_in_words(part: str) -> str:
    """Return a part of a split as sentences call it: "train" is "training"."""
    return "training" if part == "train" else part


def seeds_of(model: ModelResult, positions: Sequence[int]) -> str:
    """Return the seeds, or repeats, at these positions: "seed 3 of 5 seeds", "all 5 seeds"."""
    total, unit = len(model.seeds), model.unit
    if len(positions) == total > 1:
        return f"both {unit}s" if total == 2 else f"all {total} {unit}s"
    names = [str(model.seeds[position]) for position in positions]
    return f"{unit if len(names) == 1 else f'{unit}s'} {listed(names)} of {counted(total, unit)}"


def mean_of(count: int, model: ModelResult) -> str:
    """Return what a number of several seeds, or repeats, is: "mean of 5 seeds", or "one seed"."""
    return f"one {model.unit}" if count == 1 else f"mean of {count} {model.unit}s"


def seed_count(comparison: Comparison) -> str:
    """Return how many seeds, or repeats, the models have: "5 seeds", "3 to 5 seeds"."""
    counts, unit = {len(model.seeds) for model in comparison.models}, comparison.unit
    if len(counts) > 1:
        return f"{min(counts)} to {max(counts)} {unit}s"
    return counted(max(counts, default=0), unit)


def seed_list(values: Sequence[int], unit: str = "seed") -> str:
    """Return the word and the numbers: "seed 3", "seeds 0–4"."""
    return f"{unit}{'' if len(values) == 1 else 's'} {whole_numbers(values)}"
