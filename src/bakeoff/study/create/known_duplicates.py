"""Duplicates of a data set and split, kept in the user's cache: the next study need not count them.

They are counted again where the file is missing, damaged or from another version of the counting.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import (
    DataSet,
    Duplicates,
    Twins,
    count_across_folds,
    count_duplicates,
    duplicates,
)
from bakeoff.data.folds import Folds
from bakeoff.data.split import Split
from bakeoff.errors import BakeoffError
from bakeoff.storage import atomic, formats
from bakeoff.utils.user_paths import prune, user_cache

_MOST = 16 << 20  # bytes of such files

Where = Mapping[str, NDArray[np.int64]] | NDArray[np.int64]  # parts; or `Folds.tested`


def twins(
    data: DataSet, split: Split | Folds
) -> tuple[dict[str, dict[str, int]], list[dict[str, Any]]]:
    """Return how many images have a twin in another part, or fold, and the first of each kind."""
    found = known_duplicates(data, split.tested if isinstance(split, Folds) else split.parts())
    counts: dict[str, dict[str, int]] = {"exact": {}, "near": {}}
    named: list[dict[str, Any]] = []
    for kind in counts:
        for pair in found.pairs:
            parts = f"{pair.earlier}-{pair.later}"
            counts[kind][parts] = getattr(pair, kind)
            for rows in getattr(pair, f"{kind}_examples"):
                files = [_called(data, row) for row in rows]
                named.append({"kind": kind, "parts": parts, "files": files})
    return counts, named


def _called(data: DataSet, row: int) -> str:
    return f"no. {row} of the data" if data.files is None else data.files[row]


def known_duplicates(data: DataSet, where: Where) -> Duplicates:
    """Return the twins among parts by name, or among folds, without counting twice."""
    cache = user_cache()
    if cache is None:
        return _count(data, where)
    path = cache / "duplicates" / f"{_key(data, where)}.json"
    with suppress(BakeoffError):  # not there, damaged, or not to be read
        return _read(path)
    found = _count(data, where)
    with suppress(BakeoffError):  # a full disk, a home that may not be written
        prune(path.parent, most=_MOST)
        atomic.write_file(path, formats.sealed_json(asdict(found)))
    return found


def _count(data: DataSet, where: Where) -> Duplicates:
    if isinstance(where, np.ndarray):
        return count_across_folds(data.images, where)
    return count_duplicates(data.images, where)


def _key(data: DataSet, where: Where) -> str:
    """Return a hash of the images, the parts or folds, and the way of counting."""
    parts = (
        {f"folds of repeat {repeat}": folds for repeat, folds in enumerate(where)}
        if isinstance(where, np.ndarray)
        else where
    )
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
