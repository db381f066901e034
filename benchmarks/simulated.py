"""Simulated studies whose truth is known: right or wrong of models of given true accuracies.

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

Correct = NDArray[np.bool_]
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
    scale = np.sqrt(1 + OWN**2 + NOISE**2 + effect**2)

    def normal(*shape: int) -> NDArray[np.float32]:
        return rng.standard_normal(shape, dtype=np.float32)

    shared = normal(n_images)
    return [
        np.float32(ndtri(accuracy) * scale)
        + (shared + np.float32(OWN) * normal(n_images))
        + np.float32(effect) * normal(n, 1)
        + np.float32(NOISE) * normal(n, n_images)
        > 0
        for accuracy, n in zip(accuracies, seeds, strict=True)
    ]


def rate(count: int, studies: int) -> str:
    """Return a share with its Monte-Carlo standard error: "4.5 ± 0.9 %"."""
    share = count / studies
    error = np.sqrt(max(share * (1 - share), 1 / studies / 4) / studies)
    return f"{100 * share:.1f} ± {100 * error:.1f} %"
