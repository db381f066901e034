"""Other ways to choose the smallest model that loses little, and what each would gain.

A study is reduced to the level at which each model's bound would just pass, so that many rules can
be tried on it; tests/analysis/test_calibration.py holds that against `recommend`.
`python -m benchmarks.calibration other_recommendations` prints the table; docs/log.md says what
came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from bakeoff.analysis.statistics import LEAST_SHARE, MOST_DF
from bakeoff.analysis.variance import decompose
from benchmarks.simulated import ACCURACY, SEED, Correct, Rows, draw, rate

N_SEEDS, ALPHA = 5, 0.05
DRAWS = 400  # of Dunnett's statistic, for each study

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Study:
    """One study of models 0, 1, … of which each is smaller than the one before.

    best : the one with the highest mean
    bound : what it loses to any other at most
    candidates : those that are smaller and not shown to lose more than may be lost
    passing : for each model, the level at which its bound on what it loses is what may be lost
    passing_df : the same with twice as many degrees of freedom at most
    largest : Dunnett's critical value for the candidates against the best, as a level
    """

    best: int
    candidates: NDArray[np.int64]
    passing: Floats
    passing_df: Floats
    largest: float
    bound: float


Rule = Callable[[Study, Floats], int]


def reduced(models: Sequence[Correct], give_up: float, rng: np.random.Generator) -> Study:
    """Return what all rules need of a study; `compare_all`'s formulas for all pairs at once."""
    parts = [decompose(model) for model in models]
    n, count = parts[0].n_images, len(parts)
    mean = np.array([each.mean for each in parts])
    residual = np.array([each.residual for each in parts])
    between = np.array([each.between_seeds for each in parts])
    added = np.sort(between - residual / n)[(count - 1) // 2]
    least = LEAST_SHARE * max(0.0, added) if count > 2 else 0.0
    between = np.maximum(between, residual / n + least) if least else between
    covariance = np.cov([each.per_image for each in parts]) / n

    loses = mean[None] - mean[:, None]  # [i, j]: what i loses to j
    v1 = np.diag(covariance)[:, None] + np.diag(covariance)[None] - 2 * covariance
    center = loses * n / (n + 2)
    squares = v1 * n * (n - 1) + n * (loses - center) ** 2 + 2 + 2 * center**2
    v1 = squares / ((n + 1) * (n + 2))
    v2, v3 = _both(between) / N_SEEDS, _both(residual) / (n * N_SEEDS)
    variance = v1 + np.maximum(0.0, v2 - v3)
    below = v1**2 / (n - 1) + _both((between / N_SEEDS) ** 2) / (N_SEEDS - 1)
    df = np.maximum(variance**2 / below, N_SEEDS - 1.0)

    def passing(most: float) -> Floats:
        missing, freedom = give_up - loses, np.minimum(df, most * (N_SEEDS - 1))
        tails = stdtr(freedom, -missing / np.sqrt(variance))
        tails = np.maximum(tails, (1 - np.maximum(0.0, missing)) ** n)
        np.fill_diagonal(tails, 0.0)
        found: Floats = tails.max(axis=1)
        return found

    best = int(np.argmax(mean + 1e-12 * np.arange(count)))
    usual = np.minimum(df[:, best], MOST_DF * (N_SEEDS - 1))

    def half(tail: float) -> Floats:
        errors = stdtrit(usual, 1 - tail) * np.sqrt(variance[:, best])
        found: Floats = np.maximum(1 - tail ** (1 / n), errors)
        return found

    poor = loses[:, best] - half(ALPHA) > give_up
    others = np.arange(count) != best
    bound = (loses[best] + half(ALPHA / (count - 1)))[others].max()
    candidates = np.flatnonzero((np.arange(count) > best) & ~poor)
    seeds = np.maximum(0.0, between - residual / n) / N_SEEDS
    largest = _dunnett(covariance + np.diag(seeds), best, candidates, rng)
    return Study(best, candidates, passing(MOST_DF), passing(2 * MOST_DF), largest, max(0.0, bound))


def _both(values: Floats) -> Floats:
    pairs: Floats = values[:, None] + values[None]
    return pairs


def _dunnett(
    covariance: Floats, best: int, candidates: NDArray[np.int64], rng: np.random.Generator
) -> float:
    """Return the one-sided level that the smallest p of all candidates has in ALPHA of studies."""
    if not len(candidates):
        return 0.0
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    means = rng.standard_normal((DRAWS, len(covariance))) @ root.T
    freedom = MOST_DF * (N_SEEDS - 1)
    means *= np.sqrt(freedom / rng.chisquare(freedom, size=(DRAWS, 1)))
    apart = means[:, candidates] - means[:, [best]]
    own, shared = np.diag(covariance), covariance[candidates, best]
    errors = np.sqrt(own[candidates] + own[best] - 2 * shared)
    return float(stdtr(freedom, -np.quantile((apart / errors).max(axis=1), 1 - ALPHA)))


def shares(study: Study, sizes: Floats) -> int:
    """Return what Bakeoff recommends."""
    return _walk(study, study.passing, _steps(study, sizes))


def more_freedom(study: Study, sizes: Floats) -> int:
    """Return what it would with MOST_DF twice as large."""
    return _walk(study, study.passing_df, _steps(study, sizes))


def more_to_the_smallest(study: Study, sizes: Floats) -> int:
    """Return what it would if shares went by the square of log(size of the best/size)."""
    return _walk(study, study.passing, np.log(sizes[study.best] / sizes[study.candidates]) ** 2)


def hommel(study: Study, sizes: Floats) -> int:
    """Return the smallest of those that Hommel's procedure lets pass."""
    order = study.candidates[np.argsort(study.passing[study.candidates])]
    p, m = study.passing[order], len(order)
    if m and p[-1] > ALPHA:
        # Hommel 1988: j is the largest number of the largest p of which none is below k·ALPHA/j.
        js = [j for j in range(1, m + 1) if (p[m - j :] > np.arange(1, j + 1) * ALPHA / j).all()]
        order = order[p <= ALPHA / max(js)]
    return int(max(order, default=study.best))


def dunnett(study: Study, sizes: Floats) -> int:
    """Return the smallest whose bound passes at Dunnett's level, all at once."""
    passed = study.candidates[study.passing[study.candidates] < min(ALPHA, study.largest)]
    return int(max(passed, default=study.best))


def _steps(study: Study, sizes: Floats) -> Floats:
    smaller = sizes[study.candidates]
    steps: Floats = np.log(np.concatenate([[sizes[study.best]], smaller[:-1]]) / smaller)
    return steps if len(smaller) else smaller


def _walk(study: Study, passing: Floats, weights: Floats) -> int:
    chosen, handed = study.best, 0.0
    for model, weight in zip(study.candidates, weights, strict=True):
        level = ALPHA * weight / weights.sum() + handed
        handed = level if passing[model] < level else 0.0
        chosen = int(model) if handed else chosen
    return chosen


RULES: dict[str, Rule] = {
    "shares": shares,
    "most df 10": more_freedom,
    "more to the smallest": more_to_the_smallest,
    "Hommel": hommel,
    "Dunnett": dunnett,
}


# images, give_up, models, seed effect, studies
SETTINGS = [
    *((360, 0.02, 10, 0.04, 1000), (360, 0.02, 30, 0.04, 500), (1000, 0.02, 10, 0.04, 300)),
    *((360, 0.02, 3, 0.2, 300), (360, 0.02, 10, 0.2, 300)),
]


def other_recommendations(share: float) -> Rows:
    """Five seeds: other rules than Bakeoff's *shares* for what to recommend.

    The smaller models lose 1.02·give_up each (choosing one is wrong), or nothing, or ever more down
    to 2·give_up (a good choice is smaller than the largest and loses less than give_up).
    """
    yield [
        *("images", "give_up, points", "models", "seed effect", "studies", "rule"),
        *("wrongly chosen", "of it the highest mean", "equal: at most half the size"),
        *("the smallest", "ever worse: a good choice"),
    ]
    for n_images, give_up, count, effect, most in SETTINGS:
        studies, models = max(2, round(share * most)), np.arange(count, dtype=np.float64)
        sizes = 1000.0 * (count - models)
        losses = {
            "edge": np.where(models, 1.02 * give_up, 0.0),
            "equal": np.zeros(count),
            "worse": 2 * give_up * models / (count - 1),
        }
        drawn = {
            kind: studies_of([ACCURACY - each for each in lost], n_images, give_up, effect, studies)
            for kind, lost in losses.items()
        }
        for name, rule in RULES.items():
            chosen = {
                kind: np.array([rule(study, sizes) for study in each])
                for kind, each in drawn.items()
            }
            wrong = chosen["edge"] != 0
            highest = wrong & (chosen["edge"] == [study.best for study in drawn["edge"]])
            good = (chosen["worse"] > 0) & (losses["worse"][chosen["worse"]] < give_up)
            found = (
                *(wrong, highest, sizes[chosen["equal"]] <= sizes[0] / 2),
                *(chosen["equal"] == count - 1, good),
            )
            yield [
                *(f"{n_images:,}", f"{100 * give_up:.1f}", count, effect, studies, name),
                *(rate(int(each.sum()), studies) for each in found),
            ]


def studies_of(
    accuracies: Sequence[float], n_images: int, give_up: float, effect: float, studies: int
) -> list[Study]:
    """Return simulated studies of models with these true accuracies."""
    rng, own = np.random.default_rng(SEED), np.random.default_rng(SEED + 1)
    seeds = [N_SEEDS] * len(accuracies)
    return [
        reduced(draw(rng, accuracies, n_images, seeds, effect=effect), give_up, own)
        for _ in range(studies)
    ]
