"""Files in MNIST's format for tests."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.formats.idx import idx_header


def idx_bytes(array: NDArray[Any]) -> bytes:
    """Return an array of unsigned bytes as the content of an IDX file."""
    return idx_header(array.shape) + np.ascontiguousarray(array, dtype=np.uint8).tobytes()
