"""What the study as a whole says: its seeds, its data, and how often its test set was opened."""

from __future__ import annotations

from math import sqrt

import numpy as np
import scipy  # and not its parts: see statistics.py

from bakeoff.analysis.checks.failed_runs import failed_seeds
from bakeoff.analysis.checks.wording import next_look
from bakeoff.analysis.comparison import Comparison, Finding, ModelResult, Severity
from bakeoff.analysis.statistics import FEWEST_SEEDS as _FEWEST
from bakeoff.utils.text import counted, listed, percent, points, some

# More seeds than this nobody trains for one difference.
SEEDS_WORTH = 200
# With five equally good models the highest mean is expected to lie more than one standard error
# above the truth; with two, half of one.
MANY_MODELS = 5
# More models than this make so many pairs that fewer seeds than these are not enough.
FEW_MODELS, FEW_SEEDS = 5, 5
# One image is then five points of a class's accuracy, and its interval forty points wide.
SMALL_CLASS = 20
# A copy in a hundred test images can move the accuracy by as much as most models differ.
MANY_COPIES = 0.01
# A near twin in a thousand changes no third digit of an accuracy; exact ones are always told.
NEAR_COPIES = 0.001
_AGAIN = ", which opens the test set again and makes the verdicts exploratory"


def missing_trials(comparison: Comparison) -> Finding | None:
    """Name trials that the recipe declares and the opening does not hold."""
    if not comparison.missing:
        return None
    return Finding(
        code="missing-trials",
        severity="serious",
        model=None,
        text=(
            f"{counted(len(comparison.missing), 'declared trial')} not in this comparison: "
            f"{some(comparison.missing)}."
        ),
        advice="Run the recipe again: it trains what is missing and opens the test set again.",
    )


def changed_trials(comparison: Comparison) -> Finding | None:
    """Name trials that are no longer what was opened: their results belong to other weights."""
    if not comparison.changed:
        return None
    count = counted(len(comparison.changed), "opened trial")
    return Finding(
        code="changed-trials",
        severity="serious",
        model=None,
        text=(
            f"{count} {'is' if len(comparison.changed) == 1 else 'are'} no longer what was opened, "
            f"and left out here: {some(comparison.changed)}."
        ),
        advice=(
            "Restore them, or run the recipe again: it opens the test set again, which is counted "
            "and makes the verdicts exploratory."
        ),
    )


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
        advice=f"Train at least 5 {unit}s of every model (--seeds 5), better 10{_AGAIN}.",
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
            advice=f"Train at least {_FEWEST} of each (--seeds {_FEWEST}), better 5{_AGAIN}.",
        )
    if fewest < FEW_SEEDS and models > FEW_MODELS and fewest >= _FEWEST:
        return Finding(
            code="few-seeds",
            severity="warning",
            model=None,
            text=(
                f"{models} models make {models * (models - 1) // 2:,} pairs, and a model has "
                f"{fewest} {unit}s only: with that few, claims of a difference may be wrong more "
                "often than 5 % of the time."
            ),
            advice=next_look(comparison)
            or f"Train at least {FEW_SEEDS} {unit}s of every model (--seeds {FEW_SEEDS}){_AGAIN}.",
        )
    return None


def unseen_failures(comparison: Comparison) -> Finding | None:
    """Say what failure rate sound runs leave open, where other models' runs failed."""
    failing = [model for model in comparison.models if model.failed]
    sound = [model for model in comparison.models if not model.failed]
    if not failing or not sound:
        return None
    fewest = min(sound, key=lambda model: len(model.seeds))
    runs = len(fewest.seeds)
    said = [f"{m.name} in {len(m.failed)} of {counted(len(m.seeds), 'run')}" for m in failing]
    return Finding(
        code="unseen-failures",
        severity="info",
        model=None,
        text=(
            f"Training failed for {some(said)}; that it never failed for the others says little: "
            f"{counted(runs, 'sound run')} of {fewest.name} leave a failure rate of up to "
            f"{percent(fewest.failure_rate[1], 0, 'up')}."
        ),
        advice="Where a failed training costs much, train more seeds of what you will use.",
    )


def rules_changed(comparison: Comparison) -> Finding | None:
    """Notice a margin or the like that is not the one declared at the first opening."""
    if not comparison.changed_rules:
        return None
    return Finding(
        code="rules-changed",
        severity="warning",
        model=None,
        text=(
            f"The rules are not those of the first opening: {listed(comparison.changed_rules)}, "
            "with the results known, so the verdicts are exploratory."
        ),
        advice="Report the verdicts by the rules that were declared, or say that they changed.",
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
            f"{'is' if len(open_pairs) == 1 else 'are'} not separated by {_seeds(comparison)}. If "
            f"the {points(difference, 2)} points between {nearest.a} and {nearest.b} are real, "
            f"about {needed} {unit}s of each have an even chance to show it."
            f"{rest if len(reachable) > 1 else ''}"
        ),
        advice=next_look(comparison)
        or f"Train more {unit}s (--seeds {needed}){_AGAIN}, or report that these {unit}s do not "
        "separate them.",
    )


