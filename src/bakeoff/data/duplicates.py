"""Images that stand in two parts of a split, or in two folds: the same bytes, or nearly."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
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
    ranks = _ranks(images)
    means, contrasts = _summaries(images)
    pairs = []
    for (earlier, before), (later, after) in combinations(parts.items(), 2):
        if len(before) and len(after):
            exact, alone, firsts = _exact(ranks, before, after)
            closest = _closest(_near_pairs(images, means, contrasts, firsts, alone))
            near = tuple((closest[each], each) for each in sorted(closest))
            pairs.append(
                Twins(earlier, later, len(exact), len(near), exact[:_NAMED], near[:_NAMED])
            )
    return Duplicates(tuple(pairs))


def count_across_folds(images: NDArray[Any], tested: NDArray[np.int64]) -> Duplicates:
    """Count the images that have a twin in another fold, in one repeat or more.

    Each of two copies is tested by a network that was given the other, so both count; an image
    counts once, however many copies it has. What a twin is, see `count_duplicates`.

    Parameters
    ----------
    images : shape (n, height, width, channels)
        `DataSet.images`.
    tested : int64, shape (repeats, n)
        The fold of each image, `Folds.tested`.

    Returns
    -------
    Duplicates
        One entry, "train" and "test". Its examples name two images once, the earlier one first.
    """
    ranks = _ranks(images)
    exact = _copies_apart(ranks, tested)
    near = {
        later: earlier
        for later, earlier in _closest_apart(images, ranks, tested).items()
        if later not in exact
    }
    counted = [exact, near]
    named = [tuple(sorted({_in_order(pair) for pair in each.items()})[:_NAMED]) for each in counted]
    return Duplicates((Twins("train", "test", len(exact), len(near), named[0], named[1]),))


Positions = NDArray[np.int64]
Pairs = tuple[Positions, Positions, NDArray[np.float64]]  # earlier, later, how far apart


def _in_order(pair: tuple[int, int]) -> tuple[int, int]:
    return min(pair), max(pair)


def _copies_apart(ranks: Positions, tested: Positions) -> dict[int, int]:
    """Return, for each image with a copy in another fold in some repeat, one such copy."""
    order = np.argsort(ranks, kind="stable")
    starts = np.flatnonzero(np.diff(ranks[order], prepend=-1))
    copies: dict[int, int] = {}
    for same in np.split(order, starts[1:]):
        folds = tested[:, same]
        # apart from the first copy; the others are in its fold in every repeat
        apart = (folds != folds[:, :1]).any(axis=0)
        if apart.any():
            others = np.where(apart, same[0], same[apart][0])
            copies |= dict(zip(same.tolist(), others.tolist(), strict=True))
    return copies


def _closest_apart(images: NDArray[Any], ranks: Positions, tested: Positions) -> dict[int, int]:
    """Return, for each image with a near twin in another fold in some repeat, the closest."""
    everything = np.arange(len(images))

    def apart() -> Iterator[Pairs]:
        for earlier, later, far in _near_pairs(images, *_summaries(images), everything, everything):
            kept = (tested[:, earlier] != tested[:, later]).any(axis=0)
            kept &= ranks[earlier] != ranks[later]
            yield earlier[kept], later[kept], far[kept]

    return _closest(apart())


def _closest(pairs: Iterable[Pairs]) -> dict[int, int]:
    """Return the closest of the earlier images, by the later one."""
    closest: dict[int, tuple[float, int]] = {}
    for each in pairs:
        for earlier, later, distance in zip(*(values.tolist() for values in each), strict=True):
            closest[later] = min((distance, earlier), closest.get(later, (distance, earlier)))
    return {later: earlier for later, (_, earlier) in closest.items()}


def _ranks(images: NDArray[Any]) -> Positions:
    """Return a number for each image, equal for equal contents alone."""
    digests = np.array([_digest(image) for image in images], dtype="V16")
    return np.unique(digests, return_inverse=True)[1]


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


def _near_pairs(
    images: NDArray[Any],
    means: NDArray[np.float32],
    contrasts: NDArray[np.float32],
    before: Positions,
    after: Positions,
) -> Iterator[Pairs]:
    """Yield (of `before`, of `after`, distance) of images that are nearly alike, or the same."""
    from scipy.spatial import cKDTree

    tree = cKDTree(means[before])
    ordered = after[np.argsort(contrasts[after], kind="stable")]
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
        near = distances <= limits
        yield earlier[near], later[near], distances[near]


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
