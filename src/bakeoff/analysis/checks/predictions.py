"""What the predictions of the test images say: level, baselines, seeds, calibration, confusions."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, pi

import numpy as np
import scipy  # and not its parts: see statistics.py
from numpy.typing import NDArray

from bakeoff.analysis.checks.failed_runs import failed_seeds, sound_seeds
from bakeoff.analysis.comparison import Comparison, Finding, Lead, ModelResult
from bakeoff.analysis.estimates import wilson
from bakeoff.analysis.metrics import Calibration
from bakeoff.analysis.wording import baseline_in_words, mean_of, seed_list, seeds_of
from bakeoff.utils.text import counted, listed, percent, points, signed_points, some

# Choosing epochs on validation images flatters them by a point at most; ten points are a fault.
BELOW_VALIDATION = 0.1
# One run's accuracy then lies up to two points from another's of the same model, more than most
# differences between models that people publish.
UNSTABLE_SD = 0.01
# Fewer seeds show no spread worth a sentence; and the spread must be more than what a finite test
# set gives to seeds that are equally good, by a test at 1 %.
UNSTABLE_SEEDS, UNSTABLE_P = 3, 0.01
# "95 % sure" and correct nine times in ten: whoever acts on the probability is misled. A calibrated
# model's error is above zero too, by chance; twice its expected value is more than chance.
MISCALIBRATED, MISCALIBRATED_TIMES = 0.05, 2.0
# A confusion stands out with three times the share that each pair of classes would have if errors
# were spread evenly (for ten classes 6.7 %), not below 5 %; with few classes, halfway to all.
CONFUSED_TIMES, CONFUSED_SHARE = 3.0, 0.05
# Below, one image more or less changes the picture.
CONFUSED_IMAGES, FEWEST_ERRORS = 5, 30
# A third more errors than in the average class, and shown by the class's interval.
WEAK_TIMES = 4 / 3
_NAMED = 3
_CONFIDENT = {
    "over": "overconfident",
    "under": "underconfident",
    "neither": "overconfident in some predictions and underconfident in others",
}


def chance_seeds(model: ModelResult, comparison: Comparison) -> list[int]:
    """Return the positions of the seeds not shown to beat chance, those that failed left out."""
    failed = failed_seeds(model, comparison)
    n_images = len(comparison.labels)
    chances = _chances(model, comparison)
    low = [wilson(share * n_images, n_images)[0] for share in model.accuracy.per_seed]
    return [k for k in range(len(model.seeds)) if k not in failed and low[k] <= chances[k]]


def collapsed(model: ModelResult, comparison: Comparison) -> str:
    """Say which runs failed, or do not beat chance as the others do: "cnn failed with seed 3".

    "" if there are none. Those are not half as far above chance as the median of the others: a run
    that diverged late may be as good as they are, and then widens no interval.
    """
    chance, failed = chance_seeds(model, comparison), failed_seeds(model, comparison)
    shares = np.array(model.accuracy.per_seed)
    sound = np.delete(shares, [*chance, *failed])
    if len(sound):
        fallen = shares < (_chances(model, comparison) + float(np.median(sound))) / 2
        chance, failed = ([k for k in seeds if fallen[k]] for seeds in (chance, failed))
    kinds = (("failed", failed), ("is not shown to beat chance", chance if len(sound) else []))
    return listed(
        f"{model.name} {what} with {seed_list([model.seeds[k] for k in positions], model.unit)}"
        for what, positions in kinds
        if positions
    )


def test_below_validation(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice test images that are classified correctly far less often than validation images."""
    sound = sound_seeds(model, comparison)
    known = [a for k in sound if (a := model.validation_accuracy[k]) is not None]
    n_images = int(comparison.data.get("validation") or 0)
    if not known or not n_images:
        return None
    validation, test = float(np.mean(known)), model.accuracy
    low = wilson(min(validation, 1.0) * n_images, n_images)[0]
    if validation - test.mean < BELOW_VALIDATION or low <= test.estimate.high:
        return None
    return Finding(
        code="test-below-validation",
        severity="serious",
        model=model.name,
        text=(
            f"{model.name} has {percent(test.mean, 1)} of {len(comparison.labels):,} test images "
            f"correct, but {percent(validation, 1)} of {n_images:,} validation images "
            f"({mean_of(len(known), model)}): the two parts are not of one kind."
        ),
        advice=(
            "Look for another scale or preprocessing of the test images, another order of the "
            "classes, or copies of training images in the validation part (bakeoff look)."
        ),
    )


