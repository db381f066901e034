"""Images known again wherever they turn up: by what they were before they were read, cut or split.

A test set has many faces: another size, another split seed, other class names, another file. What
its images were stays the same, so that is what the ledgers keep: a few of the smallest keys.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import DataSet

KEPT = 256  # keys of a test set: two sets that share a tenth of their images share 25 of them
_CHUNK = 1 << 20  # pixels in floating point at a time


def image_keys(data: DataSet, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a key for every image in `rows`, uint64: of its source, or else of its pixels.

    Pixels count as bytes from 0 to 255, so that one image in an npz file of floats and in an IDX
    file of bytes has one key.
    """
    if data.origins is not None:
        return data.origins[rows]
    keys = np.empty(len(rows), dtype=np.uint64)
    for position, row in enumerate(rows):
        keys[position] = pixel_key(data.images[row], data.maximum)
    return keys


def quick_keys(data: DataSet) -> NDArray[np.uint64]:
    """Return a number for every image, uint64, in a fraction of the time of `image_keys`.

    Images of one key have one number; images of one number seldom have different keys.
    """
    if data.origins is not None:
        return data.origins
    size = int(np.prod(data.input_shape))
    words = size // 8
    factors = np.random.default_rng(0).integers(1 << 63, size=words, dtype=np.uint64) * 2 + 1
    numbers = np.empty(len(data.labels), dtype=np.uint64)
    step = max(1, _CHUNK // size)
    for start in range(0, len(numbers), step):
        pixels = _bytes(data.images[start : start + step], data.maximum).reshape(-1, size)
        whole = np.ascontiguousarray(pixels[:, : 8 * words]).view(np.uint64)
        numbers[start : start + step] = whole @ factors  # modulo 2⁶⁴
    return numbers


def identical_keys(data: DataSet, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a key for every image in `rows`, uint64, equal for the same pixels, or files, alone.

    `image_keys` are of bytes, which pixels of 16 bits and floats may share that differ a little.
    """
    if data.origins is not None:
        return data.origins[rows]
    keys = (content_key(np.ascontiguousarray(data.images[row]).tobytes()) for row in rows)
    return np.fromiter(keys, dtype=np.uint64, count=len(rows))


def pixel_key(image: NDArray[Any], maximum: float) -> np.uint64:
    """Return the key of one image's pixels, on the scale of a data set whose white is `maximum`."""
    return content_key(_bytes(image, maximum).tobytes())


def _bytes(pixels: NDArray[Any], maximum: float) -> NDArray[np.uint8]:
    """Return pixels as bytes whose white is 255."""
    if pixels.dtype != np.uint8 or maximum != 255:
        pixels = np.rint(pixels.astype(np.float64) * (255 / maximum)).astype(np.uint8)
    return np.ascontiguousarray(pixels)


def content_key(content: bytes) -> np.uint64:
    """Return the first eight bytes of the SHA-256 of some bytes, as a number."""
    return np.uint64(int.from_bytes(hashlib.sha256(content).digest()[:8]))


def smallest_keys(keys: NDArray[np.uint64]) -> list[str]:
    """Return the KEPT smallest keys, ascending, each as a ledger has it."""
    return [in_ledger(key) for key in np.unique(keys)[:KEPT]]


def in_ledger(key: np.uint64) -> str:
    """Return a key as a ledger has it: 16 hexadecimal digits."""
    return f"{int(key):016x}"


def shared_images(one: Sequence[str], other: Sequence[str]) -> float:
    """Return the share of one set's images that another has, from the smallest keys of both.

    Exact where both have at most KEPT images. Else an estimate: below the largest key that both
    lists reach they are complete, and a key is as good as drawn at random (Beyer et al. 2007).
    """
    reach = min([each[-1] for each in (one, other) if len(each) == KEPT], default="g")
    mine = {key for key in one if key <= reach}
    return len(mine.intersection(other)) / len(mine) if mine else 0.0
