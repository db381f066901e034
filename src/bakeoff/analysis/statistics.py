"""Two models' scores, shape (seeds, images), in; differences, intervals and p-values out.

The test belongs to the family that radiology calls multi-reader multi-case: seeds are the readers,
nested in their models, images the cases (Obuchowski and Rockette 1995; Gallas 2006; Gallas,
Pennello and Myers 2007; Hillis 2007). `variance` says what p_i, a_s and MSres are;
docs/statistics.md explains the rest and names the papers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import sqrt

import numpy as np
import scipy  # its parts are imported where they are used: `bakeoff status` needs none
from numpy.typing import ArrayLike, NDArray

from bakeoff.analysis.variance import (
    LEVEL,
    Parts,
    decompose,
    degrees_of_freedom,
    excess,
    is_zero,
)

FEWEST_SEEDS = 3  # of each model, for a verdict: with two, luck alone makes too many claims
# Degrees of freedom may not exceed this many times those of the model with fewer seeds: where both
# seed variances come out small by luck, Satterthwaite's would jump to those of the images.
MOST_DF = 5
# What seeds add to a model's variance counts as at least this share of what they add to the median
# model of the study: among many models, some look steady by luck, and their pairs look certain.
LEAST_SHARE = 0.25


@dataclass(frozen=True)
class PairTest:
    """Model A against model B on the same images: the difference A − B of their mean accuracies.

    `low` and `high` are the pairwise interval of `level`, `p` is two-sided. `df` and `t` are None
    where the variance is zero. `between_seeds` (Var_s(a_s)) and `residual` (MSres) hold A's value,
    then B's. `v1_error` is the standard error of `v1`, as far as these images tell. In
    cross-validation (`n_folds` > 1) seeds are repeats, and the two hold what `cross_validation`
    says.
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
    v1_error: float = 0.0
    n_folds: int = 1
    level: float = LEVEL

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
        return 0.0 if self.df is None else self.v1 + excess(self.v2, self.v3)

    @property
    def fewest_seeds(self) -> int:
        """The seeds of the model that has fewer."""
        return min(self.seeds_a, self.seeds_b)

    @property
    def sources(self) -> tuple[float, float, float]:
        """Parts of the variance: of the images alone, of the seeds alone, and of both (noise).

        More test images shrink the first and the third, more seeds the second and the third.
        """
        noise = min(self.v1, self.v3)
        return self.v1 - noise, excess(self.v2, self.v3), noise

    def flipped(self) -> PairTest:
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


def compare_all(
    models: Mapping[str, Parts], *, level: float = LEVEL
) -> dict[tuple[str, str], PairTest]:
    """Test all pairs of a study's models, by name in the order given; `compare_pair` says how.

    What seeds add to a model's variance, e_m = Var_s(a_ms) − MSres_m/n, counts as at least
    LEAST_SHARE of the lower median of all e_m, so that a model is not taken for steadier than it is
    because a few seeds happened to agree. Two models have no such bound, nor has cross-validation,
    nor a study in which that median is not above 0.
    """
    if least := _least_added(list(models.values())):
        models = {
            name: replace(
                each, between_seeds=max(each.between_seeds, each.residual / each.n_images + least)
            )
            for name, each in models.items()
        }
    return {
        (a, b): compare_pair(models[a], models[b], level=level) for a, b in combinations(models, 2)
    }


