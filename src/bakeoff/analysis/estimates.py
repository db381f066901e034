"""One model's scores, shape (seeds, images), in; means with intervals out.

A score is 1 for a correct prediction, 0 for a wrong one, or a loss. Two things make a mean of
scores uncertain: another test set would hold other images, other seeds would train other weights.
Every interval counts both, with the parts of `variance`, and is of `variance.LEVEL`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, isnan, log, nan, sqrt
from typing import Literal

import numpy as np
import scipy  # its parts are imported where they are used: `bakeoff status` needs none
from numpy.typing import ArrayLike, NDArray

from bakeoff.analysis.metrics import EPSILON
from bakeoff.analysis.variance import LEVEL, Parts, decompose, degrees_of_freedom, excess, is_zero

LARGEST_LOSS = -log(EPSILON)  # of one image, as `metrics.cross_entropy` clips it
_MOST_STRETCH = 50.0  # exponent beyond which every bound is that of any loss
FEWEST_FOR_F1 = 10  # images of a class, below which the interval of macro F1 does not hold

Method = Literal["two-way", "images", "wilson", "degenerate", "none"]


@dataclass(frozen=True)
class Estimate:
    """A mean of scores with its interval, and where its uncertainty comes from.

    `method` names the interval: "two-way" (images and seeds, Student's t), "images" (Student's t
    over images: one seed), "wilson" (a share of n images), "degenerate" (nothing varies, so the
    interval is the mean itself) or "none" (no interval that holds: `low` and `high` are nan). The
    squared standard error is `image_variance` + `seed_variance` + `noise_variance`: more images
    shrink the first, more seeds the second, either the third. The last two are None where one
    seed cannot tell them.
    """

    mean: float
    low: float
    high: float
    n_images: int
    n_seeds: int
    df: float | None
    method: Method
    image_variance: float
    seed_variance: float | None
    noise_variance: float | None

    @property
    def has_interval(self) -> bool:
        """Whether `low` and `high` say something."""
        return not isnan(self.low)

    @property
    def shares(self) -> tuple[float, float, float] | None:
        """The shares of the images, the seeds and both at once in V; None where unknown."""
        if self.seed_variance is None or self.noise_variance is None:
            return None
        parts = (self.image_variance, self.seed_variance, self.noise_variance)
        total = sum(parts)
        return None if total <= 0 else (parts[0] / total, parts[1] / total, parts[2] / total)


def estimate(scores: ArrayLike, *, folds: ArrayLike | None = None) -> Estimate:
    """Share of correct predictions of one model, with an interval for other images and other seeds.

    Parameters
    ----------
    scores : bool or float in [0, 1], shape (n_seeds, n_images)
    folds : int, the same shape; in cross-validation, the fold in which an image was tested

    Notes
    -----
    One image that all seeds classify correctly and one that none does are added before the variance
    is taken (as Agresti and Coull 1998 do for one share): N = n + 2, m = (Σp + 1)/N and
    V1 = [Σ(p − m)² + m² + (1 − m)²] / ((N − 1)·N). V = V1 + max(0, Var_s(a_s)/S − MSres/(n·S)),
    and the interval is m ± t·√V, clipped to [0, 1], with df = V² / [V1²/(N − 1) +
    (Var_s(a_s)/S)²/(S − 1)], at least S − 1. The mean is that of the scores themselves. One seed
    whose scores are all 0 or 1, and a single image, get Wilson's interval.
    """
    parts = decompose(scores, folds)
    n_images = parts.n_images
    if n_images == 1 or (parts.n_seeds == 1 and np.isin(scores, (0.0, 1.0)).all()):
        share = min(max(parts.mean, 0.0), 1.0)
        low, high = wilson(share * n_images, n_images)
        # A single image says nothing about other images, whatever the seeds do.
        v1 = parts.between_images / n_images if n_images > 1 else 0.0
        return Estimate(
            parts.mean, low, high, n_images, parts.n_seeds, None, "wilson", v1,
            *((None, None) if parts.n_seeds == 1 else (0.0, 0.0)),
        )  # fmt: skip
    center, from_images = _with_two_more(parts.per_image)
    return _interval(
        mean=parts.mean,
        center=center,
        from_images=[from_images],
        v2=parts.v2,
        v3=parts.v3,
        n_images=n_images,
        n_seeds=parts.n_seeds,
        n_folds=parts.n_folds,
    )


def estimate_balanced(
    correct: ArrayLike,
    labels: NDArray[np.int64],
    *,
    folds: ArrayLike | None = None,
) -> Estimate:
    """Mean of the classes' accuracies, with an interval.

    Parameters
    ----------
    correct : bool, shape (n_seeds, n_images)
    labels : int64, shape (n_images,); classes without images do not count.
    folds : int, the shape of `correct`; in cross-validation, the fold in which an image was tested

    Notes
    -----
    `estimate`'s formulas class by class, each with its own two images added, which weigh 1/K with
    K classes (else they would pull all classes towards a half); parts are divided by K². In
    cross-validation V2 and V3 come from the images' shares in the mean, n·c/(K·n_k), by fold means.
    """
    scores = np.asarray(correct, dtype=np.float64)
    classes = np.unique(labels)
    n_seeds, k = len(scores), len(classes)
    each = [decompose(scores[:, labels == one]) for one in classes]
    added = [_with_two_more(parts.per_image, 1 / k) for parts in each]
    per_seed = np.mean([scores[:, labels == one].mean(axis=1) for one in classes], axis=0)
    v2 = float(per_seed.var(ddof=1)) / n_seeds if n_seeds > 1 else 0.0
    v3 = sum(parts.residual / parts.n_images for parts in each) / (k**2 * n_seeds)
    n_folds = 1
    if folds is not None:
        sizes = np.bincount(labels)
        shares = decompose(scores * (len(labels) / (k * sizes[labels])), folds)
        v2, v3, n_folds = shares.v2, shares.v3, shares.n_folds
    return _interval(
        mean=float(np.mean([parts.mean for parts in each])),
        center=float(np.mean([center for center, _ in added])),
        from_images=[(v1 / k**2, total) for _, (v1, total) in added],
        v2=v2,
        v3=v3,
        n_images=scores.shape[1],
        n_seeds=n_seeds,
        n_folds=n_folds,
    )


def estimate_loss(losses: ArrayLike, *, folds: ArrayLike | None = None) -> Estimate:
    """Mean loss of one model, with an interval on a logarithmic scale, which suits a skew sum.

    Parameters
    ----------
    losses : cross-entropies, float, not negative, shape (n_seeds, n_images)
    folds : int, the same shape; in cross-validation, the fold in which an image was tested

    Notes
    -----
    A few images make up most of a loss, and a small sample may hold none of them. So one image is
    added before the variance is taken: N = n + 1 images with the mean m, V as in `estimate` but
    for their V1. Below the mean c̄ it has the largest loss of all (its mean over the seeds), and the
    interval begins at c̄·exp(−t·√V/c̄). Above, it has that or the loss of a mistake, by
    `_loss_of_a_mistake`, whichever is larger, and the interval ends at m·exp(t·√V/m), or at
    LARGEST_LOSS. Where no loss differs from another it is the loss itself.
    """
    parts = decompose(losses, folds)
    plain = _estimate(parts, parts.between_images / parts.n_images, parts.n_images)
    if plain.method == "degenerate":
        return plain
    largest = float(parts.per_image.max())
    mistake = max(largest, _loss_of_a_mistake(np.asarray(losses)))
    below, half, _ = _with_one_more(parts, largest)
    _, half_above, center = _with_one_more(parts, mistake)
    low = plain.mean / exp(min(_MOST_STRETCH, half / plain.mean))
    high = center * exp(min(_MOST_STRETCH, half_above / center))
    return replace(below, low=low, high=min(max(LARGEST_LOSS, plain.mean), high))


def estimate_macro_f1(
    scores: ArrayLike,
    smallest_class: int,
    *,
    folds: ArrayLike | None = None,
) -> Estimate:
    """Macro F1 from `metrics.macro_f1_scores`, shape (n_seeds, n_images), with an interval.

    Without one where a class has fewer than FEWEST_FOR_F1 images, or nothing varies, as where no
    image is wrong: it would promise too much.
    """
    plain = estimate_parts(scores, folds=folds)
    if smallest_class < FEWEST_FOR_F1 or plain.method == "degenerate":
        return replace(plain, low=nan, high=nan, method="none")
    return replace(plain, low=max(0.0, plain.low), high=min(1.0, plain.high))


def estimate_parts(scores: ArrayLike, *, folds: ArrayLike | None = None) -> Estimate:
    """Mean of scores of any size, with the interval mean ± t·√V; nothing is added to V."""
    parts = decompose(scores, folds)
    return _estimate(parts, parts.between_images / parts.n_images, parts.n_images)


def _estimate(parts: Parts, v1: float, counted: int) -> Estimate:
    """Return the mean and mean ± t·√V, with the images' part of V from so many images."""
    n_images, n_seeds = parts.n_images, parts.n_seeds
    if n_images == 1 or is_zero(v1 + excess(parts.v2, parts.v3), parts):
        unknown = None if n_seeds == 1 else 0.0
        return Estimate(
            parts.mean, parts.mean, parts.mean, n_images, n_seeds, None, "degenerate",
            0.0, unknown, unknown,
        )  # fmt: skip
    return _interval(
        mean=parts.mean,
        center=parts.mean,
        from_images=[(v1, counted)],
        v2=parts.v2,
        v3=parts.v3,
        n_images=n_images,
        n_seeds=n_seeds,
        n_folds=parts.n_folds,
        share=False,
    )


