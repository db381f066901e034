"""A published data set of eight images that goes by the name of mnist, and its files."""

import gzip
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import DataSet
from bakeoff.data import published as sources
from bakeoff.data.formats.idx import idx_header
from tests.helpers.idx import idx_bytes

SMALL = {
    "x_train": np.arange(6 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(6, 28, 28),
    "y_train": np.arange(6, dtype=np.uint8),
    "x_test": np.full((2, 28, 28), 7, np.uint8),
    "y_test": np.array([3, 9], np.uint8),
}


def put(folder: Path, *, packed: bool = True) -> None:
    """Write the four files into a folder."""
    folder.mkdir(parents=True)
    for key, stem in sources.FILES.items():
        content = idx_bytes(SMALL[key])
        path = folder / (f"{stem}.gz" if packed else stem)
        path.write_bytes(gzip.compress(content) if packed else content)


def good(target: Path, key: str) -> None:
    """Download a file as it should be."""
    target.write_bytes(gzip.compress(idx_bytes(SMALL[key])))


def wrong(target: Path, key: str) -> None:
    """Download another file."""
    target.write_bytes(gzip.compress(idx_bytes(255 - SMALL[key])))


def check(loaded: DataSet) -> None:
    """Compare a loaded data set with the eight images."""
    assert (loaded.name, loaded.test_start, loaded.maximum) == ("mnist", 6, 255)
    assert loaded.input_shape == (28, 28, 1)
    assert loaded.labels.tolist() == [0, 1, 2, 3, 4, 5, 3, 9]
    np.testing.assert_array_equal(loaded.images[:6, ..., 0], SMALL["x_train"])
    np.testing.assert_array_equal(loaded.images[6:, ..., 0], SMALL["x_test"])


OTHER = (
    "delete it or get it again, or, where these are images of your own, name them as "
    "{idx: [images, labels]}"
)


def mismatch(path: Path, expected: str, content: NDArray[Any]) -> str:
    """Return what is said of a file that holds this array and should have another SHA-256."""
    found = hashlib.sha256(idx_header(content.shape) + content.tobytes()).hexdigest()
    return (
        f"{path}: expected the published file (SHA-256 of its content {expected[:12]}…), found "
        f"another ({found[:12]}…): {OTHER}"
    )
