"""What difference a study can detect, known before it is trained from what real networks vary."""

from __future__ import annotations

from math import sqrt

import scipy  # and not its parts: see statistics.py

from bakeoff.analysis.advice import LIKELY
from bakeoff.analysis.statistics import FEWEST_SEEDS, MOST_DF
from bakeoff.analysis.verdicts import ALPHA
from bakeoff.utils.text import counted, points

# Of networks that are 95 and 97 % correct on MNIST, 40 seeds each on 60,000 unseen images:
# `python -m benchmarks.seed_pool show` prints them. Better networks vary less, worse ones more.
IMAGES = 0.020  # variance of d_i between two different networks, for an image, noise left out
NOISE = 0.0082  # MSres of one network
SEEDS = 9.4e-7  # variance of one network's accuracy between seeds, noise left out


def detectable(n_images: int, n_seeds: int, n_models: int, n_looks: int = 0) -> float | None:
    """Smallest difference of two accuracies that is found in 80 % of studies.

    At the level of Holm's first step, over all pairs of `n_models` and all declared looks. None
    where there is no verdict: one model, or fewer than FEWEST_SEEDS seeds.
    """
    pairs = n_models * (n_models - 1) // 2
    if not pairs or n_seeds < FEWEST_SEEDS or n_images < 2:
        return None
    variance = IMAGES / n_images + 2 * (NOISE / n_images + SEEDS) / n_seeds
    df = MOST_DF * (n_seeds - 1)
    t = scipy.special.stdtrit(df, LIKELY) - scipy.special.stdtrit(
        df, ALPHA / pairs / max(1, n_looks) / 2
    )
    return min(1.0, float(t) * sqrt(variance))


def about_power(n_images: int, n_seeds: int, n_models: int, n_looks: int = 0) -> str:
    """Say what `detectable` found."""
    found = detectable(n_images, n_seeds, n_models, n_looks)
    if found is None:
        return f"No verdicts: they need two models and {FEWEST_SEEDS} seeds of each."
    looks = f"; at the last of {n_looks} looks" if n_looks else ""
    return (
        f"Differences from about {points(found, 1)} points on are found in 80 % of such studies "
        f"({counted(n_images, 'test image')}{looks}; for networks that are about 97 % correct)."
    )