def wilson(successes: float, n: int) -> tuple[float, float]:
    """Interval of a share, `successes` (which may be fractional) of `n` (Wilson 1927)."""
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"expected 0 to n successes of n ≥ 1, got {successes} of {n}")
    z = float(scipy.special.ndtri((1 + LEVEL) / 2))
    share = successes / n
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At 0 and n the formula's bound is 0 and 1 exactly; rounding must not say otherwise.
    low = 0.0 if successes == 0 else max(0.0, center - half)
    high = 1.0 if successes == n else min(1.0, center + half)
    return low, high


def failure_rate(failed: int, runs: int) -> tuple[float, float]:
    """Interval of the rate at which runs fail (Clopper and Pearson 1934).

    Where none failed (or all), the other bound is one-sided: 5 sound runs leave a rate of up to
    1 − 0.05^(1/5) = 45 %.
    """
    if runs < 1 or not 0 <= failed <= runs:
        raise ValueError(f"expected 0 to n failures of n ≥ 1 runs, got {failed} of {runs}")
    tail = 1 - LEVEL if failed in (0, runs) else (1 - LEVEL) / 2
    low = 0.0 if not failed else float(scipy.special.betaincinv(failed, runs - failed + 1, tail))
    if failed == runs:
        return low, 1.0
    return low, float(scipy.special.betaincinv(failed + 1, runs - failed, 1 - tail))


