"""What may be said of models, from the tests of all their pairs: verdicts, letters, advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import scipy  # and not its parts: see statistics.py

from bakeoff.analysis.statistics import (
    LEVEL,
    PairTest,
    half_width,
    holm,
    tost_p,
    variance_with,
)
from bakeoff.utils.text import signed_points

ALPHA = 0.05  # of all claims of one kind together: `better` and `worse`, or `practically equal`
TOO_SMALL = "more seeds cannot help: the test set is too small"
NO_DIFFERENCE = "the two scored exactly the same: there is no difference to separate"

_MOST_SEEDS = 10**9  # where the difference is as good as equal to what the images alone hide

Word = Literal["better", "worse", "practically equal", "not separated"]
Pairs = Mapping[tuple[str, str], PairTest]


@dataclass(frozen=True)
class Verdict:
    """What may be said of model `a` against model `b`.

    `p_holm` and `p_equal_holm` are adjusted over all pairs of the study. `less_than_margin`: a
    difference is shown, and the one seen is below the margin. `smallest_margin`: no margin below
    it could have been shown with these seeds and images, had the models been exactly equal.
    `needs` is a sentence, for `not separated` only; `seeds_needed` is the number in it.
    """

    a: str
    b: str
    pair: PairTest
    verdict: Word
    p_holm: float
    p_equal_holm: float
    less_than_margin: bool
    smallest_margin: float
    seeds_needed: int | None
    needs: str | None

    @property
    def sentence(self) -> str:
        """The verdict with its numbers."""
        says = {
            "better": f"{self.a} is better than {self.b}",
            "worse": f"{self.a} is worse than {self.b}",
            "practically equal": f"{self.a} and {self.b} are practically equal",
            "not separated": f"{self.a} and {self.b} are not separated",
        }[self.verdict]
        if self.less_than_margin:
            says += ", by less than the margin"
        pair = self.pair
        p = "p < 0.001" if self.p_holm < 0.001 else f"p = {self.p_holm:.3f}"
        numbers = (
            f"difference {signed_points(pair.difference)} points, pairwise {100 * LEVEL:g} % "
            f"interval {signed_points(pair.low)} to {signed_points(pair.high)}, "
            f"Holm-adjusted {p}, {basis(pair)}"
        )
        return f"{says} ({numbers})" + (f"; {self.needs}" if self.needs else "")


def verdicts(pairs: Pairs, *, margin: float, alpha: float = ALPHA) -> tuple[Verdict, ...]:
    """Verdicts of all pairs of a study, in the order given.

    `better`/`worse` where Holm's p < alpha; else `practically equal` where both one-sided tests
    against ±margin, Holm-adjusted, have p < alpha; else `not separated`.
    """
    p_holm = holm([pair.p for pair in pairs.values()])
    p_equal = holm([tost_p(pair, margin) for pair in pairs.values()])
    separated = p_holm < alpha
    # Holm compares the smallest p that is left with alpha over the number of pairs left.
    level = alpha / max(1, int((~separated).sum()))
    result = []
    for (names, pair), p, equal in zip(pairs.items(), p_holm, p_equal, strict=True):
        word: Word = "not separated"
        if p < alpha:
            word = "better" if pair.difference > 0 else "worse"
        elif equal < alpha:
            word = "practically equal"
        seeds = seeds_needed(pair, alpha=level) if word == "not separated" else None
        result.append(
            Verdict(
                a=names[0],
                b=names[1],
                pair=pair,
                verdict=word,
                p_holm=float(p),
                p_equal_holm=float(equal),
                less_than_margin=bool(p < alpha and abs(pair.difference) < margin),
                smallest_margin=smallest_margin(pair, alpha=alpha / len(pairs)),
                seeds_needed=seeds,
                needs=_needs(pair, seeds) if word == "not separated" else None,
            )
        )
    return tuple(result)


def seeds_needed(pair: PairTest, *, alpha: float = ALPHA) -> int | None:
    """Seeds of each model that would separate a difference as large as the one seen.

    None where no number of seeds would: the images' own variance alone is too large, and the
    test set too small. A guess, as good as the variances it is made of, and not a promise: at
    this number the difference is found half the time, if it is what it now seems to be.
    """
    images_alone = max(0.0, pair.v1 - pair.v3)
    t = -float(scipy.special.stdtrit(pair.n_images - 1, alpha / 2))
    if abs(pair.difference) <= t * sqrt(images_alone):
        return None

    def separates(seeds: int) -> bool:
        variance, df = variance_with(pair, seeds)
        t = -float(scipy.special.stdtrit(df, alpha / 2))
        return bool(abs(pair.difference) > t * sqrt(variance))

    too_few = min(pair.seeds_a, pair.seeds_b)
    enough = too_few + 1
    while not separates(enough):
        too_few, enough = enough, 2 * enough
        if enough > _MOST_SEEDS:
            return None
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if separates(middle) else (middle, enough)
    return enough


def smallest_margin(pair: PairTest, *, alpha: float = ALPHA) -> float:
    """Smallest margin that these seeds and images could show: that of a difference of exactly 0."""
    return half_width(pair, tail=alpha)


def _needs(pair: PairTest, seeds: int | None) -> str:
    if pair.difference == 0:
        return NO_DIFFERENCE
    if seeds is None:
        return TOO_SMALL
    return f"about {seeds:,} seeds of each model would separate a difference as large as this one"


def basis(pair: PairTest) -> str:
    """Return what a test rests on: "5 seeds, 10,000 test images"."""
    seeds = (
        f"{pair.seeds_a}" if pair.seeds_a == pair.seeds_b else f"{pair.seeds_a} and {pair.seeds_b}"
    )
    return f"{seeds} seeds, {pair.n_images:,} test images"
