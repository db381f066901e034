"""The headline: the first of five cases that holds, so that it contradicts no finding.

*Nothing usable*: every model failed, is at chance, or is shown to be worse than a baseline. *A
baseline does as well*: no model is shown to be better than it. *Cannot say*: too few seeds, a tiny
class decides, or an accuracy is hardly known. *No winner*: equals of equal size. Else *use*.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.checks.failed_runs import sound_seeds
from bakeoff.analysis.checks.parts import SMALL_CLASS
from bakeoff.analysis.checks.predictions import chance_seeds, collapsed
from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.analysis.recommendation import Headline, Recommendation
from bakeoff.analysis.statistics import FEWEST_SEEDS, few_seeds
from bakeoff.analysis.verdicts import Pair
from bakeoff.analysis.wording import baseline_in_words
from bakeoff.utils.text import counted, listed, percent, points, signed_points, some

_NAMED = 3  # models whose reasons are given one by one

# Where such classes hold half of so small a test set, there is no larger class to rest on.
SMALL_TEST = 200
# An interval wider than this says next to nothing.
WIDEST = 0.5
# Nobody chooses between two networks by so small a difference in size.
EQUAL_SIZE = 0.05

Choose = Callable[[NDArray[np.bool_]], Recommendation]


def headline(comparison: Comparison, choose: Choose) -> Headline:
    """Return the headline: what to use, or why none can be named.

    Parameters
    ----------
    choose : the recommendation from the test images where a mask, bool (n_test,), is true.
    """
    chosen = comparison.recommended
    if chosen is None:
        return Headline("cannot say", None, (), "Nothing has been scored yet.", "", "", "")
    return (
        _nothing_usable(comparison)
        or _baseline(comparison)
        or _cannot_say(comparison, chosen, choose)
        or _no_winner(comparison, chosen)
        or _use(comparison, chosen)
    )


def _use(comparison: Comparison, chosen: Recommendation) -> Headline:
    model = comparison.model(chosen.model)
    reason = chosen.reason
    if model.failed:
        runs = counted(len(model.seeds), "run")
        failed = f"{len(model.failed)} of {runs} of {model.name} failed"
        reason += f"; but {failed}, which training it again may too"
    after = f", though {chosen.caution}." if chosen.caution else "."
    return Headline("use", model.name, (model.name,), "Use ", model.name, after, reason)


def _nothing_usable(comparison: Comparison) -> Headline | None:
    why = {model.name: unusable(model, comparison) for model in comparison.models}
    if not all(why.values()):
        return None
    reason = listed([f"{name} {text}" for name, text in why.items()])
    if len(why) > _NAMED:
        reason = (
            f"Each of the {len(why)} models failed, is not shown to beat chance or is worse than "
            "a baseline"
        )
    n_images, said = len(comparison.labels), "Nothing here is usable."
    if n_images < SMALL_TEST and any(_at_chance(model, comparison) for model in comparison.models):
        said = "Nothing here is shown to be usable."  # which is no proof that nothing is
        reason += f"; {counted(n_images, 'test image')} can show little"
    return Headline("nothing usable", None, tuple(why), said, "", "", reason)


def unusable(model: ModelResult, comparison: Comparison) -> str:
    """Say why a model is no candidate: failed, at chance, or worse than a baseline; "" if it is."""
    if not sound_seeds(model, comparison):
        return f"failed in {counted(len(model.failed), 'run')} of {len(model.seeds)}"
    if _at_chance(model, comparison):
        return f"is not shown to beat chance ({percent(model.accuracy.mean, 1)} correct)"
    worse = [name for name, lead in model.leads.items() if lead.high < 0]
    if worse:
        return (
            f"({percent(model.accuracy.mean, 1)} correct) is shown to be worse than the baseline "
            f"{baseline_in_words(worse[0])}"
        )
    return ""


def _at_chance(model: ModelResult, comparison: Comparison) -> bool:
    """Whether most seeds are not shown to beat chance, those that failed left out."""
    return 2 * len(chance_seeds(model, comparison)) > len(model.seeds)


def _baseline(comparison: Comparison) -> Headline | None:
    """Name the best baseline that no model is shown to beat."""
    unbeaten = [
        baseline
        for baseline in comparison.baselines
        if not any(model.leads[baseline.name].low > 0 for model in comparison.models)
    ]
    if not unbeaten:
        return None
    baseline = max(unbeaten, key=lambda each: each.accuracy.mean)
    model = max(comparison.models, key=lambda each: each.leads[baseline.name].difference)
    lead = model.leads[baseline.name]
    reason = (
        f"The baseline has {percent(baseline.accuracy.mean)} correct; the best model, "
        f"{model.name} ({percent(model.accuracy.mean)}), is {_beside(lead.difference)} "
        f"(95 % interval {signed_points(lead.low)} to {signed_points(lead.high)})"
    )
    if lead.high >= 0 and (lost := collapsed(model, comparison)):
        reason += f"; {lost}, which may make this interval wide"
    return Headline(
        *("a baseline does as well", None, (baseline.name, model.name)),
        *("No model is shown to be better than the baseline ", baseline.name, ".", reason),
    )


def _beside(difference: float) -> str:
    """Say where a model stands beside a baseline, the difference being the model's lead."""
    if not difference:
        return "level with it"
    side = "behind" if difference < 0 else "ahead"
    return f"{side} by {points(abs(difference))} points"


