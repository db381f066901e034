"""Duplicates of a data set and split, kept in the user's cache: the next study need not count them.

A file that is missing, damaged or of another way of counting is counted anew. Nobody needs it.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import DataSet, Duplicates, Twins, count_duplicates, duplicates
from bakeoff.errors import BakeoffError
from bakeoff.storage import atomic, formats
from bakeoff.utils.user_paths import prune, user_cache

_MOST = 16 << 20  # bytes of such files


def known_duplicates(data: DataSet, parts: Mapping[str, NDArray[np.int64]]) -> Duplicates:
    """Return what `count_duplicates` finds among the parts, without counting twice."""
    cache = user_cache()
    if cache is None:
        return count_duplicates(data.images, parts)
    path = cache / "duplicates" / f"{_key(data, parts)}.json"
    with suppress(BakeoffError):  # not there, damaged, or not to be read
        return _read(path)
    found = count_duplicates(data.images, parts)
    with suppress(BakeoffError):  # a full disk, a home that may not be written
        prune(path.parent, most=_MOST)
        atomic.write_file(path, formats.sealed_json(asdict(found)))
    return found


def _key(data: DataSet, parts: Mapping[str, NDArray[np.int64]]) -> str:
    """Return a hash of the images, the parts and the way of counting."""
    digest = hashlib.sha256(f"{data.hash}\n".encode() + Path(duplicates.__file__).read_bytes())
    for name, rows in parts.items():
        digest.update(f"\n{name} {len(rows)}\n".encode())
        digest.update(rows.astype("<i8").tobytes())
    return digest.hexdigest()[:32]


def _read(path: Path) -> Duplicates:
    document = formats.open_sealed_json(atomic.read_file(path), path)
    return Duplicates(
        tuple(
            Twins(
                each["earlier"],
                each["later"],
                each["exact"],
                each["near"],
                _pairs(each["exact_examples"]),
                _pairs(each["near_examples"]),
            )
            for each in document["pairs"]
        )
    )


def _pairs(examples: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((earlier, later) for earlier, later in examples)
