"""What the design of a study can show: with so few seeds, or with so many models."""

from __future__ import annotations

from math import sqrt

import numpy as np
import scipy  # and not its parts: see statistics.py

from bakeoff.analysis.checks.failed_runs import failed_seeds
from bakeoff.analysis.comparison import Comparison, Finding, ModelResult
from bakeoff.analysis.statistics import FEWEST_SEEDS as _FEWEST
from bakeoff.analysis.verdicts import unsettled
from bakeoff.analysis.wording import seed_count
from bakeoff.utils.text import counted, percent, points, some

# More seeds than this nobody trains for one difference.
SEEDS_WORTH = 200
# With five equally good models the highest mean is expected to lie more than one standard error
# above the truth; with two, half of one.
MANY_MODELS = 5
# More models than this make so many pairs that fewer seeds than these are not enough.
FEW_MODELS, FEW_SEEDS = 5, 5
_AGAIN = ", which opens the test set again and makes the verdicts exploratory"


def one_seed(comparison: Comparison) -> Finding | None:
    """Notice a single run, which says nothing about the model."""
    single = [model.name for model in comparison.models if len(model.seeds) == 1]
    if not single:
        return None
    unit = comparison.unit
    only = "the networks of its folds" if comparison.folded else "these trained files"
    return Finding(
        code="one-seed",
        severity="serious",
        model=None,
        text=(
            f"{some(single)} {'has' if len(single) == 1 else 'have'} one {unit} only, so "
            f"nothing is said about models, only about {only}."
        ),
        advice=_more_seeds(unit),
    )


def few_seeds(comparison: Comparison) -> Finding | None:
    """Notice too few seeds for a verdict, or too few for so many models."""
    unit = comparison.unit
    fewest, models = min(len(m.seeds) for m in comparison.models), len(comparison.models)
    if 1 < fewest < _FEWEST and models > 1:
        return Finding(
            code="few-seeds",
            severity="serious",
            model=None,
            text=(
                f"There is no verdict below {_FEWEST} {unit}s of each model, and a model has "
                f"{fewest}: that few cannot tell a better model from a lucky run."
            ),
            advice=_more_seeds(unit),
        )
    if _FEWEST <= fewest < FEW_SEEDS and models > FEW_MODELS:
        return Finding(
            code="few-seeds",
            severity="warning",
            model=None,
            text=(
                f"{models} models make {models * (models - 1) // 2:,} pairs, and a model has "
                f"{fewest} {unit}s only: with that few, claims of a difference may be wrong more "
                "often than 5 % of the time."
            ),
            advice=_next_look(comparison)
            or f"Train at least {FEW_SEEDS} {unit}s of every model (--seeds {FEW_SEEDS}){_AGAIN}.",
        )
    return None


def _more_seeds(unit: str) -> str:
    return f"Train at least {_FEWEST} {unit}s of each model (--seeds {_FEWEST}), better 5{_AGAIN}."


def unseen_failures(comparison: Comparison) -> Finding | None:
    """Say what failure rate sound runs leave open, where other models' runs failed."""
    failing = [model for model in comparison.models if model.failed]
    sound = [model for model in comparison.models if not model.failed]
    if not failing or not sound:
        return None
    fewest = min(sound, key=lambda model: len(model.seeds))
    runs = len(fewest.seeds)
    leave = "leaves" if runs == 1 else "leave"
    said = [f"{m.name} in {len(m.failed)} of {counted(len(m.seeds), 'run')}" for m in failing]
    return Finding(
        code="unseen-failures",
        severity="info",
        model=None,
        text=(
            f"Training failed for {some(said)}; that it never failed for the others says little: "
            f"{counted(runs, 'sound run')} of {fewest.name} {leave} a failure rate of up to "
            f"{percent(fewest.failure_rate[1], 0, 'up')}."
        ),
        advice="Where a failed training costs much, train more seeds of what you will use.",
    )


