"""What the learning curves say. Without a validation part none of this applies.

Curves are means over the model's sound seeds (neither diverged nor dead nor constant). Epochs are
numbered as in history.csv, from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.checks.failed_runs import sound_seeds
from bakeoff.analysis.checks.predictions import chance_seeds
from bakeoff.analysis.comparison import Comparison, Finding, ModelResult
from bakeoff.analysis.wording import baseline_in_words, mean_of
from bakeoff.utils.text import counted, number, percent, points

Floats = NDArray[np.float64]

# After its lowest point the mean of a levelled-off curve lies 2 to 3 % higher, by the choice of the
# lowest among noisy values alone (MNIST, dropout, three seeds). A twentieth is more than that.
OVERFIT_RISE = 0.05
# Over-fitting means learning the training images on and on: their loss falls by a fifth at least.
OVERFIT_LEARNING = 0.2
# What is called the end, or the last stretch, of a training.
STRETCH = 5  # one fifth
# A change counts where the seeds agree on it: its mean is more than two standard errors from zero.
CLEAR = 2.0
# Below a fiftieth from the last fifth but one to the last, another fifth would bring less still.
IMPROVING_DROP = 0.02
# A model within a hundredth of its lowest cross-entropy, or a tenth of a point of its highest
# accuracy, has arrived: seeds differ by more than that.
ARRIVED_LOSS = 0.01
ARRIVED_ACCURACY = 0.001
# Worth saying from a third of the training and five epochs on, in trainings of at least ten.
SAVED_SHARE, SAVED_EPOCHS, SAVED_OF = 1 / 3, 5, 10
# An accuracy two points below what another model, or logistic regression, reaches on unseen
# images; with a training accuracy not so far above the validation's that over-fitting could be
# the cause: at most a point, or half of what is short.
UNDERFIT_SHORTFALL, UNDERFIT_GAP, UNDERFIT_GAP_SHARE = 0.02, 0.01, 0.5
# Among ten or more epochs, chance alone would put few seeds at one edge, let alone half of them.
EDGE_SHARE = 0.5
# Fewer epochs have no middle.
FEWEST_EPOCHS = 3


@dataclass(frozen=True, eq=False)
class Curves:
    """Histories of the sound seeds, float64 (seeds, epochs), and their selected epochs."""

    loss: Floats
    accuracy: Floats
    cross_entropy: Floats
    val_accuracy: Floats
    selected: tuple[int, ...]

    @property
    def n_seeds(self) -> int:
        """Number of seeds."""
        return len(self.loss)

    @property
    def epochs(self) -> int:
        """Number of epochs."""
        return int(self.loss.shape[1])

    def at_selected(self, curve: Floats) -> float:
        """Return the mean over seeds of a curve at each one's selected epoch."""
        return float(np.mean([row[k] for row, k in zip(curve, self.selected, strict=True)]))


def curves_of(model: ModelResult, comparison: Comparison) -> Curves | None:
    """Return the sound seeds' curves; None without them or without a validation part."""
    sound = [
        (model.histories[k], selected)
        for k in sound_seeds(model, comparison)
        if (selected := model.selected_epochs[k]) is not None
    ]
    if not sound:
        return None
    epochs = min(len(history["loss"]) for history, _ in sound)
    loss, accuracy, entropy, val_accuracy = (
        np.stack([history[name][:epochs] for history, _ in sound])
        for name in ("loss", "accuracy", "val_cross_entropy", "val_accuracy")
    )
    if epochs < FEWEST_EPOCHS or not np.isfinite([loss, entropy, val_accuracy]).all():
        return None
    chosen = tuple(min(selected, epochs - 1) for _, selected in sound)
    return Curves(loss, accuracy, entropy, val_accuracy, chosen)


