"""How much choosing on the images that one reports buys; NumPy only.

The test images are cut in two at random, many times. On one half the choice is made and its
accuracy read, as the documents do; the other half says what the choice is worth on images that had
no part in it. The difference is the optimism of the reported figure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from bakeoff.analysis.variance import LEVEL

HALVES = 250  # random cuts; each serves twice, with its halves exchanged
BLOCKS = 20  # of test images, left out in turn for the interval
Correct = NDArray[np.bool_]


@dataclass(frozen=True)
class Mean:
    """A mean over halves and seeds, in accuracy; the interval is for other seeds and images.

    spread : the middle 95 % of single cuts of single seeds: what one notebook may meet
    """

    mean: float
    low: float
    high: float
    spread: tuple[float, float]


@dataclass(frozen=True)
class Bought:
    """What a choice on one half of the test images comes to.

    seen : accuracy on the images that chose; worth : on the others; optimism : seen − worth
    by_validation, by_loss, last : worth of other ways to choose, on those same other images
    gain : worth − by_validation: what the test images chose better than validation images did
    """

    seen: Mean
    worth: Mean
    optimism: Mean
    by_validation: Mean
    by_loss: Mean
    last: Mean | None
    gain: Mean


def bought(
    candidates: Sequence[Correct],
    others: Mapping[str, Sequence[NDArray[np.int64]]],
    *,
    share: float = 0.5,
    halves: int = HALVES,
    seed: int = 0,
) -> Bought:
    """Measure what choosing among candidates by the test images buys.

    Parameters
    ----------
    candidates : one array for each choice that was made, bool (seeds, candidates, n_images): which
        images every candidate classifies correctly. With several arrays (one a model, where only
        the epoch is chosen) their results are averaged.
    others : for "by_validation", "by_loss" and perhaps "last", and for each array, the candidate
        that this rule chooses, int (seeds,)
    share : of the test images that choose; at most one half. The other half scores.
    halves : number of random cuts
    """
    n_images = candidates[0].shape[2]
    masks = _cuts(n_images, share, halves, seed)
    pieces = np.array_split(np.random.default_rng([seed, 1]).permutation(n_images), BLOCKS)
    parts = [
        _one_choice(correct, {rule: chosen[k] for rule, chosen in others.items()}, masks, pieces)
        for k, correct in enumerate(candidates)
    ]
    values = {name: np.mean([part[name] for part in parts], axis=0) for name in parts[0]}
    singles = {name: np.concatenate([part[name][-1] for part in parts]) for name in parts[0]}
    for table in (values, singles):
        table["optimism"] = table["seen"] - table["worth"]
        table["gain"] = table["worth"] - table["by_validation"]
    means = {name: _mean(values[name], singles[name]) for name in values}
    return Bought(last=means.pop("last", None), **means)


def _cuts(n_images: int, share: float, halves: int, seed: int) -> tuple[Correct, Correct]:
    """Return masks of the images that choose and of those that score, each (n_images, 2·halves)."""
    rng = np.random.default_rng(seed)
    half = n_images // 2
    size = round(share * n_images)
    choosing = np.zeros((n_images, 2 * halves), bool)
    scoring = np.zeros_like(choosing)
    for k in range(halves):
        order = rng.permutation(n_images)
        for column, images in ((2 * k, order), (2 * k + 1, order[::-1])):
            choosing[images[:size], column] = True
            scoring[images[n_images - half :], column] = True
    return choosing, scoring


def _one_choice(
    correct: Correct,
    others: Mapping[str, NDArray[np.int64]],
    masks: tuple[Correct, Correct],
    pieces: Sequence[NDArray[np.int64]],
) -> dict[str, NDArray[np.float64]]:
    """Return each quantity, (BLOCKS + 1, seeds, cuts): without each block, then with all."""
    seeds, n_candidates, _ = correct.shape
    flat = correct.reshape(seeds * n_candidates, -1)
    seen, scored = (_accuracies(flat, mask, pieces) for mask in masks)
    shape = (len(pieces) + 1, seeds, n_candidates, -1)
    seen, scored = seen.reshape(shape), scored.reshape(shape)
    best = seen.argmax(axis=2)[:, :, None]  # the earliest on ties
    result = {
        "seen": np.take_along_axis(seen, best, axis=2)[:, :, 0],
        "worth": np.take_along_axis(scored, best, axis=2)[:, :, 0],
    }
    for rule, chosen in others.items():
        result[rule] = scored[:, np.arange(seeds), chosen]
    return result


def _accuracies(
    flat: Correct, mask: Correct, pieces: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Return the accuracies on the masked images without each block, then on all of them."""
    hits = np.stack([_product(flat[:, piece], mask[piece]) for piece in pieces])
    sizes = np.stack([mask[piece].sum(axis=0) for piece in pieces])
    all_hits, all_sizes = hits.sum(axis=0), sizes.sum(axis=0)
    left_hits = np.concatenate([all_hits - hits, all_hits[None]])
    left_sizes = np.concatenate([all_sizes - sizes, all_sizes[None]])
    accuracies: NDArray[np.float64] = left_hits / left_sizes[:, None, :]
    return accuracies


def _product(a: Correct, b: Correct) -> NDArray[np.float64]:
    return (a.astype(np.float32) @ b.astype(np.float32)).astype(np.float64)  # exact: whole numbers


def _mean(values: NDArray[np.float64], singles: NDArray[np.float64]) -> Mean:
    """Mean over seeds and cuts; its interval adds the seeds' variance to a jackknife's of images.

    Both hold what belongs to seed and image at once, so the interval is, if anything, too wide.
    """
    per_seed = values.mean(axis=2)
    mean, n_seeds = float(per_seed[-1].mean()), per_seed.shape[1]
    without = per_seed[:-1].mean(axis=1)
    from_images = (BLOCKS - 1) / BLOCKS * float(np.square(without - without.mean()).sum())
    from_seeds = float(per_seed[-1].var(ddof=1)) / n_seeds if n_seeds > 1 else 0.0
    half = float(stdtrit(max(n_seeds - 1, 1), (1 + LEVEL) / 2)) * sqrt(from_images + from_seeds)
    low, high = np.quantile(singles, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Mean(mean, mean - half, mean + half, (float(low), float(high)))