def too_few_seeds(comparison: Comparison) -> Finding | None:
    """Notice differences that a trainable number of seeds would separate."""
    open_pairs = [pair for pair in comparison.pairs if pair.verdict == "not separated"]
    reachable = [
        (pair.seeds_needed, pair)
        for pair in open_pairs
        if pair.seeds_needed is not None and pair.seeds_needed <= SEEDS_WORTH
        if not pair.failed  # that is what to mend first
    ]
    if not reachable:
        return None
    needed, nearest = min(reachable, key=lambda item: item[0])
    most, unit = max(seeds for seeds, _ in reachable), comparison.unit
    difference = nearest.test.difference if nearest.test else 0.0
    which = "Both pairs" if len(reachable) == 2 else f"All {len(reachable)} pairs"
    rest = f" {which} that {SEEDS_WORTH} {unit}s or fewer can help need about {most}."
    return Finding(
        code="too-few-seeds",
        severity="warning",
        model=None,
        text=(
            f"{len(open_pairs)} of {counted(len(comparison.pairs), 'pair')} of models "
            f"{'is' if len(open_pairs) == 1 else 'are'} not separated by {seed_count(comparison)}. "
            f"If the {points(difference, 2)} points between {nearest.a} and {nearest.b} are real, "
            f"about {needed} {unit}s of each have an even chance to show it."
            f"{rest if len(reachable) > 1 else ''}"
        ),
        advice=_next_look(comparison)
        or f"Train more {unit}s (--seeds {needed}){_AGAIN}, or report that these {unit}s do not "
        "separate them.",
    )


def many_models(comparison: Comparison) -> Finding | None:
    """Notice that the highest of many means, picked with the test set open, flatters itself."""
    best = comparison.models[0]
    others = [model for model in comparison.models[1:] if _may_be_best(model, best)]
    rivals = [best, *(model for model in others if not failed_seeds(model, comparison))]
    m = len(rivals)
    if m < MANY_MODELS:
        return None
    among = {model.name for model in rivals}
    tests = [p.test for p in comparison.pairs if p.test is not None and {p.a, p.b} <= among]
    if tests:  # the error of one mean, without what all share: half a difference's variance
        error = sqrt(float(np.mean([test.variance for test in tests])) / 2)
    else:
        error = float(np.mean([_seed_error(model) for model in rivals]))
    optimism = flattery(m, error)
    judged = any(pair.verdict for pair in comparison.pairs)
    beside = "are not separated from it" if judged else "have no verdict beside it"
    return Finding(
        code="many-models",
        severity="info",
        model=None,
        text=(
            f"{best.name} has the highest of {len(comparison.models)} means, and {len(others)} "
            f"other models {beside}: picked by its test accuracy, {best.name} is "
            f"expected to look better than it is, by {points(optimism, 2)} points if all are equal."
        ),
        advice=(
            "Quote the whole group, or measure the chosen model on images that no choice has "
            "seen; choose by size and speed within the group."
        ),
    )


def flattery(m: int, error: float) -> float:
    """Return by how much the highest of m equal models' means is too high, on average.

    It lies Φ⁻¹((m − 0.375)/(m + 0.25)) standard errors above their mean (Blom 1958).
    """
    return float(scipy.special.ndtri((m - 0.375) / (m + 0.25))) * error


def _next_look(comparison: Comparison) -> str:
    """Say that a declared look comes next; "" where none does, or the plan was not kept to.

    None does where every pair is settled: the run ends there, and would end there again.
    """
    look = comparison.look
    if look is None or look.number == len(look.after) or comparison.exploratory:
        return ""
    if not unsettled(comparison.pairs):
        return ""
    return (
        f"The next look, after {look.after[look.number]} seeds, was declared before the first, and "
        "makes nothing exploratory: let the run go on, or run the same recipe again."
    )


def _may_be_best(model: ModelResult, best: ModelResult) -> bool:
    if best.group:
        return bool(set(model.group) & set(best.group))
    return model.accuracy.estimate.high >= best.accuracy.mean


def _seed_error(model: ModelResult) -> float:
    """Return an accuracy's standard error without the part of the images, which all share."""
    estimate = model.accuracy.estimate
    if estimate.seed_variance is None or estimate.noise_variance is None:
        half = (estimate.high - estimate.low) / 2
        return half / float(scipy.special.stdtrit(max(1, estimate.n_images - 1), 0.975))
    return sqrt(estimate.seed_variance + estimate.noise_variance)
