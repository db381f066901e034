"""Scores, shape (seeds, images), in; means, intervals and p-values out.

A score is 1 for right, 0 for wrong, or a loss. Two things make a mean of scores uncertain: another
test set would hold other images, other seeds would train other weights. Everything counts both.
For a model's scores c[s, i] with S seeds and n images:

    p_i    mean over the seeds, for image i        a_s    mean over the images, for seed s
    MSres  what is left of the variance of c once images and seeds have had their part:
           Σ (c[s, i] − a_s − p_i + c̄)² / ((S − 1)(n − 1))

Variances are unbiased; degrees of freedom by Satterthwaite (1946). docs/statistics.md explains it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Literal

import numpy as np
import scipy  # its parts are imported where they are used: `bakeoff status` needs none
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95  # of every interval, unless the caller says otherwise
_ROUNDING = 1e-12  # a standard error below this share of the largest score is rounding, so zero

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean of scores with its interval, and where its uncertainty comes from.

    `method` names the interval: "two-way" (images and seeds, Student's t), "wilson" (a share of
    n images), "images" (Student's t over images: one seed, scores that are not 0 or 1) or
    "degenerate" (nothing varies, so the interval is the mean itself). The squared standard error
    is `image_variance` + `seed_variance` + `noise_variance`: more images shrink the first, more
    seeds the second, either the third. The last two are None where one seed cannot tell them.
    """

    mean: float
    low: float
    high: float
    n_images: int
    n_seeds: int
    df: float | None
    method: Literal["two-way", "wilson", "images", "degenerate"]
    image_variance: float
    seed_variance: float | None
    noise_variance: float | None


@dataclass(frozen=True)
class PairTest:
    """Model A against model B on the same images: the difference A − B of their mean accuracies.

    `low` and `high` are the pairwise interval, `p` is two-sided. `df` and `t` are None where the
    variance is zero. `between_seeds` (Var_s(a_s)) and `residual` (MSres) hold A's value, then B's.
    """

    difference: float
    low: float
    high: float
    df: float | None
    t: float | None
    p: float
    v1: float
    between_seeds: tuple[float, float]
    residual: tuple[float, float]
    n_images: int
    seeds_a: int
    seeds_b: int

    @property
    def v2(self) -> float:
        """Variance of D that the seeds' accuracies show: Σ Var_s(a_s)/S."""
        return self.between_seeds[0] / self.seeds_a + self.between_seeds[1] / self.seeds_b

    @property
    def v3(self) -> float:
        """The part that v1 and v2 both hold, so that it must be counted once: Σ MSres/(n·S)."""
        a, b = self.residual
        return (a / self.seeds_a + b / self.seeds_b) / self.n_images

    @property
    def variance(self) -> float:
        """Squared standard error of the difference; exactly 0 where nothing varies."""
        return 0.0 if self.df is None else self.v1 + _excess(self.v2, self.v3)

    def flipped(self) -> "PairTest":
        """B against A."""
        return replace(
            self,
            difference=-self.difference,
            low=-self.high,
            high=-self.low,
            t=None if self.t is None else -self.t,
            between_seeds=self.between_seeds[::-1],
            residual=self.residual[::-1],
            seeds_a=self.seeds_b,
            seeds_b=self.seeds_a,
        )


@dataclass(frozen=True)
class McNemar:
    """Two trained files on the same images; it says nothing about the models behind them."""

    a_only: int
    b_only: int
    p: float


@dataclass(frozen=True, eq=False)
class Parts:
    """One model's scores, split by where they vary: `decompose` makes it, once for many pairs."""

    n_seeds: int
    ends: tuple[float, float]  # lowest and highest score
    mean: float
    per_image: Scores
    between_images: float
    between_seeds: float
    residual: float