def _with_one_more(parts: Parts, loss: float) -> tuple[Estimate, float, float]:
    """Return the mean with V of one image more: (estimate, t·√V, mean with that image)."""
    images = np.append(parts.per_image, loss)
    found = _estimate(parts, float(images.var(ddof=1)) / len(images), len(images))
    return found, (found.high - found.low) / 2, float(images.mean())


def _loss_of_a_mistake(losses: NDArray[np.float64]) -> float:
    """Return what a mistake costs on average, by the probabilities that the losses tell.

    With q = exp(−loss) for the true class, another class has at most 1 − q, so that on this image
    a mistake costs at least −log(1 − q), or the loss where that is larger: it is one. The mean over
    images and seeds is weighted by 1 − q, the chance of a mistake by the model's own account.
    """
    doubts = np.maximum(-np.expm1(-losses), EPSILON)
    return float(np.average(np.maximum(losses, -np.log(doubts)), weights=doubts))


def _with_two_more(
    per_image: NDArray[np.float64], weight: float = 1.0
) -> tuple[float, tuple[float, float]]:
    """Return the mean of the images' shares with one image of 1 and one of 0 added, and (V1, N).

    weight : of the two that are added
    """
    total = len(per_image) + 2 * weight
    mean = (float(per_image.sum()) + weight) / total
    squares = float(np.square(per_image - mean).sum()) + weight * (mean**2 + (1 - mean) ** 2)
    return mean, (squares / ((total - 1) * total), total)


def _interval(
    *,
    mean: float,
    center: float,
    from_images: list[tuple[float, float]],
    v2: float,
    v3: float,
    n_images: int,
    n_seeds: int,
    n_folds: int,
    share: bool = True,
) -> Estimate:
    v1 = sum(part for part, _ in from_images)
    variance = v1 + excess(v2, v3)
    df = degrees_of_freedom(variance, from_images, [(v2, n_seeds)], n_folds=n_folds)
    half = float(scipy.special.stdtrit(df, (1 + LEVEL) / 2)) * sqrt(variance)
    low, high = center - half, center + half
    if share:
        low, high = max(0.0, min(low, mean)), min(1.0, max(high, mean))
    shared = min(v1, v3)
    return Estimate(
        mean=mean,
        low=low,
        high=high,
        n_images=n_images,
        n_seeds=n_seeds,
        df=df,
        method="images" if n_seeds == 1 else "two-way",
        image_variance=v1 - shared,
        seed_variance=None if n_seeds == 1 else excess(v2, v3),
        noise_variance=None if n_seeds == 1 else shared,
    )