def _least_added(models: Sequence[Parts]) -> float:
    """Return what seeds add at least to a model's variance, by the other models; 0 for no bound."""
    if len(models) < 3 or any(each.n_folds > 1 or each.n_seeds < 2 for each in models):
        return 0.0
    added = sorted(each.between_seeds - each.residual / each.n_images for each in models)
    return LEAST_SHARE * max(0.0, added[(len(added) - 1) // 2])


def compare_pair(a: ArrayLike | Parts, b: ArrayLike | Parts, *, level: float = LEVEL) -> PairTest:
    """Test whether two models differ, for other images and other seeds than these.

    Parameters
    ----------
    a, b : bool or float in [0, 1], shapes (seeds_a, n_images) and (seeds_b, n_images)
        Correct or wrong on the same images in the same order, at least two seeds of each model; or
        what `decompose` makes of them.
    level : of the pairwise interval.

    Raises
    ------
    ValueError : other shapes, fewer than two seeds or images, scores outside [0, 1].

    Notes
    -----
    With d_i = p_Ai − p_Bi and D its mean: V1 = Var_i(d_i)/n, V2 = Σ Var_s(a_ms)/S_m and
    V3 = Σ MSres_m/(n·S_m) over the two models, V = V1 + max(0, V2 − V3), t = D/√V,
    df = V² / [V1²/(n − 1) + Σ (Var_s(a_ms)/S_m)²/(S_m − 1)], at least min(S_A, S_B) − 1 and at
    most MOST_DF times that. In cross-validation V2 and V3 are those of fold means, S_m − 1 becomes
    (S_m − 1)·K in df, and there is no upper bound.
    V = 0 gives p = 1, and the interval is as wide as `half_width` says n images allow.
    """
    parts_a, parts_b = (each if isinstance(each, Parts) else decompose(each) for each in (a, b))
    _check(parts_a, parts_b)
    n_images = len(parts_a.per_image)
    d = parts_a.per_image - parts_b.per_image
    difference = parts_a.mean - parts_b.mean
    squares = np.square(d - d.mean())
    pair = PairTest(
        difference=difference,
        low=difference,
        high=difference,
        df=None,
        t=None,
        p=1.0,
        v1=float(squares.sum()) / (n_images - 1) / n_images,
        between_seeds=(parts_a.between_seeds, parts_b.between_seeds),
        residual=(parts_a.residual, parts_b.residual),
        n_images=n_images,
        seeds_a=parts_a.n_seeds,
        seeds_b=parts_b.n_seeds,
        v1_error=float(squares.std()) / n_images**1.5,
        n_folds=parts_a.n_folds,
        level=level,
    )
    variance = pair.v1 + excess(pair.v2, pair.v3)
    if is_zero(variance, parts_a, parts_b):
        half = half_width(pair, tail=(1 - level) / 2)
        return replace(pair, low=max(-1.0, difference - half), high=min(1.0, difference + half))
    df = _degrees_of_freedom(pair, pair.v1)
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


def _check(parts_a: Parts, parts_b: Parts) -> None:
    """Raise ValueError unless two models can be compared."""
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
    if parts_a.n_folds != parts_b.n_folds:
        raise ValueError(f"expected equal folds, got {parts_a.n_folds} and {parts_b.n_folds}")
    if min(parts_a.ends + parts_b.ends) < 0 or max(parts_a.ends + parts_b.ends) > 1:
        raise ValueError("expected scores between 0 and 1: compare_pair compares accuracies")


@dataclass(frozen=True)
class Expected:
    """Squared standard error of a difference, and its degrees of freedom; None where it is zero."""

    variance: float
    df: float | None


def expected(pair: PairTest, n_seeds: int) -> Expected:
    """Return what the pair would have with `n_seeds` seeds of each model.

    The images' own part of V1, V1 − V3, stays; all else shrinks as 1/seeds.
    """
    noise = sum(pair.residual) / (pair.n_images * n_seeds)
    v1 = max(0.0, pair.v1 - pair.v3) + noise
    from_seeds = pair.between_seeds[0] / n_seeds, pair.between_seeds[1] / n_seeds
    v3 = (pair.residual[0] / n_seeds + pair.residual[1] / n_seeds) / pair.n_images
    variance = v1 + excess(sum(from_seeds), v3)
    if variance == 0:
        return Expected(0.0, None)
    return Expected(variance, _satterthwaite(pair, v1, variance, from_seeds, (n_seeds, n_seeds)))


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

    The larger p of the two one-sided t-tests, D > −margin and D < margin (Schuirmann 1987), with
    the two images of `half_width` added, and not below the chance that n images miss what is still
    missing to the margin.
    """
    missing = margin - abs(pair.difference)
    missed = (1 - max(0.0, missing)) ** pair.n_images
    variance, df = _with_two_more(pair)
    return max(missed, float(scipy.special.stdtr(df, -missing / sqrt(variance))))


def half_width(pair: PairTest, *, tail: float) -> float:
    """How far a one-sided bound with error rate `tail` lies from the difference: t·√V, or more.

    Where the models differ on a handful of images, all in one direction, V says little. So one
    image that only A classifies correctly and one that only B does are added to V1 (not to the
    difference), N = n + 2. And what happens to a share x of all images, n images miss altogether
    with the chance (1 − x)ⁿ: the distance is not below the x that makes this chance `tail`, for
    5 % about 3/n.
    """
    missable = float(1 - tail ** (1 / pair.n_images))
    variance, df = _with_two_more(pair)
    return max(missable, float(scipy.special.stdtrit(df, 1 - tail)) * sqrt(variance))


def differ_by_less_than(pair: PairTest, *, level: float = LEVEL) -> float:
    """Value that the size of the true difference stays below, with confidence `level`."""
    return min(1.0, abs(pair.difference) + half_width(pair, tail=1 - level))


def one_sided_lower_bound(pair: PairTest, *, level: float = LEVEL) -> float:
    """Value that the true difference A − B exceeds, with confidence `level`."""
    return max(-1.0, pair.difference - half_width(pair, tail=1 - level))


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


def _degrees_of_freedom(pair: PairTest, v1: float) -> float:
    """Return those of the pair, its V1 being `v1`."""
    seeds = pair.seeds_a, pair.seeds_b
    from_seeds = pair.between_seeds[0] / seeds[0], pair.between_seeds[1] / seeds[1]
    return _satterthwaite(pair, v1, v1 + excess(pair.v2, pair.v3), from_seeds, seeds)


def _satterthwaite(
    pair: PairTest,
    v1: float,
    variance: float,
    from_seeds: tuple[float, float],
    seeds: tuple[int, int],
) -> float:
    """Satterthwaite's, within what the fewest seeds allow: see MOST_DF."""
    found = degrees_of_freedom(
        variance,
        [(v1, pair.n_images)],
        [(from_seeds[0], seeds[0]), (from_seeds[1], seeds[1])],
        n_folds=pair.n_folds,
    )
    return found if pair.n_folds > 1 else min(found, float(MOST_DF * (min(seeds) - 1)))


def _with_two_more(pair: PairTest) -> tuple[float, float]:
    """Return V and its degrees of freedom with one image of d = +1 and one of d = −1 added."""
    n, d = pair.n_images, pair.difference
    total = n + 2
    mean = d * n / total
    squares = pair.v1 * n * (n - 1) + n * (d - mean) ** 2 + 2 + 2 * mean**2
    v1 = squares / ((total - 1) * total)
    return v1 + excess(pair.v2, pair.v3), _degrees_of_freedom(pair, v1)


def unit_of(*, folded: bool) -> str:
    """Return what models have one score each of: "seed", or "repeat" in cross-validation."""
    return "repeat" if folded else "seed"


ONE_IMAGE = "one test image cannot tell a better model from a lucky one: test on more images"


def few_seeds(fewest: int, n_folds: int = 1) -> str:
    """Say why there is no verdict below FEWEST_SEEDS of each model, and how to get one.

    fewest : seeds of a pair's models; where these are enough, another model has too few
    """
    unit = unit_of(folded=n_folds > 1)
    have = f"one {unit}" if fewest == 1 else f"{fewest} {unit}s"
    why = f"{have} of a model cannot tell a better model from a lucky run"
    if fewest >= FEWEST_SEEDS:
        why = f"another model has fewer than {FEWEST_SEEDS} {unit}s, and then no pair has a verdict"
    return f"{why}: train at least {FEWEST_SEEDS} of each (--seeds {FEWEST_SEEDS}), better 5"
