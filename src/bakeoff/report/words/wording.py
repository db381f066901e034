"""Numbers and names as a reader sees them: percent, points, seconds, counts. No computing here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.analysis.estimates import Estimate
from bakeoff.analysis.variance import LEVEL
from bakeoff.analysis.wording import seed_count
from bakeoff.recipe.vocabulary.backbones import BACKBONES
from bakeoff.recipe.vocabulary.optimizers import unusual_words
from bakeoff.recipe.vocabulary.residual import RESIDUAL
from bakeoff.recipe.vocabulary.training import TrainingOptions, option_words
from bakeoff.recipe.vocabulary.words import layer_words
from bakeoff.utils.text import counted, number, percent

VERDICTS = {
    "better": "▲",
    "worse": "▼",
    "practically equal": "≈",
    "not separated": "?",
}
SELECTIONS = {
    "best-loss": "the epoch with the lowest validation loss (cross-entropy; the earliest on ties)",
    "best-accuracy": "the epoch with the highest validation accuracy (the earliest on ties)",
    "last": "the last epoch",
}
INTERVAL = f"{100 * LEVEL:g} %"
IMAGE_TIME = "Image in a batch"  # head of the column that models are ordered by with prefer: time


def scored(estimate: Estimate) -> str:
    """Return an accuracy with its interval: "91.77 % (91.43–92.10 %)"."""
    return f"{percent(estimate.mean)} ({interval(estimate)})"


def interval(estimate: Estimate) -> str:
    """Return an accuracy's interval: "91.43–92.10 %"; macro F1 of few images has none."""
    if not estimate.has_interval:
        return "no interval"
    return f"{100 * estimate.low:.2f}–{100 * estimate.high:.2f} %"


def loss(value: float) -> str:
    """Return a loss with three decimals, or with three digits where it is small or large."""
    return f"{value:.3f}" if 0.1 <= value < 1000 or value == 0 else number(value, zeros=True)


def loss_interval(estimate: Estimate) -> str:
    """Return a loss's interval: "0.291–0.330"."""
    return f"{loss(estimate.low)}–{loss(estimate.high)}"


def selected_epochs(model: ModelResult) -> str:
    """Return the selected epochs of all seeds: "7", "6–9", "none" where all diverged at once."""
    epochs = sorted(epoch for epoch in model.selected_epochs if epoch is not None)
    if not epochs:
        return "none"
    return f"{epochs[0]}" if epochs[0] == epochs[-1] else f"{epochs[0]}–{epochs[-1]}"


def basis(comparison: Comparison) -> str:
    """Return what the numbers rest on: "10,000 test images, 5 seeds"."""
    if comparison.folded:
        images = counted(len(comparison.labels), "image")
        return (
            f"{images}, each tested by networks that had not seen it, {seed_count(comparison)} "
            f"of {comparison.n_folds} folds"
        )
    return f"{counted(len(comparison.labels), 'test image')}, {seed_count(comparison)}"


def trained_on(comparison: Comparison) -> str:
    """Return on how much of the images cross-validated models were trained; "" without folds."""
    folds = comparison.n_folds
    return f"models trained on {folds - 1}/{folds} of the images" if comparison.folded else ""


def studies(comparison: Comparison) -> str:
    """Return what was compared: "the study digits", "the studies one + two"."""
    return f"the {'study' if len(comparison.folders) < 2 else 'studies'} {comparison.study}"


def of_first(comparison: Comparison) -> str:
    """Return which of several studies the numbers of images are of; "" of one study alone."""
    several = len(comparison.folders) > 1
    return "of the first study; what all studies share is the test images" if several else ""


def letters(comparison: Comparison) -> str:
    """Return what the letters mean; "" where there are none, or one model alone."""
    if len(comparison.models) < 2 or not any(model.group for model in comparison.models):
        return ""
    equal = any(pair.verdict == "practically equal" for pair in comparison.pairs)
    return f"models that share a letter are not separated{', or practically equal' * equal}"


def heading(comparison: Comparison) -> str:
    """Return the title, or the study's name where it has none."""
    return comparison.title or comparison.study


def times(count: int) -> str:
    """Return how often something was done: "once", "3 times"."""
    return "once" if count == 1 else f"{count} times"


def layers(settings: Mapping[str, Any]) -> list[str]:
    """Return one short line a layer, as declared: "conv2d 32 3×3 relu"."""
    if settings.get("python"):
        return [f"built by {settings['python']}"]
    lines = [*_backbone(settings.get("backbone")), *_lines(settings.get("layers") or ())]
    words = layer_words("dense", {"units": 1, **(settings.get("output") or {})})
    own = words.partition("dense 1")[2]  # what the recipe says of the layer that Bakeoff adds
    return lines + [f"softmax output{own}"] * bool(own)


def _backbone(declared: Any) -> list[str]:
    """Return what is said of a model's backbone, and of what it had seen."""
    given: dict[str, Any] = (
        {"name": declared} if isinstance(declared, str) else dict(declared or {})
    )
    known, network = BACKBONES.get(str(given.get("name"))), given.get("network") or {}
    seen = network.get("seen") if known is None else known.seen
    if seen is None:
        return []
    start, how = given.get("from"), "frozen"
    if given.get("trainable") or start:
        where = "" if not start else f" from {'layer ' if 'study' in given else ''}{start} on"
        rate = number(float(given["learning_rate"]), 6)
        how = f"fine-tuned{where} with a learning rate of at most {rate}"
    called = given.get("name") or f"{given.get('model')} of another study"
    said = f"backbone {called}, {how}, first trained on {seen}: "
    layers = [f"– {line}" for line in _lines(network.get("layers") or ())]
    return [f"{said}a test image that stands in there is not unseen", *layers]


def _lines(declared: Sequence[Any]) -> list[str]:
    lines = []
    for layer in declared:
        kind, arguments = (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))
        if kind == RESIDUAL:
            lines.append(f"{RESIDUAL}: the input of these is added to their output")
            lines += [f"– {line}" for line in _lines(arguments)]
        else:
            lines.append(layer_words(kind, arguments))
    return lines


def training(settings: Mapping[str, Any]) -> str:
    """Return the training settings in a few words: "adam, learning rate 0.001, batches of 32"."""
    declared = settings.get("training", {})
    parts = []
    for kind, arguments in (declared.get("optimizer") or {}).items():
        parts += [kind, *unusual_words(kind, arguments or {})]
        rate = arguments.get("learning_rate") if isinstance(arguments, Mapping) else None
        if isinstance(rate, int | float):
            parts.append(f"learning rate {number(rate, 6)}")
        elif rate is not None:
            parts.append(f"learning rate in {counted(len(rate), 'phase')}")
    if "batch_size" in declared:
        parts.append(f"batches of {declared['batch_size']:,}")
    if "epochs" in declared:
        parts.append(counted(declared["epochs"], "epoch"))
    known = TrainingOptions.model_fields
    parts += option_words({name: each for name, each in declared.items() if name in known})
    return ", ".join(parts)


def failed_runs(model: ModelResult) -> str:
    """Return how many of a model's runs failed: "1 of 5"."""
    return f"{len(model.failed)} of {len(model.seeds)}"


def failure_rate(model: ModelResult) -> str:
    """Return what a model's failure rate is shown to lie in: "0–72 %"."""
    low, high = model.failure_rate
    return f"{percent(low, 0, 'down').removesuffix(' %')}–{percent(high, 0, 'up')}"


def sound_accuracy(model: ModelResult) -> str:
    """Return the mean accuracy of the runs that did not fail; "none" where all did."""
    return "none" if model.sound_accuracy is None else percent(model.sound_accuracy)
