"""Data sets by name: scikit-learn's digits; MNIST and Fashion-MNIST, found or downloaded."""

import gzip
import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bakeoff.data.dataset import DataSet
from bakeoff.data.download import fetch
from bakeoff.data.published import (
    PUBLISHED,
    absent,
    cache_folder,
    check_hash,
    from_files,
    from_npz,
    missing,
    places,
)
from bakeoff.data.safe_reading import refusing
from bakeoff.errors import DataError

_DIGITS = "4af6f3417d7865cd8b5dbd03a9e4f16e8ef14c0f4c336c712afa1421a4f382a9"


def load_digits() -> DataSet:
    """Return scikit-learn's digits: 1,797 images of 8 × 8, pixels from 0 to 16, no test part."""
    path = _digits_file()
    with refusing(path), gzip.open(path) as packed:
        numbers = packed.read(1 << 20).replace(b"\n", b",").rstrip(b",").split(b",")
        values = np.array(numbers).astype(np.uint8).reshape(-1, 65)
    check_hash(values, _DIGITS, path)
    images = np.ascontiguousarray(values[:, :64]).reshape(-1, 8, 8, 1)
    return DataSet("digits", images, values[:, 64].astype(np.int64), tuple("0123456789"), 16, None)


def _digits_file() -> Path:
    """Find the file inside scikit-learn without importing it, which takes a second or two."""
    spec = find_spec("sklearn")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if path.is_file():
            return path
    raise DataError("digits: expected inside scikit-learn, found none: install scikit-learn >= 1.5")


def load_published(name: str, *, offline: bool = False) -> DataSet:
    """Return mnist or fashion-mnist from where it is found, else download it.

    Raises
    ------
    ChecksumMismatch
        If a file is found where the data set is expected and holds something else.
    DataError
        If it is found nowhere and cannot be downloaded.
    """
    published = PUBLISHED[name]
    for folder in places(published):
        if not missing(folder):
            return from_files(published, folder)
        if name == "mnist" and os.path.isfile(path := folder / "mnist.npz"):
            return from_npz(published, path)
    if offline:
        raise DataError(absent(published))
    cache = cache_folder(name)
    if cache is None:
        raise DataError(
            f"{name}: expected a home folder to keep it in, found none: set XDG_CACHE_HOME to a "
            f"folder of yours, or BAKEOFF_DATA to one in which {name}/ has these files"
        )
    fetch(published, cache)
    return from_files(published, cache)
