"""Simulated studies whose truth is known: what models of given accuracies classify correctly.

An image has a difficulty that all models feel, a part that each model feels on its own (standard
deviation OWN), and noise in each trial (NOISE); a seed moves all images of its trial (the seed
effect).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

OWN, NOISE, ACCURACY = 0.35, 0.35, 0.975
SEED = 20261126

SURE = 3.0  # how steeply a loss grows with the margin; see `losses`

Correct = NDArray[np.bool_]
Margins = NDArray[np.float32]
Rows = Iterator[Sequence[object]]  # of a table; the first is the head


def draw(
    rng: np.random.Generator,
    accuracies: Sequence[float],
    n_images: int,
    seeds: Sequence[int],
    *,
    effect: float,
) -> list[Correct]:
    """Return correct or wrong of models of these true accuracies, bool (n_seeds, n_images) each."""
    found = margins(rng, accuracies, n_images, seeds, effect=effect)
    return [each > 0 for each in found]


def losses(
    rng: np.random.Generator, accuracy: float, n_images: int, n_seeds: int, *, effect: float
) -> Margins:
    """Return cross-entropies of one model that is sure of itself, shape (n_seeds, n_images)."""
    (found,) = margins(rng, [accuracy], n_images, [n_seeds], effect=effect)
    result: Margins = np.logaddexp(np.float32(0), -np.float32(SURE) * found)
    return result


def true_loss(accuracy: float, *, effect: float) -> float:
    """Return the mean of `losses` over all images and seeds there could be."""
    spread = np.sqrt(1 + OWN**2 + NOISE**2 + effect**2)
    normal = np.linspace(-9, 9, 20_001)
    margin = (ndtri(accuracy) + normal) * spread
    density = np.exp(-(normal**2) / 2)
    return float(np.average(np.logaddexp(0, -SURE * margin), weights=density))


def margins(
    rng: np.random.Generator,
    accuracies: Sequence[float],
    n_images: int,
    seeds: Sequence[int],
    *,
    effect: float,
) -> list[Margins]:
    """Return how far each image is from being wrong, float (n_seeds, n_images) of each model."""
    scale = np.sqrt(1 + OWN**2 + NOISE**2 + effect**2)

    def normal(*shape: int) -> NDArray[np.float32]:
        return rng.standard_normal(shape, dtype=np.float32)

    shared = normal(n_images)
    return [
        np.float32(ndtri(accuracy) * scale)
        + (shared + np.float32(OWN) * normal(n_images))
        + np.float32(effect) * normal(n, 1)
        + np.float32(NOISE) * normal(n, n_images)
        for accuracy, n in zip(accuracies, seeds, strict=True)
    ]


def rate(count: int, studies: int) -> str:
    """Return a share with its Monte-Carlo standard error: "4.5 ± 0.9 %"."""
    share = count / studies
    error = np.sqrt(max(share * (1 - share), 1 / studies / 4) / studies)
    return f"{100 * share:.1f} ± {100 * error:.1f} %"