def estimate(scores: ArrayLike, *, binary: bool = True, level: float = LEVEL) -> Estimate:
    """Mean of one model's scores, with an interval for other images and other seeds.

    Parameters
    ----------
    scores : float or bool, shape (n_seeds, n_images), finite
        Right or wrong, a loss, or per-image parts of a score (`metrics.macro_f1_scores`).
    binary : the mean is a share, so the interval is clipped to [0, 1]; else it is a loss, and
        the interval is clipped at 0.
    level : how often such intervals hold the true mean.

    Notes
    -----
    V = Var_i(p_i)/n + max(0, Var_s(a_s)/S − MSres/(n·S)), and the interval is mean ± t·√V with
    df = V² / [(Var_i(p_i)/n)²/(n − 1) + (Var_s(a_s)/S)²/(S − 1)], at least S − 1. Where V is 0
    or S is 1, scores that are all 0 or 1 (or whose V is 0) get Wilson's interval on n images.
    """
    parts = decompose(scores)
    n_seeds, n_images = parts.n_seeds, len(parts.per_image)
    v1 = parts.between_images / n_images
    v2 = parts.between_seeds / n_seeds
    v3 = parts.residual / (n_images * n_seeds)
    variance = v1 + _excess(v2, v3)
    if n_images == 1 or _is_zero(variance, parts):
        variance = 0.0  # a single image says nothing about other images, whatever the seeds do

    method: Literal["two-way", "wilson", "images", "degenerate"]
    df: float | None = None
    if binary and (variance == 0 or (n_seeds == 1 and np.isin(scores, (0.0, 1.0)).all())):
        method = "wilson"
        low, high = wilson(min(max(parts.mean, 0.0), 1.0) * n_images, n_images, level=level)
    elif variance == 0:
        method, low, high = "degenerate", parts.mean, parts.mean
    else:
        method = "images" if n_seeds == 1 else "two-way"
        df = _degrees_of_freedom(variance, v1, n_images, [(v2, n_seeds)])
        half = float(scipy.special.stdtrit(df, (1 + level) / 2)) * sqrt(variance)
        low = max(0.0, parts.mean - half)
        high = min(1.0, parts.mean + half) if binary else parts.mean + half
    shared = min(v1, v3)
    return Estimate(
        mean=parts.mean,
        low=low,
        high=high,
        n_images=n_images,
        n_seeds=n_seeds,
        df=df,
        method=method,
        image_variance=v1 - shared,
        seed_variance=None if n_seeds == 1 else _excess(v2, v3),
        noise_variance=None if n_seeds == 1 else shared,
    )


def compare_pair(a: ArrayLike | Parts, b: ArrayLike | Parts, *, level: float = LEVEL) -> PairTest:
    """Test whether two models differ, for other images and other seeds than these.

    Parameters
    ----------
    a, b : bool or float in [0, 1], shapes (seeds_a, n_images) and (seeds_b, n_images)
        Right or wrong on the same images in the same order, at least two seeds of each model; or
        what `decompose` makes of them.
    level : of the pairwise interval.

    Raises
    ------
    ValueError : other shapes, fewer than two seeds or images, scores outside [0, 1].

    Notes
    -----
    With d_i = p_Ai − p_Bi and D its mean: V1 = Var_i(d_i)/n, V2 = Σ Var_s(a_ms)/S_m and
    V3 = Σ MSres_m/(n·S_m) over the two models, V = V1 + max(0, V2 − V3), t = D/√V,
    df = V² / [V1²/(n − 1) + Σ (Var_s(a_ms)/S_m)²/(S_m − 1)], at least min(S_A, S_B) − 1.
    V = 0 gives p = 1 and the interval [D, D].
    """
    parts_a, parts_b = (each if isinstance(each, Parts) else decompose(each) for each in (a, b))
    n_images, n_other = len(parts_a.per_image), len(parts_b.per_image)
    if n_images != n_other or n_images < 2:
        raise ValueError(
            f"expected scores on the same images, at least 2; got {n_images} and {n_other}"
        )
    if min(parts_a.n_seeds, parts_b.n_seeds) < 2:
        raise ValueError(
            f"expected at least 2 seeds of each model, got {parts_a.n_seeds} and "
            f"{parts_b.n_seeds}: mcnemar_exact compares single trained files"
        )
    if min(parts_a.ends + parts_b.ends) < 0 or max(parts_a.ends + parts_b.ends) > 1:
        raise ValueError("expected scores between 0 and 1: compare_pair compares accuracies")

    d = parts_a.per_image - parts_b.per_image
    difference = parts_a.mean - parts_b.mean
    pair = PairTest(
        difference=difference,
        low=difference,
        high=difference,
        df=None,
        t=None,
        p=1.0,
        v1=float(d.var(ddof=1)) / n_images,
        between_seeds=(parts_a.between_seeds, parts_b.between_seeds),
        residual=(parts_a.residual, parts_b.residual),
        n_images=n_images,
        seeds_a=parts_a.n_seeds,
        seeds_b=parts_b.n_seeds,
    )
    variance = pair.v1 + _excess(pair.v2, pair.v3)
    if _is_zero(variance, parts_a, parts_b):
        return pair
    from_seeds = [(each.between_seeds / each.n_seeds, each.n_seeds) for each in (parts_a, parts_b)]
    df = _degrees_of_freedom(variance, pair.v1, n_images, from_seeds)
    t = difference / sqrt(variance)
    half = float(scipy.special.stdtrit(df, (1 + level) / 2)) * sqrt(variance)
    return replace(
        pair,
        low=max(-1.0, difference - half),
        high=min(1.0, difference + half),
        df=df,
        t=t,
        p=float(2 * scipy.special.stdtr(df, -abs(t))),
    )


