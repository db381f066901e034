"""What the curves of training show, in sentences; every number is a mean over the seeds."""

from __future__ import annotations

import numpy as np

from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.analysis.epoch_curves import curve, trained_alone
from bakeoff.report.words.wording import loss
from bakeoff.utils.text import counted, percent, points, some

_RISE = 0.05  # share by which the validation loss must have risen to be called so


def about_curves(comparison: Comparison) -> str:
    """Say on which images the curves of all models were measured."""
    alone = trained_alone(comparison)
    if not alone:
        return "Measured on the validation images after each epoch."
    which = "there are no validation images"
    if len(alone) < len(comparison.models):
        which = f"for {some(alone)}; for the others on the validation images after each epoch"
    return f"Measured on the training images during each epoch: {which}."


def trajectory(comparison: Comparison, model: ModelResult) -> list[str]:
    """Say what a model's training curves show; means over its seeds."""
    found = {(finding.code, finding.model) for finding in comparison.findings}
    over_fitting = ("over-fitting", model.name) in found
    training = curve(model.histories, "loss")
    if training is None:
        return []
    those = counted(len(model.seeds), model.unit)
    if model.diverged:
        those = f"those of {those} whose loss was a number"
    texts = [
        f"Training loss went from {loss(training.mean[0])} to {loss(training.mean[-1])} in "
        f"{counted(len(training.mean), 'epoch')} (mean of {those})"
        + _validation(model, over_fitting=over_fitting)
        + "."
    ]
    gap = _gap(model)
    if gap:
        texts.append(gap)
    for seed, epoch in zip(model.seeds, model.diverged_epochs, strict=True):
        if epoch is not None:
            texts.append(
                f"{model.unit.capitalize()} {seed} diverged in epoch {epoch}: its loss was no "
                "longer a number, and its last finite weights were kept."
            )
    return texts


def _validation(model: ModelResult, *, over_fitting: bool) -> str:
    line = curve(model.histories, "val_cross_entropy")
    if line is None or not np.isfinite(line.mean).any():
        return ""
    values = line.mean[np.isfinite(line.mean)]
    lowest, last = int(values.argmin()), len(values) - 1
    low, end = float(values[lowest]), float(values[-1])
    training = curve(model.histories, "loss")
    if lowest == last:
        failed = 2 * len(model.failed) > len(model.seeds)  # a dead run's loss falls by nothing
        longer = "" if failed else ", so more epochs might still have helped"
        return f"; validation loss was lowest, {loss(low)}, in the last epoch{longer}"
    if end > (1 + _RISE) * low:
        fell = training is not None and training.mean[len(values) - 1] < training.mean[lowest]
        why = "while training loss went on falling" if fell else ""
        why += ": the sign of over-fitting" if fell and over_fitting else ""
        return (
            f"; validation loss was lowest, {loss(low)}, in epoch {lowest} and had risen to "
            f"{loss(end)} by epoch {last}" + (f", {why}" if why else "")
        )
    return (
        f"; validation loss was lowest, {loss(low)}, in epoch {lowest} and stayed near it, "
        f"{loss(end)} in epoch {last}"
    )


def _gap(model: ModelResult) -> str:
    pairs = [
        (history["accuracy"][epoch], history["val_accuracy"][epoch])
        for epoch, history in zip(model.selected_epochs, model.histories, strict=True)
        if epoch is not None
    ]
    finite = [pair for pair in pairs if np.isfinite(pair).all()]
    if not finite:
        return ""
    training, validation = np.mean(finite, axis=0)
    gap = training - validation
    text = (
        f"In the selected epochs it was correct on {percent(training)} of the training images and "
        f"{percent(validation)} of the validation images: a gap of "
        f"{points(gap)} points"
    )
    if gap < 0:
        text += (
            " (training accuracy is measured during the epoch, with any dropout and augmentation "
            "at work)"
        )
    return text + "."
