"""Which model to use: the smallest, or fastest, that is shown to lose little, of any number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Context
from math import log
from typing import Literal

from bakeoff.analysis.preference import EQUALLY_FAST, Order
from bakeoff.analysis.statistics import (
    FEWEST_SEEDS,
    ONE_IMAGE,
    PairTest,
    few_seeds,
    one_sided_lower_bound,
)
from bakeoff.analysis.variance import LEVEL
from bakeoff.analysis.verdicts import Tests, basis
from bakeoff.utils.text import decimals, declared_points, percent, points, some

_LEAST_SAID = 0.0001  # a loss below it, or none, is still called "less than 0.01 points"

Case = Literal["nothing usable", "a baseline does as well", "cannot say", "no winner", "use"]


@dataclass(frozen=True)
class Headline:
    """What to use in a few words, `before` + `name` + `after`, and one sentence of reason.

    `model` is the one to use, None where there is none: then nothing is recommended. `models` are
    those that the words are about, a baseline included.
    """

    case: Case
    model: str | None
    models: tuple[str, ...]
    before: str
    name: str
    after: str
    reason: str

    @property
    def text(self) -> str:
        """The words as one text."""
        return self.before + self.name + self.after


@dataclass(frozen=True)
class Candidate:
    """A model that may be recommended; `mean` is its mean test accuracy."""

    name: str
    parameters: int
    mean: float


@dataclass(frozen=True)
class Recommendation:
    """The model to use, and why.

    `best` is the model with the highest mean. `loses_at_most` is the one-sided bound that was
    tested, of confidence `level`: what `model` loses to any other model at most. `loses_to` is the
    one to which it may lose so much. All three are None where there is no other model, or nothing
    about models could be shown: then `shown` is false. `caution` belongs into one sentence with
    the name: it says which model may be better by more than `give_up`; "" where none may.
    """

    model: str
    best: str
    reason: str
    loses_at_most: float | None = None
    loses_to: str | None = None
    level: float | None = None
    caution: str = ""
    shown: bool = True


def recommend(
    models: Sequence[Candidate],
    tests: Tests,
    *,
    give_up: float,
    level: float = LEVEL,
    barred: Collection[str] = (),
    order: Order | None = None,
    n_folds: int = 1,
    one_image: bool = False,
) -> Recommendation:
    """Choose the smallest model that a walk shows to lose less than `give_up`, erring rarely.

    U_i is the largest one-sided bound on what model i loses to any other model. Candidates are the
    models smaller than the one with the highest mean, but for those that are shown to lose more
    than `give_up` to it. They share out the chance to err, 1 − level, by what they save: a
    candidate's share of it is log(next larger size/its size), divided by log(size of the one with
    the highest mean/smallest size). They are walked from the largest downwards. A candidate whose
    U_i, at its own share and what was handed to it, is below `give_up` passes, and hands both on to
    the next; if it fails, both are lost. The smallest that passed is chosen. However many models
    there are, the chosen one truly loses `give_up` or more in about 1 − level of all studies at
    most: this is the fallback procedure (Wiens 2003; Bretz et al. 2009). A model that truly loses
    just `give_up` is left out of the candidates as rarely as it is wrongly chosen.

    If none passes, the one with the highest mean is chosen. Its U_i has the chance to err
    (1 − level)/(M − 1) of M models, since any model but the best of them may have the highest mean
    by luck: so all such bounds hold at once (Edwards and Hsu 1983, with Bonferroni's share).

    "Smaller" is what `order` says: of fewer parameters, or faster.

    Parameters
    ----------
    models : the study's models, without baselines.
    tests : tests of all pairs of models, either way round; empty, or with fewer than FEWEST_SEEDS
        seeds of a model, where nothing about models can be shown.
    give_up : largest acceptable loss of accuracy, a fraction.
    level : 1 − level is the chance to err that the smaller models share out.
    barred : names of models that are not to be recommended for being smaller, whatever they lose.
    order : what the models cost; their parameters by default.
    n_folds : of cross-validation, where a model's seeds are repeats; else 1.
    one_image : there is one test image, which is why there are no tests, whatever the seeds.
    """
    order = order or Order({model.name: model.parameters for model in models})
    best = min(models, key=lambda model: (-model.mean, order.key(model.name)))
    if len(models) == 1:
        reason = f"It is the only model that was tested ({percent(best.mean)} correct)"
        return Recommendation(best.name, best.name, reason)
    fewest = min((test.fewest_seeds for test in tests.values()), default=1)
    if fewest < FEWEST_SEEDS:
        reason = (
            f"{best.name} has the highest test accuracy, {percent(best.mean)}, but "
            f"{ONE_IMAGE if one_image else few_seeds(fewest, n_folds)}"
        )
        found = Recommendation(best.name, best.name, reason, shown=False)
    else:
        found = _Choice(models, best, tests, give_up, level, order).smallest_shown(barred)
    if not order.missing:
        return found
    note = f"{found.reason}. Models are ordered by parameters and not by time: {order.missing}"
    return replace(found, reason=note)


@dataclass(frozen=True)
class _Choice:
    """The choice among models of which something can be shown; `recommend` says how it is made.

    best : the model with the highest mean
    """

    models: Sequence[Candidate]
    best: Candidate
    tests: Tests
    give_up: float
    level: float
    order: Order

    def smallest_shown(self, barred: Collection[str]) -> Recommendation:
        """Return the smallest model that passes the walk, or `best`."""
        all_smaller = [m for m in self.models if self._size(m) < self._size(self.best)]
        smaller = [m for m in all_smaller if m.name not in barred]
        too_poor = [model.name for model in smaller if self._is_too_poor(model)]
        passed, failed = self._walk([m for m in smaller if m.name not in too_poor])
        if passed:
            chosen = min(passed, key=lambda each: self._size(each.model))  # of twins the better one
            return _recommended(chosen, self.best, self._why_smaller(chosen))
        unusable = [m.name for m in all_smaller if m.name in barred]
        return self._highest_mean(self._why_nothing_smaller(failed, too_poor, unusable))

    def _size(self, model: Candidate) -> tuple[float, ...]:
        return self.order.key(model.name)

    def _is_too_poor(self, model: Candidate) -> bool:
        """Whether a model is shown to lose more than `give_up` to the best."""
        test = self._test(self.best, model)
        return one_sided_lower_bound(test, level=self.level) > self.give_up

    def _walk(self, candidates: Sequence[Candidate]) -> tuple[list[_Bound], list[_Bound]]:
        """Return the bounds of the candidates that pass and of those that fail, the largest first.

        Each is tested at its share of the chance to err and at what those that passed before it,
        since the last that failed, have handed on.
        """
        walk = sorted(candidates, key=lambda m: (*(-each for each in self._size(m)), -m.mean))
        costs = [self._size(model)[0] for model in walk]
        passed: list[_Bound] = []
        failed: list[_Bound] = []
        handed = 0.0
        for model, share in zip(walk, _shares(self._size(self.best)[0], costs), strict=True):
            tail = (1 - self.level) * share + handed
            bound = self._loss(model, tail)
            if bound.value < self.give_up:
                passed.append(bound)
                handed = tail
            else:
                failed.append(bound)
                handed = 0.0
        return passed, failed

    def _loss(self, model: Candidate, tail: float) -> _Bound:
        """Return the largest bound, each wrong in `tail` of studies, on what a model loses."""
        bounds = []
        for other in self.models:
            if other.name != model.name:
                test = self._test(model, other)
                value = -one_sided_lower_bound(test, level=1 - tail)
                bounds.append(_Bound(model, value, other.name, test, tail))
        return max(bounds, key=lambda each: each.value)

    def _test(self, a: Candidate, b: Candidate) -> PairTest:
        """Return the test of one model against another, which may be there the other way round."""
        if (a.name, b.name) in self.tests:
            return self.tests[a.name, b.name]
        if (b.name, a.name) in self.tests:
            return self.tests[b.name, a.name].flipped()
        raise ValueError(
            f"expected a test of {a.name} against {b.name} among the pairs, found none"
        )

    # ── in words ─────────────────────────────────────────────────────────────────────────────

    def _why_smaller(self, chosen: _Bound) -> str:
        """Return the reason for the smallest model that passed."""
        model, best, order = chosen.model, self.best, self.order
        at = "at" if order.by_time else "with"
        its, other = order.text(model.name), order.text(best.name).removesuffix(" parameters")
        return (
            f"It is correct on {percent(model.mean)} of the test images, {at} {its}; {best.name}, "
            f"{at} {other}, is correct on {percent(best.mean)}. {model.name} "
            f"{chosen.loses(self.give_up)}, within the {self._allowed} allowed"
        )

    def _why_nothing_smaller(
        self, failed: Sequence[_Bound], too_poor: Sequence[str], unusable: Sequence[str]
    ) -> str:
        """Return why no smaller model is recommended: of all of them, or that there is none."""
        best, order = self.best, self.order
        less = "faster (or as fast and smaller)" if order.by_time else "smaller"
        if failed:
            nearest = min(failed, key=lambda each: each.value)
            to = "it" if nearest.rival == best.name else nearest.rival
            return (
                f"Nothing {less} is shown to be nearly as good: the nearest to it, "
                f"{nearest.model.name} ({percent(nearest.model.mean)}), may lose "
                f"{nearest.points(self.give_up)} points to {to} ({nearest.text}), more than the "
                f"{self._allowed} allowed"
            )
        if too_poor:
            faster_or_smaller = "faster" if order.by_time else "smaller"
            is_shown = "is shown" if len(too_poor) == 1 else "are shown"
            return (
                f"The {less} {some(too_poor)} {is_shown} to lose more than the "
                f"{self._allowed} points that a {faster_or_smaller} model may lose"
            )
        if unusable:
            are, each = ("is", "it") if len(unusable) == 1 else ("are", "each")
            return (
                f"The {less} {some(unusable)} {are} not to be used: {each} failed, is not "
                "shown to beat chance, or is shown to be worse than a baseline"
            )
        if order.by_time:
            return f"No other tested model is {less} than it, at {order.text(best.name)}"
        return f"No other tested model has fewer parameters than its {best.parameters:,}"

    def _highest_mean(self, nothing_smaller: str) -> Recommendation:
        """Recommend the best, as no smaller one passed."""
        best = self.best
        bound = self._loss(best, (1 - self.level) / (len(self.models) - 1))
        highest = f"has the highest mean accuracy, {percent(best.mean)}"
        if bound.value < self.give_up:
            loses = bound.loses(self.give_up)
            return _recommended(bound, best, f"It {highest}, and {loses}. {nothing_smaller}")
        most = bound.points(self.give_up)
        reason = (  # with its name: the caution before it ends with the other one
            f"{best.name} {highest}, but may lose {most} points to {bound.rival} "
            f"({bound.text}), more than the {self._allowed} allowed. {nothing_smaller}"
        )
        caution = f"{bound.rival} may be up to {most} points better"
        return _recommended(bound, best, reason, caution)

    @property
    def _allowed(self) -> str:
        return declared_points(self.give_up)


def _recommended(bound: _Bound, best: Candidate, reason: str, caution: str = "") -> Recommendation:
    return Recommendation(
        bound.model.name,
        best.name,
        reason,
        loses_at_most=max(0.0, bound.value),
        loses_to=bound.rival,
        level=1 - bound.tail,
        caution=caution,
    )


@dataclass(frozen=True)
class _Bound:
    """What a model loses to any other at most, and to which `rival`; wrong in `tail` of studies."""

    model: Candidate
    value: float
    rival: str
    test: PairTest
    tail: float

    @property
    def text(self) -> str:
        """What kind of bound it is: "one-sided bound of 97.2 %, 5 seeds, 10,000 test images"."""
        two_digits = Context(prec=2, rounding=ROUND_CEILING)
        level = 100 - two_digits.create_decimal(f"{100 * self.tail:.12g}")
        return f"one-sided bound of {level:f} %, {basis(self.test)}"

    def points(self, give_up: float) -> str:
        """Return the bound, rounded up, with the digits of what it is held against: "0.42"."""
        return points(max(self.value, _LEAST_SAID), decimals(give_up), "up")

    def loses(self, give_up: float) -> str:
        """Return what it shows: "loses less than 0.42 points to any other model (…)"."""
        return f"loses less than {self.points(give_up)} points to any other model ({self.text})"


def _shares(best: float, costs: Sequence[float]) -> list[float]:
    """Return what part of the chance to err each model of a walk has, by what it saves.

    Models that cost the same share. What costs as much as the best (and is smaller) saves something
    too: as much as a difference in time that is just told from none.

    best : cost of the model with the highest mean
    costs : of the walk's models, none larger
    """
    most = best if not costs or best > max(costs) else max(costs) * (1 + EQUALLY_FAST)
    whole = log(most / min(costs)) if costs else 1.0
    shares = []
    for cost in costs:
        more = min((each for each in costs if each > cost), default=most)
        shares.append(log(more / cost) / whole / costs.count(cost))
    return shares