def _cannot_say(comparison: Comparison, chosen: Recommendation, choose: Choose) -> Headline | None:
    before, after = "Cannot say which model to use; ", " scored highest."
    if len(comparison.models) == 1:
        before, after = "Cannot say how good ", " is."
    reason = _too_little_known(comparison, chosen, choose)
    if not reason:
        return None
    best = chosen.best
    reason = reason[0].upper() + reason[1:]  # it begins with a word, not with a name
    return Headline("cannot say", None, (best,), before, best, after, reason)


def _too_little_known(comparison: Comparison, chosen: Recommendation, choose: Choose) -> str:
    fewest = min(len(model.seeds) for model in comparison.models)
    if fewest < FEWEST_SEEDS:
        return few_seeds(fewest, comparison.n_folds)
    names = list(dict.fromkeys((chosen.model, chosen.best, *_equals(comparison, chosen))))
    for model in (comparison.model(name) for name in names):
        if model.name == chosen.model and 2 * len(model.failed) > len(model.seeds):
            runs = counted(len(model.seeds), "run")
            return f"{len(model.failed)} of {runs} of {model.name} failed"
        accuracy = model.accuracy.estimate
        if accuracy.high - accuracy.low > WIDEST:
            lost = len(chance_seeds(model, comparison))
            verb = "is" if lost == 1 else "are"
            these = f"{len(model.seeds)} {model.unit}s"
            why = f", since {lost} of its {these} {verb} not shown to beat chance" if lost else ""
            why = f", since {len(model.failed)} of its runs failed" if model.failed else why
            return (
                f"the accuracy of {model.name} is only known to lie between "
                f"{percent(accuracy.low, 0, 'down')} and {percent(accuracy.high, 0, 'up')}{why}"
            )
    return _deciding_class(comparison, chosen, choose)


def _deciding_class(comparison: Comparison, chosen: Recommendation, choose: Choose) -> str:
    """Say which tiny class decides: without its images another model would be recommended."""
    labels, names = comparison.labels, comparison.class_names
    counts = np.bincount(labels, minlength=len(names))
    small = [k for k in range(len(names)) if 0 < counts[k] < SMALL_CLASS]
    if 2 * counts[small].sum() >= len(labels) and len(labels) < SMALL_TEST:
        said = some([f"{names[k]} {counts[k]}" for k in small])
        return (
            f"the test set is too small: {len(labels):,} images, fewer than {SMALL_CLASS} of a "
            f"class ({said})"
        )
    for k in small:
        if choose(labels != k).model != chosen.model:
            return (
                f"class {names[k]} has only {counted(int(counts[k]), 'test image')}, and without "
                f"them another model would be recommended"
            )
    return ""


def _no_winner(comparison: Comparison, chosen: Recommendation) -> Headline | None:
    """Name those of equal size that the recommended model is not shown to differ from."""
    equals = _equals(comparison, chosen)
    if not equals:
        return None
    names = (chosen.model, *equals)
    said = "; ".join(pair.sentence for pair in list(equals.values())[:2])
    return Headline(
        *("no winner", None, names),
        *(f"No winner among {listed(names)}.", "", "", said),
    )


def _equals(comparison: Comparison, chosen: Recommendation) -> dict[str, Pair]:
    """Return the models of equal size that the recommended one is not shown to differ from.

    Each with its pair with that one. Where models are ordered by time, they are as fast too.
    """
    model, order = comparison.model(chosen.model), comparison.order
    pairs = {frozenset((pair.a, pair.b)): pair for pair in comparison.pairs}
    return {
        other.name: pair
        for other in comparison.models
        if other.name != model.name
        and abs(other.parameters - model.parameters) <= EQUAL_SIZE * model.parameters
        and (not order.by_time or order.cost(other.name) == order.cost(model.name))
        and (pair := pairs[frozenset((other.name, model.name))]).verdict not in ("better", "worse")
    }
