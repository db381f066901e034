"""Images that stand in two parts of a split: the same bytes, or nearly the same picture."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEAR = 0.05
CANDIDATES = 64
_BLOCKS = 4
_GROUPS = 32  # of images of like contrast, which share a search radius
_CHUNK = 1 << 21  # pixels in floating point at a time
_NAMED = 5


@dataclass(frozen=True)
class Twins:
    """Images of the later part that have a twin in the earlier one.

    `exact` and `near` count images; one that has an exact twin is not counted as near. The
    examples are pairs of positions in `DataSet.images` (earlier, later), the first five of a kind.
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
    """Count the images of every part that have a twin in an earlier part.

    Exact twins have the same bytes. Near twins differ, pixel by pixel and on average, by at most
    NEAR of the weaker contrast of the two, an image's contrast being the mean distance of its
    pixels from their mean. So a re-encoded or faintly changed picture is found; a shifted, rotated
    or cropped one is not. Of each image the CANDIDATES closest by the means of 4 × 4 blocks are
    looked at: these means differ by no more than the pixels do, so only in a crowd of more
    look-alikes can a twin be missed.

    Parameters
    ----------
    images : shape (n, height, width, channels)
        `DataSet.images`.
    parts : mapping of name to int64 positions
        In order, for instance `Split.parts()`; empty parts are left out.

    Returns
    -------
    Duplicates
    """
    digests = np.array([_digest(image) for image in images], dtype="V16")
    ranks = np.unique(digests, return_inverse=True)[1]
    means, contrasts = _summaries(images)
    pairs = []
    for (earlier, before), (later, after) in combinations(parts.items(), 2):
        if len(before) and len(after):
            exact, alone, firsts = _exact(ranks, before, after)
            near = _near(images, means, contrasts, firsts, alone)
            pairs.append(
                Twins(earlier, later, len(exact), len(near), exact[:_NAMED], near[:_NAMED])
            )
    return Duplicates(tuple(pairs))


Positions = NDArray[np.int64]


def _digest(image: NDArray[Any]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()


def _exact(
    ranks: Positions, before: Positions, after: Positions
) -> tuple[tuple[tuple[int, int], ...], Positions, Positions]:
    """Return (exact twins, what of `after` has none, one of `before` for each content)."""
    contents, first = np.unique(ranks[before], return_index=True)
    index = np.searchsorted(contents, ranks[after]).clip(max=len(contents) - 1)
    same = contents[index] == ranks[after]
    earlier = before[first[index[same]]]
    twins = tuple(zip(earlier.tolist(), after[same].tolist(), strict=True))
    return twins, after[~same], np.sort(before[first])


def _summaries(images: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (block means by their share of the image, (n, ≤ 16); contrasts, (n,))."""
    n, height, width, channels = images.shape
    rows, columns = min(_BLOCKS, height), min(_BLOCKS, width)
    block = (np.arange(height) * rows // height)[:, None] * columns + np.arange(
        width
    ) * columns // width
    weights = np.zeros((height * width * channels, rows * columns), dtype=np.float32)
    flat = np.repeat(block.reshape(-1), channels)
    weights[np.arange(len(flat)), flat] = 1 / len(flat)
    means = np.empty((n, rows * columns), dtype=np.float32)
    contrasts = np.empty(n, dtype=np.float32)
    step = max(1, _CHUNK // len(flat))
    for start in range(0, n, step):
        pixels = images[start : start + step].reshape(-1, len(flat)).astype(np.float32)
        means[start : start + step] = pixels @ weights
        pixels -= pixels.mean(axis=1, keepdims=True)
        contrasts[start : start + step] = np.abs(pixels, out=pixels).mean(axis=1)
    return means, contrasts


def _near(
    images: NDArray[Any],
    means: NDArray[np.float32],
    contrasts: NDArray[np.float32],
    before: Positions,
    after: Positions,
) -> tuple[tuple[int, int], ...]:
    """Return (earlier, later) for the images of `after` that have a near twin in `before`."""
    from scipy.spatial import cKDTree

    tree = cKDTree(means[before])
    ordered = after[np.argsort(contrasts[after], kind="stable")]
    twins: dict[int, tuple[float, int]] = {}
    for group in np.array_split(ordered, min(_GROUPS, len(ordered)) or 1):
        if not len(group):
            continue
        radius = NEAR * float(contrasts[group[-1]]) * 1.0001 + 1e-6  # rounding of the means
        found = tree.query(
            means[group],
            k=min(CANDIDATES, len(before)),
            p=1,
            distance_upper_bound=radius,
            workers=-1,
        )[1].reshape(len(group), -1)
        row, column = np.nonzero(found < len(before))
        later, earlier = group[row], before[found[row, column]]
        limits = NEAR * np.minimum(contrasts[later], contrasts[earlier])
        distances = _distances(images, earlier, later)
        for index in np.flatnonzero(distances <= limits):
            pair = (float(distances[index]), int(earlier[index]))
            key = int(later[index])
            twins[key] = min(pair, twins.get(key, pair))
    return tuple((twins[later][1], later) for later in sorted(twins))


def _distances(images: NDArray[Any], earlier: Positions, later: Positions) -> NDArray[np.float64]:
    """Return the mean absolute differences of pairs of images, shape (n_pairs,)."""
    distances = np.empty(len(earlier))
    size = int(np.prod(images.shape[1:]))
    step = max(1, _CHUNK // size)
    for start in range(0, len(earlier), step):
        chosen = slice(start, start + step)
        ours = images[earlier[chosen]].astype(np.float32)
        ours -= images[later[chosen]]
        distances[chosen] = np.abs(ours, out=ours).reshape(-1, size).mean(axis=1)
    return distances