def variance_with(pair: PairTest, n_seeds: int) -> tuple[float, float]:
    """Squared standard error and degrees of freedom to expect with `n_seeds` seeds of each model.

    The images' own part of V1, V1 − V3, stays; all else shrinks as 1/seeds.
    """
    noise = sum(pair.residual) / (pair.n_images * n_seeds)
    v1 = max(0.0, pair.v1 - pair.v3) + noise
    variance = v1 + max(0.0, sum(pair.between_seeds) / n_seeds - noise)
    if variance == 0:
        return 0.0, float(n_seeds - 1)
    from_seeds = [(between / n_seeds, n_seeds) for between in pair.between_seeds]
    return variance, _degrees_of_freedom(variance, v1, pair.n_images, from_seeds)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """P-values adjusted for being many (Holm 1979), in the order given, float64.

    The smallest is multiplied by m, the next by m − 1, … and none is below one before it; the
    chance of even one false claim among those below 0.05 is then at most 5 %.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def tost_p(pair: PairTest, margin: float) -> float:
    """P-value of "the models differ by `margin` or more"; small: they are practically equal.

    The larger p of the two one-sided t-tests, D > −margin and D < margin (Schuirmann 1987), and
    not below the chance that n images miss what is still missing to the margin: see `half_width`.
    """
    missing = margin - abs(pair.difference)
    missed = (1 - max(0.0, missing)) ** pair.n_images
    if pair.df is None:
        return float(missed)
    return max(missed, float(scipy.special.stdtr(pair.df, -missing / sqrt(pair.variance))))


def half_width(pair: PairTest, *, tail: float) -> float:
    """How far a one-sided bound with error rate `tail` lies from the difference: t·√V, or more.

    Where the models differ on hardly an image, t·√V says little: what happens to a share x of
    all images, n images miss altogether with the chance (1 − x)ⁿ. So the distance is not below
    the x that makes this chance `tail`: for 5 %, about 3/n.
    """
    missable = float(1 - tail ** (1 / pair.n_images))
    if pair.df is None:
        return missable
    return max(missable, float(scipy.special.stdtrit(pair.df, 1 - tail)) * sqrt(pair.variance))


def one_sided_lower_bound(pair: PairTest, *, level: float = LEVEL) -> float:
    """Value that the true difference A − B exceeds, with confidence `level`."""
    return max(-1.0, pair.difference - half_width(pair, tail=1 - level))


def wilson(successes: float, n: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Interval of a share, `successes` (which may be fractional) of `n` (Wilson 1927)."""
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"expected 0 to n successes of n ≥ 1, got {successes} of {n}")
    z = float(scipy.special.ndtri((1 + level) / 2))
    share = successes / n
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At 0 and n the formula's bound is 0 and 1 exactly; rounding must not say otherwise.
    low = 0.0 if successes == 0 else max(0.0, center - half)
    high = 1.0 if successes == n else min(1.0, center + half)
    return low, high


