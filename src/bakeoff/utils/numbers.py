"""Arithmetic that must come out alike wherever a number is shown."""

import math
from collections.abc import Sequence


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """Return the mean of the values that are known, rounded once; None where none is."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None
