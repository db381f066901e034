"""Images that stand in two parts of a split: the same bytes, or nearly the same picture."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Twins:
    """Images of the later part that have a twin in the earlier one.

    `exact` and `near` count images; one that has an exact twin is not counted as near. The
    examples are (position in the earlier part's array, position in the later's) in
    `DataSet.images`, the first few of each kind.
    """

    earlier: str
    later: str
    exact: int
    near: int
    exact_examples: tuple[tuple[int, int], ...]
    near_examples: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Duplicates:
    """Twins for every pair of parts that are not empty."""

    pairs: tuple[Twins, ...]

    @property
    def exact(self) -> int:
        """Exact twins over all pairs."""
        return sum(pair.exact for pair in self.pairs)

    @property
    def near(self) -> int:
        """Near twins over all pairs."""
        return sum(pair.near for pair in self.pairs)


def count_duplicates(images: NDArray[Any], parts: Mapping[str, NDArray[np.int64]]) -> Duplicates:
    """Count images that stand in two parts."""
    digests = np.array(
        [hashlib.blake2b(image, digest_size=16).digest() for image in images], dtype="V16"
    ).view("S16")
    pairs = []
    for (earlier, before), (later, after) in combinations(parts.items(), 2):
        if len(before) and len(after):
            pairs.append(
                Twins(
                    earlier, later, int(np.isin(digests[after], digests[before]).sum()), 0, (), ()
                )
            )
    return Duplicates(tuple(pairs))