def many_models(comparison: Comparison) -> Finding | None:
    """Notice that the highest of many means, picked with the test set open, flatters itself."""
    best = comparison.models[0]
    rivals = [
        model
        for model in comparison.models
        if _may_be_best(model, best) and not failed_seeds(model, comparison)
    ]
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
    return Finding(
        code="many-models",
        severity="info",
        model=None,
        text=(
            f"{best.name} has the highest of {len(comparison.models)} means, and {m - 1} other "
            f"models are not separated from it: picked by its test accuracy, {best.name} is "
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


def duplicates(comparison: Comparison) -> Finding | None:
    """Notice images that stand in two parts of the split, or in two folds."""
    exact, near = (_copies(comparison, kind) for kind in ("exact", "near"))
    n_test = len(comparison.labels)
    if not sum(exact.values()) and sum(near.values()) < NEAR_COPIES * n_test:
        return None
    in_test = sum(n for counts in (exact, near) for pair, n in counts.items() if _is_test(pair))
    folds = comparison.folded
    says = [
        _twins(pair, count, what, folds=folds)
        for counts, what in ((exact, "an exact"), (near, "a near"))
        for pair, count in counts.items()
        if count
    ]
    severity: Severity = "warning" if sum(exact.values()) else "info"
    if in_test >= MANY_COPIES * n_test:
        severity = "serious"
    return Finding(
        code="duplicates",
        severity=severity,
        model=None,
        text=(
            f"The {'folds' if folds else 'parts of the split'} share images: {listed(says)}; up to "
            f"{percent(min(1.0, in_test / n_test), 2, 'up')} of the {n_test:,} test images may "
            "have been learnt by heart."
        ),
        advice="Keep one copy of each image alone, and run it again."
        if folds
        else "Remove the copies, or keep all copies of an image in one part, and run it again.",
    )


def small_classes(comparison: Comparison) -> Finding | None:
    """Name classes without images in a part of the split, or with too few to speak of."""
    names = comparison.class_names
    counts = dict(comparison.data.get("class_counts", {}))
    counts["test"] = np.bincount(comparison.labels, minlength=len(names)).tolist()
    empty: list[str] = []
    small: list[str] = []
    for part, numbers in counts.items():
        if not sum(numbers):
            continue  # a study without a validation part
        first = comparison.folded and part != "test"  # of many folds, one
        where = f"{part} of the first fold" if first else part
        for name, count in zip(names, numbers, strict=True):
            if count < (1 if first else SMALL_CLASS):
                (small if count else empty).append(f"{name} ({count} in {where})")
    if not (empty or small):
        return None
    says = [f"{some(empty)} without images"] if empty else []
    says += [f"{some(small)} with fewer than {SMALL_CLASS}"] if small else []
    return Finding(
        code="small-classes",
        severity="serious" if empty else "warning",
        model=None,
        text=f"Some classes are missing or tiny: {'; '.join(says)}.",
        advice=(
            "Add images of these classes, leave them out, or read their accuracies by the "
            "interval, which is wide."
        ),
    )


def mixed_environments(comparison: Comparison) -> Finding | None:
    """Notice trials that were trained with other versions, kernels or machines than others."""
    mixed = comparison.environments
    if not mixed:
        return None
    says = [
        f"{key} {listed([f'{value} ({times})' for value, times in counts.items()])}"
        for key, counts in mixed.items()
    ]
    return Finding(
        code="mixed-environments",
        severity="warning",
        model=None,
        text=(
            f"Not all trials were trained alike; in brackets, how many: {'; '.join(says)}. What "
            "differs between models may come from that."
        ),
        advice=(
            "Train all trials again in one environment with another --out, or say so beside the "
            "result."
        ),
    )


def opened_again(comparison: Comparison) -> Finding | None:
    """Notice more than one opening of the test set by what is compared here."""
    if not comparison.unplanned_openings:
        return None
    looks, known = "", "models or seeds were added or trained again with its first results known"
    if comparison.look is not None:
        looks = f", and only {comparison.planned_openings} of these as the looks it declared"
    if (studies := len(comparison.folders)) > 1:
        each = ", once by each of" if comparison.test_openings == studies else " by"
        looks = f"{each} the {studies} studies compared"
        known = "one of them may have been made, or added to, with results of this test set known"
    return Finding(
        code="opened-again",
        severity="warning",
        model=None,
        text=f"The test set was opened {comparison.test_openings} times{looks}, so that {known}: "
        "the verdicts are exploratory.",
        advice="Confirm what you claim on test images that were never opened.",
    )


def opened_elsewhere(comparison: Comparison) -> Finding | None:
    """Notice other studies of this user that opened the same test set."""
    times = comparison.openings_elsewhere
    if times == 0:
        return None
    if times is None:
        text = (
            "Whether other studies opened this test set cannot be said: the user's ledger of it "
            "cannot be read, or was changed."
        )
        advice = "Look at the ledger, and move it away if it is damaged beyond repair."
    else:
        what, part = "This test set", ", or a part of it," if comparison.partly_elsewhere else ""
        if comparison.shared_elsewhere < 1:
            part, most = "", percent(comparison.shared_elsewhere, 0, "up")
            what = f"Up to {most} of this test set"
        text = (
            f"{what} of {len(comparison.labels):,} images{part} was also opened "
            f"{counted(times, 'time')} by other studies of yours, which may have shaped this "
            "one, or what is told of it."
        )
        advice = "Say so beside the result, or confirm it on test images that were never opened."
    return Finding("opened-elsewhere", "warning", None, text, advice)


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


def _seeds(comparison: Comparison) -> str:
    counts, unit = sorted({len(model.seeds) for model in comparison.models}), comparison.unit
    return counted(counts[0], unit) if len(counts) == 1 else f"{counts[0]} to {counts[-1]} {unit}s"


def _copies(comparison: Comparison, kind: str) -> dict[str, int]:
    return {pair: int(count) for pair, count in comparison.duplicates.get(kind, {}).items()}


def _is_test(pair: str) -> bool:
    return pair.endswith("-test")


def _twins(pair: str, count: int, what: str, *, folds: bool) -> str:
    earlier, later = pair.split("-")
    verb = "has" if count == 1 else "have"
    if folds:
        return f"{counted(count, 'image')} {verb} {what} twin in another fold"
    part = "training" if earlier == "train" else earlier
    return f"{counted(count, f'{later} image')} {verb} {what} twin in the {part} part"
