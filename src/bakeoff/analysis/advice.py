"""What would separate a pair of models, or show it to be practically equal: seeds, images, or none.

Guesses, as good as the variances they are made of; what is not shown is not said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import scipy  # and not its parts: see statistics.py

from bakeoff.analysis.statistics import Expected, PairTest, expected

EVEN, LIKELY = 0.5, 0.8  # odds that advice names: of finding a difference that is really there

_MOST = 10**9  # seeds or images: where the difference is as good as equal to what is left over
_SURE = 1.645  # standard errors: the images' own part is shown, not only estimated


@dataclass(frozen=True)
class Advice:
    """What would separate a pair, if the difference is real and as large as it seems.

    Seeds of each model with these images, or test images with these seeds, with even chances and
    with chances of 80 %; None where no number would do (or it is unknown whether one would).
    `cannot` is set where it is shown that seeds cannot help. `equality` is the number of seeds of
    each model that would show practical equality with chances of 80 %, were the two equal.
    """

    seeds: int | None
    seeds_likely: int | None
    images: int | None
    cannot: bool
    equality: int | None


def advise(test: PairTest, *, margin: float, alpha: float) -> Advice:
    """Say what would separate a pair whose difference is as large as the one seen.

    A guess, as good as the variances it is made of, and not a promise.
    """
    seeds = seeds_needed(test, alpha=alpha)
    return Advice(
        seeds=seeds,
        seeds_likely=seeds_needed(test, alpha=alpha, odds=LIKELY),
        images=images_needed(test, alpha=alpha),
        cannot=seeds is None and _images_hide_it(test, alpha),
        equality=seeds_for_equality(test, margin, alpha=alpha),
    )


def seeds_needed(test: PairTest, *, alpha: float, odds: float = EVEN) -> int | None:
    """Seeds of each model that would find a difference as large as the one seen, with these odds.

    None where no number of seeds would: the images' own variance alone seems too large.
    """

    def separates(seeds: int) -> bool:
        return _found(abs(test.difference), expected(test, seeds), alpha, odds)

    return _fewest(separates, test.fewest_seeds)


def images_needed(test: PairTest, *, alpha: float) -> int | None:
    """Test images with which these seeds would find a difference as large as the one seen."""
    images, seeds, noise = test.sources
    t = _t(test.df or 1.0, alpha, EVEN)
    left = (test.difference / t) ** 2 - seeds
    if left <= 0:
        return None
    return max(test.n_images + 1, round(test.n_images * (images + noise) / left))


def seeds_for_equality(test: PairTest, margin: float, *, alpha: float) -> int | None:
    """Seeds of each model that would show two equal models to be practically equal."""

    def shows(seeds: int) -> bool:
        then = expected(test, seeds)
        if then.df is None:
            return (1 - margin) ** test.n_images < alpha
        # Equal models pass both one-sided tests if |D| stays (1 + LIKELY)/2 of the time within.
        t = float(scipy.special.stdtrit(then.df, 1 - alpha))
        t += float(scipy.special.stdtrit(then.df, (1 + LIKELY) / 2))
        return margin > t * sqrt(then.variance) and (1 - margin) ** test.n_images < alpha

    return _fewest(shows, test.fewest_seeds)


def _images_hide_it(test: PairTest, alpha: float) -> bool:
    """Say whether it is shown that the images' own part, which no seed shrinks, is too large."""
    shown = test.v1 - test.v3 - _SURE * test.v1_error
    t = -float(scipy.special.stdtrit(test.n_images - 1, alpha / 2))
    return shown > 0 and abs(test.difference) <= t * sqrt(shown)


def _found(difference: float, then: Expected, alpha: float, odds: float) -> bool:
    if then.df is None:
        return difference > 0
    return difference > _t(then.df, alpha, odds) * sqrt(then.variance)


def _t(df: float, alpha: float, odds: float) -> float:
    """Return how many standard errors a difference must be to be found with these odds."""
    return float(scipy.special.stdtrit(df, odds) - scipy.special.stdtrit(df, alpha / 2))


def _fewest(enough: Callable[[int], bool], now: int) -> int | None:
    """Return the smallest number above `now` that is enough, by doubling and halving."""
    too_few, number = now, now + 1
    while not enough(number):
        too_few, number = number, 2 * number
        if number > _MOST:
            return None
    while number - too_few > 1:
        middle = (too_few + number) // 2
        too_few, number = (too_few, middle) if enough(middle) else (middle, number)
    return number
