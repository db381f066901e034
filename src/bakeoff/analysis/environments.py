"""The versions, kernels and machines that trials were trained with, and where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bakeoff.storage.opened_study import OpenedStudy

Environments = Sequence[Mapping[str, Any]]


def of_trials(studies: Sequence[OpenedStudy]) -> list[Mapping[str, Any]]:
    """Return the environment of every trial; several of one that went on under another."""
    trials = (each for study in studies for trials in study.models.values() for each in trials)
    return [environment for trial in trials for environment in trial.environments]


def joined(environments: Environments) -> dict[str, Any]:
    """Return one environment; values in which trials differ are joined by " + "."""
    return {
        key: values[0] if len(values) == 1 else " + ".join(map(str, values))
        for key, values in ((k, list(dict.fromkeys(v))) for k, v in _values(environments).items())
    }


def differing(environments: Environments) -> dict[str, dict[str, int]]:
    """Return, for every entry that differs between trials, how many trials have which value."""
    counts = {key: dict(Counter(map(str, values))) for key, values in _values(environments).items()}
    return {key: values for key, values in counts.items() if len(values) > 1}


def _values(environments: Environments) -> Mapping[str, list[Any]]:
    """Return every entry's values, one for each environment."""
    found: dict[str, list[Any]] = {}
    for environment in environments:
        for key, value in environment.items():
            if key == "node":  # says where, not with what
                continue
            found.setdefault(key, []).append(value)
    return found
