"""Runs that are not results: diverged, dead, or with one class predicted for everything."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.comparison import Comparison, Finding, ModelResult
from bakeoff.analysis.wording import seeds_of
from bakeoff.utils.text import counted, listed, number, percent

# A network that learns anything leaves chance by more than this within an epoch or two; dropout
# and the sampling of a small training part move a constant prediction's accuracy by less.
CHANCE_SLACK = 0.02
# The loss of a network that predicts the same for every image differs between epochs only by the
# order of the images: parts of a thousand. A loss that falls at all falls by more.
FLAT_LOSS = 0.01
# One class for all but one in a hundred test images is one class.
CONSTANT_SHARE = 0.99
# Where nearly all test images are of one class, always giving that class is not yet an accident.
ONE_CLASS = 0.95


def dead_seeds(model: ModelResult, comparison: Comparison) -> list[int]:
    """Return the positions of the seeds whose network has learnt nothing, or died.

    Over the second half of the epochs the training loss stays within FLAT_LOSS of its mean, and
    in the last epoch the training accuracy is within CHANCE_SLACK of the largest class's share.
    """
    chance = largest_class(comparison)
    found = []
    for position, history in enumerate(model.histories):
        if model.diverged_epochs[position] is not None or len(history["loss"]) < 2:
            continue
        half = history["loss"][_half(history) :]
        flat = float(np.ptp(half)) <= FLAT_LOSS * abs(float(half.mean()))
        if flat and history["accuracy"][-1] <= chance + CHANCE_SLACK:
            found.append(position)
    return found


def constant_seeds(model: ModelResult, comparison: Comparison) -> list[int]:
    """Return the positions of the seeds that predict one class for the test images."""
    sizes = np.bincount(comparison.labels, minlength=len(comparison.class_names))
    n_images = len(comparison.labels)
    if sizes.max() >= ONE_CLASS * n_images:
        return []
    most = model.predicted.max(axis=1)
    return [int(k) for k in np.flatnonzero(most >= CONSTANT_SHARE * n_images)]


def failed_seeds(model: ModelResult, comparison: Comparison) -> list[int]:
    """Return the positions of the seeds that diverged, died or predict one class."""
    dead, constant = dead_seeds(model, comparison), constant_seeds(model, comparison)
    return sorted({*_diverged_seeds(model), *dead, *constant})


def _diverged_seeds(model: ModelResult) -> list[int]:
    return [k for k, epoch in enumerate(model.diverged_epochs) if epoch is not None]


def sound_seeds(model: ModelResult, comparison: Comparison) -> list[int]:
    """Return the positions of the other seeds, those whose numbers are a result.

    None of them if they are fewer than half: then the failures are all there is to say.
    """
    failed = failed_seeds(model, comparison)
    sound = [position for position in range(len(model.seeds)) if position not in failed]
    return sound if 2 * len(sound) >= len(model.seeds) else []


def largest_class(comparison: Comparison) -> float:
    """Return the largest class's share of the training images (where unknown, of the test's)."""
    counts = comparison.data.get("class_counts", {}).get("train")
    if not counts or not sum(counts):
        counts = np.bincount(comparison.labels).tolist()
    return float(max(counts) / sum(counts))


def dead_run(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice a training loss that does not move at chance accuracy: not a result."""
    dead = dead_seeds(model, comparison)
    if not dead:
        return None
    first = model.histories[dead[0]]
    half = first["loss"][_half(first) :]
    constant = [k for k in constant_seeds(model, comparison) if k in dead]
    says = ""
    if constant:
        only = _most_predicted(model, constant[0], comparison)
        most, images = int(model.predicted[constant[0]].max()), len(comparison.labels)
        share = "all images" if most == images else f"{most:,} of {images:,} images"
        says = f", and the network predicts {only} for {share}"
    return Finding(
        code="dead-run",
        severity="serious",
        model=model.name,
        text=(
            f"{model.name} is dead in {seeds_of(model, dead)}: with {model.unit} "
            f"{model.seeds[dead[0]]} the training loss stays {_range(half)} in the last "
            f"{len(half)} of {counted(len(first['loss']), 'epoch')}, the training accuracy ends at "
            f"{percent(first['accuracy'][-1], 1)}, that of a constant prediction{says}: "
            "a failed run, not a result."
        ),
        advice=(
            "No result to compare: change the learning rate, the activation or the initialisation "
            "(relu units that are negative for every image, and saturated sigmoid units, pass no "
            "gradient on); a loss that falls a little in every epoch may only need more of them."
        ),
    )


def diverged_run(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice a loss that was not finite."""
    positions = _diverged_seeds(model)
    if not positions:
        return None
    epochs = sorted({epoch for epoch in model.diverged_epochs if epoch is not None})
    when = f"epoch {epochs[0]}" if len(epochs) == 1 else f"epochs {epochs[0]} to {epochs[-1]}"
    return Finding(
        code="diverged-run",
        severity="serious",
        model=model.name,
        text=(
            f"{model.name} diverged in {seeds_of(model, positions)}, in {when}: the loss was no "
            "finite number any more, and the last finite weights were scored."
        ),
        advice="Lower the learning rate, or clip the gradient (clipnorm: 1), and train it again.",
    )


def constant_prediction(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice one class predicted for every image, though training was alive."""
    dead = dead_seeds(model, comparison)
    constant = [k for k in constant_seeds(model, comparison) if k not in dead]
    if not constant:
        return None
    classes = sorted({_most_predicted(model, k, comparison) for k in constant})
    return Finding(
        code="constant-prediction",
        severity="serious",
        model=model.name,
        text=(
            f"{model.name} predicts one class for at least {percent(CONSTANT_SHARE, 0)} of the "
            f"{len(comparison.labels):,} test images in {seeds_of(model, constant)}: "
            f"{listed(classes)}."
        ),
        advice=(
            "No result to compare: look at its learning curve, lower the learning rate, and check "
            "that the training labels are not nearly all of one class."
        ),
    )


def no_answer(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice probabilities that are not finite."""
    without = len(comparison.labels) - model.predicted.sum(axis=1)
    positions = [int(k) for k in np.flatnonzero(without)]
    most = int(without.max())
    alike = bool((without[positions] == most).all())
    if not positions:
        return None
    return Finding(
        code="no-answer",
        severity="serious",
        model=model.name,
        text=(
            f"{model.name} has no prediction for {'' if alike else 'up to '}"
            f"{counted(most, 'test image')} in {seeds_of(model, positions)}: the probabilities are "
            "not finite, and count as wrong."
        ),
        advice="Lower the learning rate, or look for an operation that divides by zero.",
    )


def _most_predicted(model: ModelResult, position: int, comparison: Comparison) -> str:
    return comparison.class_names[int(model.predicted[position].argmax())]


def _half(history: Mapping[str, NDArray[np.float64]]) -> int:
    """Return where the second half of the epochs begins; it has at least two."""
    epochs = len(history["loss"])
    return min(epochs // 2, epochs - 2)


def _range(values: NDArray[np.float64]) -> str:
    low, high = number(values.min(), 4), number(values.max(), 4)
    return f"at {low}" if low == high else f"between {low} and {high}"
