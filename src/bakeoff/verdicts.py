"""What may be said of models, from the tests of all their pairs: verdicts, letters, advice."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import scipy  # and not its parts: see statistics.py

from bakeoff.statistics import (
    LEVEL,
    PairTest,
    half_width,
    holm,
    one_sided_lower_bound,
    tost_p,
    variance_with,
)

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
            f"difference {_signed(pair.difference)} points, pairwise {100 * LEVEL:g} % interval "
            f"{_signed(pair.low)} to {_signed(pair.high)}, Holm-adjusted {p}, {_basis(pair)}"
        )
        return f"{says} ({numbers})" + (f"; {self.needs}" if self.needs else "")


@dataclass(frozen=True)
class Candidate:
    """A model that may be recommended; `mean` is its mean test accuracy."""

    name: str
    parameters: int
    mean: float


@dataclass(frozen=True)
class Recommendation:
    """The model to ship, and why.

    `best` is the model with the highest mean. `loses_at_most` is the one-sided bound on what
    `model` loses to it: 0 for the best itself, None where nothing could be shown.
    """

    model: str
    best: str
    loses_at_most: float | None
    reason: str


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


def letters(best_first: Sequence[str], separated: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Compact letter display: models that share a letter are not separated; "a" holds the best.

    Insert and absorb (Piepho 2004, Journal of Computational and Graphical Statistics 13):
    start with one group of all; a separated pair splits every group that holds both into one
    without the first and one without the second; a group inside another is dropped.
    """
    groups = [frozenset(best_first)]
    for a, b in separated:
        if not {a, b} <= set(best_first) or a == b:
            raise ValueError(f"expected two of the models {', '.join(best_first)}; got {a}, {b}")
        split = [g - {x} for g in groups if {a, b} <= g for x in (a, b)]
        groups = _absorb([g for g in groups if not {a, b} <= g] + split)
    place = {name: position for position, name in enumerate(best_first)}
    groups.sort(key=lambda group: sorted(place[name] for name in group))
    signs = [_sign(k) for k in range(len(groups))]
    return {
        name: "".join(sign for sign, group in zip(signs, groups, strict=True) if name in group)
        for name in best_first
    }


def recommend(
    models: Sequence[Candidate], pairs: Pairs, *, give_up: float, level: float = LEVEL
) -> Recommendation:
    """Choose the smallest model that is shown to lose less than `give_up` to the best one.

    Parameters
    ----------
    models : the study's models, without baselines.
    pairs : tests of pairs of models, either way round; empty where a model has a single seed,
        so that nothing about models could be shown.
    give_up : largest acceptable loss of accuracy, a fraction.
    level : of the one-sided bound on the loss.
    """
    best = min(models, key=lambda model: (-model.mean, model.parameters))
    if len(models) == 1:
        reason = f"{best.name} is the only model ({_percent(best.mean)} right)"
        return Recommendation(best.name, best.name, 0.0, reason)
    if not pairs:
        reason = (
            f"{best.name} has the highest test accuracy, {_percent(best.mean)}; with one seed of "
            "a model nothing about models could be shown, only about these trained files"
        )
        return Recommendation(best.name, best.name, None, reason)

    smaller = [model for model in models if model.parameters < best.parameters]
    against = {model.name: _oriented(pairs, model.name, best.name) for model in smaller}
    loss = {name: -one_sided_lower_bound(pair, level=level) for name, pair in against.items()}
    good = [model for model in smaller if loss[model.name] < give_up]
    highest = f"{best.name} has the highest mean accuracy, {_percent(best.mean)}"
    if good:
        chosen = min(good, key=lambda model: (model.parameters, -model.mean))
        pair, bound = against[chosen.name], loss[chosen.name]
        reason = (
            f"{highest}; {chosen.name} ({_percent(chosen.mean)}) loses at most {_points(bound)} "
            f"points to it (one-sided {100 * level:g} % bound, {_basis(pair)}), less than the "
            f"{_points(give_up)} allowed, with "
            f"{chosen.parameters:,} parameters instead of {best.parameters:,}"
        )
        return Recommendation(chosen.name, best.name, bound, reason)
    if smaller:
        closest = min(smaller, key=lambda model: loss[model.name])
        reason = (
            f"{highest}; no smaller model could be shown to lose less than {_points(give_up)} "
            f"points to it: the closest, {closest.name} ({_percent(closest.mean)}), may lose "
            f"{_points(loss[closest.name])} (one-sided {100 * level:g} % bound, "
            f"{_basis(against[closest.name])})"
        )
    else:
        reason = f"{highest}, and no other model has fewer parameters than its {best.parameters:,}"
    return Recommendation(best.name, best.name, 0.0, reason)


def _oriented(pairs: Pairs, a: str, b: str) -> PairTest:
    if (a, b) in pairs:
        return pairs[a, b]
    if (b, a) in pairs:
        return pairs[b, a].flipped()
    raise ValueError(f"expected a test of {a} against {b} among the pairs, found none")


def _absorb(groups: list[frozenset[str]]) -> list[frozenset[str]]:
    unique = list(dict.fromkeys(groups))
    return [group for group in unique if not any(group < other for other in unique)]


def _sign(k: int) -> str:
    return string.ascii_letters[k] if k < len(string.ascii_letters) else f"({k + 1})"


def _needs(pair: PairTest, seeds: int | None) -> str:
    if pair.difference == 0:
        return NO_DIFFERENCE
    if seeds is None:
        return TOO_SMALL
    return f"about {seeds:,} seeds of each model would separate a difference as large as this one"


def _basis(pair: PairTest) -> str:
    seeds = (
        f"{pair.seeds_a}" if pair.seeds_a == pair.seeds_b else f"{pair.seeds_a} and {pair.seeds_b}"
    )
    return f"{seeds} seeds, {pair.n_images:,} test images"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _points(share: float) -> str:
    return f"{100 * share:.2f}".replace("-", "−")


def _signed(share: float) -> str:
    return f"{100 * share:+.2f}".replace("-", "−")
