"""Which model to use: the smallest that is shown to lose less than `give_up` to the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff.analysis.statistics import (
    LEVEL,
    PairTest,
    one_sided_lower_bound,
)
from bakeoff.analysis.verdicts import Pairs, basis
from bakeoff.utils.text import percent, points


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
        reason = f"{best.name} is the only model ({percent(best.mean)} right)"
        return Recommendation(best.name, best.name, 0.0, reason)
    if not pairs:
        reason = (
            f"{best.name} has the highest test accuracy, {percent(best.mean)}; with one seed of "
            "a model nothing about models could be shown, only about these trained files"
        )
        return Recommendation(best.name, best.name, None, reason)

    smaller = [model for model in models if model.parameters < best.parameters]
    against = {model.name: _oriented(pairs, model.name, best.name) for model in smaller}
    loss = {name: -one_sided_lower_bound(pair, level=level) for name, pair in against.items()}
    good = [model for model in smaller if loss[model.name] < give_up]
    highest = f"{best.name} has the highest mean accuracy, {percent(best.mean)}"
    if good:
        chosen = min(good, key=lambda model: (model.parameters, -model.mean))
        pair, bound = against[chosen.name], loss[chosen.name]
        reason = (
            f"{highest}; {chosen.name} ({percent(chosen.mean)}) loses at most "
            f"{points(bound)} "
            f"points to it (one-sided {100 * level:g} % bound, {basis(pair)}), less than the "
            f"{points(give_up)} allowed, with "
            f"{chosen.parameters:,} parameters instead of {best.parameters:,}"
        )
        return Recommendation(chosen.name, best.name, bound, reason)
    if smaller:
        closest = min(smaller, key=lambda model: loss[model.name])
        reason = (
            f"{highest}; no smaller model could be shown to lose less than {points(give_up)} "
            f"points to it: the closest, {closest.name} ({percent(closest.mean)}), may lose "
            f"{points(loss[closest.name])} (one-sided {100 * level:g} % bound, "
            f"{basis(against[closest.name])})"
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
