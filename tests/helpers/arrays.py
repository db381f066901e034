"""Data sets of arrays at hand, as tests make them."""

from typing import Any

from numpy.typing import NDArray

from bakeoff.data import DataSet
from bakeoff.data.in_memory.arrays import Given, from_parts


def from_arrays(
    name: str,
    x: NDArray[Any],
    y: NDArray[Any],
    x_test: NDArray[Any] | None = None,
    y_test: NDArray[Any] | None = None,
    **options: Any,
) -> DataSet:
    """Make a data set of arrays; `from_parts` says what they, and the options, may be."""
    if x_test is None or y_test is None:
        return from_parts(name, {"train": Given(x, y)}, **options)
    parts = {
        "train": Given(x, y, "x_train", "y_train"),
        "test": Given(x_test, y_test, "x_test", "y_test"),
    }
    return from_parts(name, parts, **options)