def chance_level(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice seeds not shown to be better than the same predictions dealt out at random.

    Chance is Σ_k t_k·p_k with t_k the share of images of class k, p_k that of predictions of it:
    1/k for a balanced test set, and the majority's share where one class is always predicted.
    """
    n_images, chances = len(comparison.labels), _chances(model, comparison)
    positions = chance_seeds(model, comparison)
    if not positions:
        return None
    accuracy = float(np.mean([model.accuracy.per_seed[k] for k in positions]))
    return Finding(
        code="chance-level",
        severity="serious",
        model=model.name,
        text=(
            f"{model.name} is not shown to beat chance in {seeds_of(model, positions)}: "
            f"{percent(accuracy, 1)} of {n_images:,} test images correct, where its "
            "predictions dealt out at random would have "
            f"{percent(float(chances[positions].mean()), 1)}."
        ),
        advice=(
            "No result to compare: check that images and labels belong together, then the learning "
            "rate and the number of epochs, and whether there are enough test images to show it."
        ),
    )


def unbeaten_baselines(leads: Mapping[str, Lead]) -> list[str]:
    """Return the baselines that a model is not shown to beat, the one furthest ahead first."""
    unbeaten = [name for name, lead in leads.items() if lead.low <= 0]
    return sorted(unbeaten, key=lambda name: leads[name].difference)


def worse_than_baseline(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice a model not shown to beat one that needs no network."""
    beaten_by = unbeaten_baselines(model.leads)
    if not beaten_by:
        return None
    name, *rest = beaten_by
    others = [baseline_in_words(each) for each in rest]
    lead, in_words = model.leads[name], baseline_in_words(name)
    lost = collapsed(model, comparison)
    says = "worse than" if lead.high < 0 else "not shown to be better than"
    accuracy = {baseline.name: baseline.accuracy.mean for baseline in comparison.baselines}
    return Finding(
        code="worse-than-baseline",
        severity="serious" if lead.high < 0 else "warning",
        model=model.name,
        text=(
            f"{model.name} is {says} the baseline {in_words}: {percent(model.accuracy.mean, 1)} "
            f"against "
            f"{percent(accuracy[name], 1)} of {len(comparison.labels):,} test images, a "
            f"difference of {signed_points(lead.difference)} points "
            f"(95 % interval {signed_points(lead.low)} to {signed_points(lead.high)})"
            + (f"; {lost}, which may make this interval wide" if lost and lead.high >= 0 else "")
            + (f"; nor is it shown to beat {listed(others)}." if others else ".")
        ),
        advice=(
            f"Use {in_words}, or find out why a network of {model.parameters:,} parameters fails."
            if lead.high < 0
            else f"Use {in_words}, unless more test images or {model.unit}s show that the network "
            f"earns its {model.parameters:,} parameters."
        ),
    )


def unstable_seeds(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice accuracies that depend on the seed by more than the finite test set explains."""
    estimate, per_seed = model.accuracy.estimate, np.array(model.accuracy.per_seed)
    n_seeds = len(per_seed)
    if n_seeds < UNSTABLE_SEEDS or not estimate.seed_variance:
        return None
    if not sound_seeds(model, comparison):
        return None
    sd = float(np.sqrt(n_seeds * estimate.seed_variance))
    noise = n_seeds * (estimate.noise_variance or 0.0)
    ratio = float(per_seed.var(ddof=1)) / noise if noise else inf
    if sd < UNSTABLE_SD or scipy.special.chdtrc(n_seeds - 1, (n_seeds - 1) * ratio) > UNSTABLE_P:
        return None
    worst, best, unit = int(per_seed.argmin()), int(per_seed.argmax()), model.unit
    return Finding(
        code="unstable-seeds",
        severity="warning",
        model=model.name,
        text=(
            f"{model.name} varies from {unit} to {unit}: accuracy is "
            f"{percent(per_seed[worst], 1)} with {unit} {model.seeds[worst]} and "
            f"{percent(per_seed[best], 1)} with {unit} {model.seeds[best]}; over "
            f"{n_seeds} {unit}s its standard deviation is {points(sd, 1)} points beyond what "
            f"{len(comparison.labels):,} test images explain."
        ),
        advice=(
            f"Look at the learning curves of the worst {unit}s; a lower learning rate, warm-up, or "
            "batch normalization make training steadier. Never quote a single run."
        ),
    )


def badly_calibrated(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice probabilities that do not say how often the predicted class is correct."""
    curves = [
        model.calibration[k]
        for k in sound_seeds(model, comparison)
        if model.calibration[k].error is not None
    ]
    if not curves:
        return None
    error = float(np.mean([curve.error for curve in curves]))
    by_chance = float(np.mean([_error_by_chance(curve) for curve in curves]))
    if error < max(MISCALIBRATED, MISCALIBRATED_TIMES * by_chance):
        return None
    sure, correct = np.mean([_sure_and_correct(curve) for curve in curves], axis=0)
    direction = "over" if sure > correct else "under"
    if abs(sure - correct) < error / 2:  # most of the error cancels between bins, or seeds
        direction = "neither"
    return Finding(
        code="badly-calibrated",
        severity="warning" if error >= 2 * MISCALIBRATED else "info",
        model=model.name,
        text=(
            f"{model.name} is {_CONFIDENT[direction]}: it gives its "
            f"predictions a probability of {percent(sure, 1)} on average, and "
            f"{percent(correct, 1)} of them are correct (expected calibration "
            f"error {points(error, 1)} points, "
            f"{mean_of(len(curves), model)}, {len(comparison.labels):,} test images)."
        ),
        advice=_calibration_advice(model, direction),
    )


def _calibration_advice(model: ModelResult, direction: str) -> str:
    if direction == "neither":
        return (
            "Do not act on such probabilities as they are: the calibration curve shows where they "
            "are too high and where too low."
        )
    validated = None not in model.validation_accuracy
    mend = ""
    if direction == "under":
        mend = "train longer, with less dropout or regularization, or "
    elif model.selection == "best-accuracy":
        mend = "select by loss instead of accuracy, or "
    elif model.selection == "last" and validated:
        mend = "select epochs by loss, train fewer of them, or "
    elif model.selection == "last":
        mend = "train fewer epochs, or "
    rescale = "rescale them"
    if not validated:
        rescale = "keep images for validation (split.validation) and rescale the probabilities"
    return (
        f"Do not act on such probabilities as they are: {mend}{rescale} on validation data "
        "(temperature scaling)."
    )


def confused_classes(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Name pairs of classes that are mistaken for each other far above all others."""
    errors = model.confusion - np.diag(np.diag(model.confusion))
    k, total = len(errors), float(errors.sum())
    if k < 3 or total < FEWEST_ERRORS or not sound_seeds(model, comparison):
        return None
    even = 2 / (k * (k - 1))
    stands_out = min(max(CONFUSED_TIMES * even, CONFUSED_SHARE), (1 + even) / 2)
    both = errors + errors.T
    rows, columns = np.triu_indices(k, 1)
    order = np.argsort(-both[rows, columns], kind="stable")
    pairs = [(int(rows[o]), int(columns[o])) for o in order[:_NAMED]]
    pairs = [pair for pair in pairs if both[pair] >= max(stands_out * total, CONFUSED_IMAGES)]
    if not pairs:
        return None
    says = [_confusion(errors, pair, total, comparison) for pair in pairs]
    return Finding(
        code="confused-classes",
        severity="info",
        model=model.name,
        text=(
            f"{model.name} confuses above all {'; '.join(says)} (of {total:,.0f} errors on "
            f"{len(comparison.labels):,} test images, {mean_of(len(model.seeds), model)})."
        ),
        advice=(
            "Look at these mistakes: more or cleaner training images of these classes, or a finer "
            "resolution, help more than a larger network."
        ),
    )


def weak_classes(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Name classes with clearly more errors than the average class."""
    scores = {
        name: score
        for name, score in zip(comparison.class_names, model.per_class_accuracy, strict=True)
        if score is not None
    }
    mean = model.balanced_accuracy.mean
    errors = (1 - model.accuracy.mean) * len(comparison.labels)
    if len(scores) < 3 or errors < FEWEST_ERRORS or not sound_seeds(model, comparison):
        return None
    weak = {
        name: score
        for name, score in scores.items()
        if 1 - score.mean >= WEAK_TIMES * (1 - mean) and score.estimate.high < mean
    }
    if not weak:
        return None
    lowest = sorted(weak, key=lambda name: weak[name].mean)
    says = [
        f"{name} ({percent(weak[name].mean, 1)}, 95 % interval "
        f"{percent(weak[name].estimate.low, 1)} to "
        f"{percent(weak[name].estimate.high, 1)})"
        for name in lowest
    ]
    return Finding(
        code="weak-classes",
        severity="info",
        model=model.name,
        text=(
            f"{model.name} is weak on {some(says)}: its average class has {percent(mean, 1)} "
            f"correct ({mean_of(len(model.seeds), model)})."
        ),
        advice=(
            "Report these classes' accuracies with the mean; add training images of "
            f"{'them' if len(weak) > 1 else 'this class'}, or look for wrong labels."
        ),
    )


def _confusion(
    errors: NDArray[np.float64], pair: tuple[int, int], total: float, comparison: Comparison
) -> str:
    a, b = pair if errors[pair] >= errors[pair[::-1]] else pair[::-1]
    name_a, name_b = comparison.class_names[a], comparison.class_names[b]
    share = (errors[a, b] + errors[b, a]) / total
    there, back = (counted(round(float(errors[pair])), "time") for pair in ((a, b), (b, a)))
    return (
        f"{name_a} and {name_b}, {percent(share, 0)} of all errors ({there} {name_a} taken for "
        f"{name_b}, {back} the reverse)"
    )


def _chances(model: ModelResult, comparison: Comparison) -> NDArray[np.float64]:
    """Return each seed's accuracy if its predictions were dealt out at random, (seeds,)."""
    n_images = len(comparison.labels)
    truth = np.bincount(comparison.labels, minlength=len(comparison.class_names)) / n_images
    chances: NDArray[np.float64] = model.predicted @ truth / n_images
    return chances


def _error_by_chance(curve: Calibration) -> float:
    """Return the expected calibration error of a calibrated model with the same confidences.

    A bin of n images with probability c is correct in a share that has standard deviation
    √(c(1 − c)/n), and a normal variable's mean distance from 0 is √(2/π) standard deviations.
    """
    there = curve.counts > 0
    n, sure = curve.counts[there], np.minimum(curve.confidence[there], 1.0)
    return float((n * np.sqrt(2 / pi * sure * (1 - sure) / n)).sum() / n.sum())


def _sure_and_correct(curve: Calibration) -> tuple[float, float]:
    n = curve.counts
    return (
        float(np.nansum(n * curve.confidence) / n.sum()),
        float(np.nansum(n * curve.accuracy) / n.sum()),
    )
