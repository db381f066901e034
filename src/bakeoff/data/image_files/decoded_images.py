"""Arrays that image files are decoded into, each at its position, and what was noticed of each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.image_files.image_file import Decoded
from bakeoff.data.safe_reading import check_memory
from bakeoff.data.sources import Pictures


@dataclass(frozen=True, eq=False)
class DecodedImages:
    """Images from files, read or still to be read; an image is of 8 bits, deep or cut.

    Attributes
    ----------
    images : uint8, shape (n, height, width, channels)
    origins : uint64, shape (n,): what each was before it was decoded
    kept : bool, shape (n,): whether it could be read, or is still to be read
    deep : bool, shape (n,): whether it has 16 bits, all of which were read
    cut : bool, shape (n,): whether it has 16 bits, of which the upper 8 were read
    deepest : int64, shape (n,): the largest value of its 16 bits; 0 for 8 bits
    """

    images: NDArray[np.uint8]
    origins: NDArray[np.uint64]
    kept: NDArray[np.bool_]
    deep: NDArray[np.bool_]
    cut: NDArray[np.bool_]
    deepest: NDArray[np.int64]

    def put(self, position: int, read: Decoded) -> None:
        """Keep one image that was read."""
        self.images[position], self.origins[position] = read.pixels, read.key
        self.deep[position] = read.deepest is not None and not read.cut
        self.cut[position] = read.cut
        self.deepest[position] = read.deepest or 0


def to_decode(count: int, how: Pictures) -> DecodedImages:
    """Return arrays for so many images; DataError above a quarter of the free memory."""
    shape = (count, *how.size, 1 if how.color == "grey" else 3)
    check_memory(2 * int(np.prod(shape, dtype=object)))
    return DecodedImages(
        images=np.empty(shape, dtype=np.uint8),
        origins=np.zeros(count, dtype=np.uint64),
        kept=np.ones(count, dtype=np.bool_),
        deep=np.zeros(count, dtype=np.bool_),
        cut=np.zeros(count, dtype=np.bool_),
        deepest=np.zeros(count, dtype=np.int64),
    )
