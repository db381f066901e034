"""The versions, kernels and machines that trials were trained with, and where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.storage.opened_study import OpenedStudy


def joined(studies: Sequence[OpenedStudy]) -> dict[str, Any]:
    """Return one environment; values in which trials differ are joined by " + "."""
    return {
        key: values[0] if len(values) == 1 else " + ".join(map(str, values))
        for key, values in ((k, list(dict.fromkeys(v))) for k, v in _values(studies).items())
    }


def differing(studies: Sequence[OpenedStudy]) -> dict[str, dict[str, int]]:
    """Return, for every entry that differs between trials, how many trials have which value."""
    counts = {key: dict(Counter(map(str, values))) for key, values in _values(studies).items()}
    return {key: values for key, values in counts.items() if len(values) > 1}


def _values(studies: Sequence[OpenedStudy]) -> Mapping[str, list[Any]]:
    """Return every entry's values, one for each trial; more where it went on under another."""
    found: dict[str, list[Any]] = {}
    for study in studies:
        for trials in study.models.values():
            for environment in (each for trial in trials for each in trial.environments):
                for key, value in environment.items():
                    found.setdefault(key, []).append(value)
    return found
