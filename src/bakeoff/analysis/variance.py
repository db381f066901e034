"""One model's scores, shape (seeds, images), split by where they vary: images, seeds, and noise.

For scores c[s, i] with S seeds and n images:

    p_i    mean over the seeds, for image i        a_s    mean over the images, for seed s
    MSres  what is left of the variance of c once images and seeds have had their part:
           Σ (c[s, i] − a_s − p_i + c̄)² / ((S − 1)(n − 1))

Variances are unbiased; degrees of freedom by Satterthwaite (1946). docs/statistics.md explains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bakeoff.analysis.cross_validation import fold_variances

LEVEL = 0.95  # of every interval, unless the caller says otherwise
_ROUNDING = 1e-12  # a standard error below this share of the largest score is rounding, so zero

Scores = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Parts:
    """One model's scores, split by where they vary: `decompose` makes it, once for many pairs.

    In cross-validation (`n_folds` > 1) the seeds are repeats, `between_seeds` is a repeat's share
    of the variance of folds, and `residual` that of single scores: see `cross_validation`.
    """

    n_seeds: int
    ends: tuple[float, float]  # lowest and highest score
    mean: float
    per_image: Scores
    between_images: float
    between_seeds: float
    residual: float
    n_folds: int = 1

    @property
    def n_images(self) -> int:
        """The number of images."""
        return len(self.per_image)

    @property
    def v2(self) -> float:
        """Variance of the mean that the seeds' means show: Var_s(a_s)/S."""
        return self.between_seeds / self.n_seeds

    @property
    def v3(self) -> float:
        """The part of it that the images' variance holds, too: MSres/(n·S)."""
        return self.residual / (self.n_images * self.n_seeds)


def decompose(scores: ArrayLike, folds: ArrayLike | None = None) -> Parts:
    """Split the variance of one model's scores; a part that one seed or image cannot show is 0.

    Parameters
    ----------
    scores : shape (n_seeds, n_images)
    folds : int, the same shape; in cross-validation, the fold in which an image was tested
    """
    scores = _checked(scores)
    n_seeds, n_images = scores.shape
    per_image, per_seed = scores.mean(axis=0), scores.mean(axis=1)
    mean = float(scores.mean())  # of zeros and ones: exact, so that equal shares are equal
    between_seeds, residual, n_folds = 0.0, 0.0, 1
    if folds is not None:
        found = fold_variances(scores, folds)
        between_seeds, residual, n_folds = found.between, found.noise, found.n_folds
    elif n_seeds > 1:
        between_seeds = float(per_seed.var(ddof=1))
        if n_images > 1:
            left = scores - per_image - (per_seed - mean)[:, None]
            residual = float(np.square(left).sum()) / ((n_seeds - 1) * (n_images - 1))
    return Parts(
        n_seeds=n_seeds,
        ends=(float(scores.min()), float(scores.max())),
        mean=mean,
        per_image=per_image,
        between_images=float(per_image.var(ddof=1)) if n_images > 1 else 0.0,
        between_seeds=between_seeds,
        residual=residual,
        n_folds=n_folds,
    )


def degrees_of_freedom(
    variance: float,
    from_images: Sequence[tuple[float, float]],
    from_seeds: Sequence[tuple[float, int]],
    *,
    n_folds: int = 1,
) -> float:
    """Return Satterthwaite's: V² / Σ part²/(count − 1), at least the fewest seeds less one.

    from_images : (part of V, number of images), of all images or class by class
    from_seeds : (Var_s(a_s)/S, S) of each model
    n_folds : a repeat of cross-validation has as many means as folds, (S − 1)·K in place of S − 1
    """
    below = fsum(part**2 / (n - 1) for part, n in from_images if n > 1)
    below += fsum(part**2 / ((n - 1) * n_folds) for part, n in from_seeds if n > 1)
    return max(variance**2 / below, float(min(seeds for _, seeds in from_seeds) - 1))


def excess(between: float, residual: float) -> float:
    """Return by how much the seeds vary more than noise explains; 0 too where it is rounding."""
    return between - residual if between - residual > _ROUNDING * between else 0.0


def is_zero(variance: float, *models: Parts) -> bool:
    """Say whether a variance is rounding alone."""
    return variance <= (_ROUNDING * max(abs(end) for each in models for end in each.ends)) ** 2


def _checked(scores: ArrayLike) -> Scores:
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"expected scores of shape (n_seeds, n_images), got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("expected finite scores: metrics.cross_entropy clips losses")
    return array