def mcnemar_exact(a_correct: ArrayLike, b_correct: ArrayLike) -> McNemar:
    """Exact two-sided McNemar test of two trained files; bool arrays of shape (n_images,)."""
    a, b = np.asarray(a_correct, dtype=bool), np.asarray(b_correct, dtype=bool)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"expected two arrays of shape (n_images,), got {a.shape} and {b.shape}")
    a_only, b_only = int((a & ~b).sum()), int((b & ~a).sum())
    told_apart = a_only + b_only
    p = 2 * float(scipy.special.bdtr(min(a_only, b_only), told_apart, 0.5)) if told_apart else 1.0
    return McNemar(a_only=a_only, b_only=b_only, p=min(1.0, p))


def probability_a_better(a_scores: ArrayLike, b_scores: ArrayLike) -> float:
    """Share of pairs (a seed of A, a seed of B) in which A scored higher, ties counting half."""
    a, b = np.asarray(a_scores, dtype=np.float64), np.asarray(b_scores, dtype=np.float64)
    if a.size == 0 or b.size == 0:
        raise ValueError(f"expected at least one seed of each model, got {a.size} and {b.size}")
    return float((np.sign(a[:, None] - b[None, :]).mean() + 1) / 2)


def prediction_interval(
    per_seed: ArrayLike, *, binary: bool = True, level: float = LEVEL
) -> tuple[float, float]:
    """Where one more run's score will lie, on the same images; per_seed of shape (n_seeds ≥ 2,).

    mean ± t·sd·√(1 + 1/S) with S − 1 degrees of freedom, clipped like `estimate`'s interval.
    """
    scores = np.asarray(per_seed, dtype=np.float64)
    if scores.ndim != 1 or len(scores) < 2:
        raise ValueError(f"expected the scores of at least 2 seeds, got shape {scores.shape}")
    mean, n_seeds = float(scores.mean()), len(scores)
    t = float(scipy.special.stdtrit(n_seeds - 1, (1 + level) / 2))
    half = t * float(scores.std(ddof=1)) * sqrt(1 + 1 / n_seeds)
    return max(0.0, mean - half), min(1.0, mean + half) if binary else mean + half


def decompose(scores: ArrayLike) -> Parts:
    """Split the variance of one model's scores; a part that one seed or image cannot show is 0."""
    scores = _checked(scores)
    n_seeds, n_images = scores.shape
    per_image, per_seed = scores.mean(axis=0), scores.mean(axis=1)
    mean = float(scores.mean())  # of zeros and ones: exact, so that equal shares are equal
    residual = 0.0
    if n_seeds > 1 and n_images > 1:
        left = scores - per_image - (per_seed - mean)[:, None]
        residual = float(np.square(left).sum()) / ((n_seeds - 1) * (n_images - 1))
    return Parts(
        n_seeds=n_seeds,
        ends=(float(scores.min()), float(scores.max())),
        mean=mean,
        per_image=per_image,
        between_images=float(per_image.var(ddof=1)) if n_images > 1 else 0.0,
        between_seeds=float(per_seed.var(ddof=1)) if n_seeds > 1 else 0.0,
        residual=residual,
    )


def _degrees_of_freedom(
    variance: float, v1: float, n_images: int, from_seeds: Sequence[tuple[float, int]]
) -> float:
    """Satterthwaite's; `from_seeds` holds (Var_s(a_s)/S, S) of each model."""
    below = v1**2 / (n_images - 1) if n_images > 1 else 0.0
    below += sum(part**2 / (seeds - 1) for part, seeds in from_seeds if seeds > 1)
    return max(variance**2 / below, float(min(seeds for _, seeds in from_seeds) - 1))


def _checked(scores: ArrayLike) -> Scores:
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"expected scores of shape (n_seeds, n_images), got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("expected finite scores: metrics.cross_entropy clips losses")
    return array


def _excess(between: float, residual: float) -> float:  # 0 too where it is rounding alone
    return between - residual if between - residual > _ROUNDING * between else 0.0


def _is_zero(variance: float, *models: Parts) -> bool:
    return variance <= (_ROUNDING * max(abs(end) for each in models for end in each.ends)) ** 2
