"""Which model to use: the smallest that a walk reaches which stops where too much may be lost."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from bakeoff.analysis.statistics import FEWEST_SEEDS, PairTest, one_sided_lower_bound
from bakeoff.analysis.variance import LEVEL
from bakeoff.analysis.verdicts import Tests, basis, few_seeds
from bakeoff.utils.text import percent, points, some

Case = Literal["nothing usable", "a baseline does as well", "cannot say", "no winner", "use"]


@dataclass(frozen=True)
class Headline:
    """The answer in a few words, `before` + `name` + `after`, and one sentence of reason.

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
        """The answer in a few words."""
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

    `best` is the model with the highest mean. `loses_at_most` is the bound that was tested: what
    `model` loses to any other model at most, one-sided; None where it was not chosen by a bound
    (the best itself, or nothing could be shown). `shown` is false where nothing about models
    could be shown at all.
    """

    model: str
    best: str
    loses_at_most: float | None
    reason: str
    shown: bool = True


def recommend(
    models: Sequence[Candidate],
    tests: Tests,
    *,
    give_up: float,
    level: float = LEVEL,
    barred: Collection[str] = (),
) -> Recommendation:
    """Choose a model by a fixed sequence of tests, so that many candidates cost nothing.

    U_i is the largest one-sided bound on what model i loses to any other model. The models smaller
    than the one with the highest mean are walked from the largest downwards, to the first whose
    U_i is not below `give_up`; the last that passed is chosen. However many models there are, the
    chosen one truly loses `give_up` or more in at most 1 − level of all studies (Maurer, Hothorn
    and Lehmacher 1995): the walk must take a wrong step first, and stops where one fails. Models
    that are shown to lose more than `give_up` to the best are passed over; else one bad network
    of middling size would hide all smaller ones, and a model at the edge is passed over as
    rarely as it is wrongly chosen.

    Parameters
    ----------
    models : the study's models, without baselines.
    tests : tests of all pairs of models, either way round; empty, or with fewer than FEWEST_SEEDS
        seeds of a model, where nothing about models can be shown.
    give_up : largest acceptable loss of accuracy, a fraction.
    level : of the one-sided bounds.
    barred : names of models that are not to be recommended for being smaller, whatever they lose.
    """
    best = min(models, key=lambda model: (-model.mean, model.parameters))
    if len(models) == 1:
        reason = f"It is the only model ({percent(best.mean)} correct)"
        return Recommendation(best.name, best.name, None, reason)
    fewest = min((test.fewest_seeds for test in tests.values()), default=1)
    if fewest < FEWEST_SEEDS:
        reason = (
            f"{best.name} has the highest test accuracy, {percent(best.mean)}, but "
            f"{few_seeds(fewest)}"
        )
        return Recommendation(best.name, best.name, None, reason, shown=False)

    highest = f"It has the highest mean accuracy, {percent(best.mean)}"
    walk = sorted(
        (
            model
            for model in models
            if model.parameters < best.parameters and model.name not in barred
        ),
        key=lambda model: (-model.parameters, -model.mean),
    )
    passed_over: list[str] = []
    chosen: tuple[Candidate, float, PairTest] | None = None
    stopped: tuple[Candidate, float, str, PairTest] | None = None
    for model in walk:
        against = _oriented(tests, model.name, best.name)
        if one_sided_lower_bound(against.flipped(), level=level) > give_up:
            passed_over.append(model.name)  # shown to lose more than is allowed: no obstacle
            continue
        bound, rival, test = _loss(model, models, tests, level)
        if bound >= give_up:
            stopped = model, bound, rival, test
            break
        if chosen is None or model.parameters < chosen[0].parameters:  # of twins the better one
            chosen = model, bound, test
    if chosen:
        model, bound, test = chosen
        reason = (
            f"It is correct on {percent(model.mean)} of the test images, with "
            f"{model.parameters:,} parameters; {best.name}, with {best.parameters:,}, is correct "
            f"on {percent(best.mean)}. It loses less than {points(bound)} points to any other "
            f"model (one-sided {100 * level:g} % bound, {basis(test)}), within the "
            f"{points(give_up)} allowed"
        )
        return Recommendation(model.name, best.name, bound, reason)
    if stopped:
        model, bound, rival, test = stopped
        to = "it" if rival == best.name else rival
        reason = (
            f"{highest}. Nothing smaller is shown to be nearly as good: the next in size, "
            f"{model.name} ({percent(model.mean)}), may lose {points(bound)} points to {to} "
            f"(one-sided {100 * level:g} % bound, {basis(test)}), more than the "
            f"{points(give_up)} allowed"
        )
    elif passed_over:
        is_shown = "is shown" if len(passed_over) == 1 else "are shown"
        reason = (
            f"{highest}. The smaller {some(passed_over)} {is_shown} to lose more than the "
            f"{points(give_up)} points allowed"
        )
    else:
        reason = f"{highest}, and no other model has fewer parameters than its {best.parameters:,}"
    return Recommendation(best.name, best.name, None, reason)


def _loss(
    model: Candidate, models: Sequence[Candidate], tests: Tests, level: float
) -> tuple[float, str, PairTest]:
    """Return the largest bound on what a model loses to another, and to which."""
    bounds = []
    for other in models:
        if other.name != model.name:
            test = _oriented(tests, model.name, other.name)
            bounds.append((-one_sided_lower_bound(test, level=level), other.name, test))
    return max(bounds, key=lambda each: each[0])


def _oriented(tests: Tests, a: str, b: str) -> PairTest:
    if (a, b) in tests:
        return tests[a, b]
    if (b, a) in tests:
        return tests[b, a].flipped()
    raise ValueError(f"expected a test of {a} against {b} among the pairs, found none")