def over_fitting(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice validation cross-entropy that rises again while the training loss goes on falling."""
    curves = curves_of(model, comparison)
    if curves is None:
        return None
    mean, train = curves.cross_entropy.mean(axis=0), curves.loss.mean(axis=0)
    lowest, end = int(mean.argmin()), max(1, curves.epochs // STRETCH)
    rises = curves.cross_entropy[:, -end:].mean(axis=1) - curves.cross_entropy[:, lowest]
    rise = float(rises.mean() / mean[lowest])
    if lowest >= curves.epochs - end or rise < OVERFIT_RISE or not _clear(rises):
        return None
    if train[-end:].mean() > (1 - OVERFIT_LEARNING) * train[lowest]:
        return None
    accuracy = curves.val_accuracy.mean(axis=0)
    late = float(accuracy[-end:].mean())
    suffers = curves.at_selected(curves.cross_entropy) >= (1 + OVERFIT_RISE) * mean[lowest]
    epochs = counted(lowest + 1, "epoch")
    advice = f"{epochs} would do; dropout, regularization or more images may do better"
    if suffers:
        advice = f"Select the epoch on validation data (selection: best-loss); {advice}"
    gains = curves.val_accuracy[:, -end:].mean(axis=1) - curves.val_accuracy[:, lowest]
    if gains.mean() > ARRIVED_ACCURACY and _clear(gains):
        advice += (
            "; where only the predicted classes count and not their probabilities, keep all epochs "
            "(selection: best-accuracy), since accuracy still rises"
        )
    return Finding(
        code="over-fitting",
        severity="warning" if suffers else "info",
        model=model.name,
        text=(
            f"{model.name} over-fits after epoch {lowest}: from there to the last "
            f"{counted(end, 'epoch')} of {curves.epochs} the validation cross-entropy rises by "
            f"{percent(rise, 0)} from {number(mean[lowest])}, while the training loss falls from "
            f"{number(train[lowest])} to {number(train[-1])} and the validation accuracy goes from "
            f"{percent(accuracy[lowest], 1)} to {percent(late, 1)} "
            f"({mean_of(curves.n_seeds, model)})"
            + (", and the scored weights come from there." if suffers else ".")
        ),
        advice=f"{advice}.",
    )


def under_fitting(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice a model that fits its training images worse than others do unseen ones."""
    curves = curves_of(model, comparison)
    known = _attainable(model, comparison)
    if curves is None or known is None:
        return None
    if set(sound_seeds(model, comparison)) <= set(chance_seeds(model, comparison)):
        return None  # it fits nothing, which another finding says
    attainable, who = known
    train = curves.at_selected(curves.accuracy)
    held_out = curves.at_selected(curves.val_accuracy)
    shortfall = attainable - max(train, held_out)
    if shortfall < UNDERFIT_SHORTFALL:
        return None
    if train - held_out > max(UNDERFIT_GAP, UNDERFIT_GAP_SHARE * shortfall):
        return None
    return Finding(
        code="under-fitting",
        severity="warning",
        model=model.name,
        text=(
            f"{model.name} under-fits: it has {percent(train, 1)} of its training images correct "
            f"and {percent(held_out, 1)} of the validation images "
            f"({mean_of(curves.n_seeds, model)}), where {who} has {percent(attainable, 1)} "
            "of unseen images correct."
        ),
        advice="Train longer, with a higher learning rate, with more units or with less dropout.",
    )


def still_improving(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice training that ended before the validation cross-entropy levelled off."""
    curves = curves_of(model, comparison)
    if curves is None:
        return None
    mean = curves.cross_entropy.mean(axis=0)
    width = max(1, curves.epochs // STRETCH)
    drops = curves.cross_entropy[:, -2 * width : -width].mean(axis=1)
    before = float(drops.mean())
    drops = drops - curves.cross_entropy[:, -width:].mean(axis=1)
    drop = float(drops.mean()) / before
    if drop < IMPROVING_DROP or not _clear(drops) or mean.argmin() < curves.epochs - width:
        return None
    last, before_it = (
        ("the last epoch", "the one before")
        if width == 1
        else (f"the last {width} epochs", f"the {width} before")
    )
    longer = f"Train longer, for instance {2 * curves.epochs} epochs: "
    if model.selection == "last":
        longer += "with the epoch selected on validation data (selection: best-loss)"
    else:
        longer += "selected on validation data"
    return Finding(
        code="still-improving",
        severity="warning",
        model=model.name,
        text=(
            f"{model.name} was still improving when training ended after {curves.epochs} epochs: "
            f"in {last} the validation cross-entropy was {percent(drop, 1)} lower than in "
            f"{before_it}, and ended at {number(mean[-1])} ({mean_of(curves.n_seeds, model)})."
        ),
        advice=f"{longer}, more epochs cost nothing but time.",
    )


def stopped_improving(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice that most of the training brought nothing."""
    curves = curves_of(model, comparison)
    if curves is None or curves.epochs < SAVED_OF:
        return None
    entropy = curves.cross_entropy.mean(axis=0)
    accuracy = curves.val_accuracy.mean(axis=0)
    by_loss = int(np.argmax(entropy <= (1 + ARRIVED_LOSS) * entropy.min()))
    by_accuracy = int(np.argmax(accuracy >= accuracy.max() - ARRIVED_ACCURACY))
    loss_says = f"{percent(ARRIVED_LOSS, 0)} of validation cross-entropy"
    accuracy_says = f"{points(ARRIVED_ACCURACY, 1)} points of validation accuracy"
    epoch, brought = {
        "best-loss": (by_loss, loss_says),
        "best-accuracy": (by_accuracy, accuracy_says),
    }.get(model.selection, (max(by_loss, by_accuracy), f"{loss_says} and {accuracy_says}"))
    saved = curves.epochs - 1 - epoch
    if saved < SAVED_EPOCHS or saved < SAVED_SHARE * curves.epochs:
        return None
    time = (model.seconds_per_trial or 0.0) * saved / curves.epochs
    seconds = f", about {time:,.0f} s a trial" if time >= 1 else ""
    return Finding(
        code="stopped-improving",
        severity="info",
        model=model.name,
        text=(
            f"{model.name} had stopped improving by epoch {epoch}: the {saved} epochs after it, "
            f"{percent(saved / curves.epochs, 0)} of the training{seconds}, brought less than "
            f"{brought} ({mean_of(curves.n_seeds, model)})."
        ),
        advice=f"About {epoch + 1 + max(1, epoch // 5)} epochs would do.",
    )


def selected_at_edge(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice selection of the first or last epoch there was: the best may lie beyond."""
    curves = curves_of(model, comparison)
    if curves is None or model.selection == "last":
        return None
    last = curves.epochs - 1
    at_last = sum(epoch == last for epoch in curves.selected)
    at_first = sum(epoch == 0 for epoch in curves.selected)
    enough = EDGE_SHARE * curves.n_seeds
    if at_last >= enough and still_improving(model, comparison) is None:
        which, count = f"the last one, {last}", at_last
        advice = "Train longer, so that selection has epochs to choose from on both sides."
    elif at_first >= enough:
        which, count = "the first one, 0", at_first
        advice = "Lower the learning rate: one pass over the data already went past the best."
    else:
        return None
    return Finding(
        code="selected-at-edge",
        severity="info",
        model=model.name,
        text=(
            f"{model.name} has its selected epoch at the edge in {count} of "
            f"{counted(curves.n_seeds, model.unit)}: {which}, of {curves.epochs} counted from 0."
        ),
        advice=advice,
    )


def _attainable(model: ModelResult, comparison: Comparison) -> tuple[float, str] | None:
    """Return the highest mean accuracy on unseen images that anything else in the study reaches."""
    others = [
        (float(np.mean(values)), other.name)
        for other in comparison.models
        if other.name != model.name
        and (values := [v for v in other.validation_accuracy if v is not None])
    ]
    others += [
        (baseline.accuracy.mean, f"the baseline {baseline_in_words(baseline.name)}")
        for baseline in comparison.baselines
    ]
    return max(others, default=None)


def _clear(changes: Floats) -> bool:
    """Whether the seeds agree on a change: its mean is over two standard errors above zero."""
    if len(changes) < 2:
        return True
    return bool(changes.mean() > CLEAR * changes.std(ddof=1) / sqrt(len(changes)))
