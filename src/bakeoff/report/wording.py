"""Numbers and names as a reader sees them: percent, points, seconds, counts. No computing here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.analysis.statistics import LEVEL, Estimate
from bakeoff.utils.text import counted, number, percent, whole_numbers

BASELINES = {"majority": "majority class", "logistic": "logistic regression"}
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

# What a layer's line says after its name; everything else is in the resolved recipe.
_MAIN = ("units", "filters", "kernel_size", "pool_size", "rate", "activation")
_UNUSUAL = {"strides": None, "padding": "valid", "kernel_regularizer": None}


def scored(estimate: Estimate) -> str:
    """Return an accuracy with its interval: "91.77 % (91.43–92.10 %)"."""
    return f"{percent(estimate.mean)} ({interval(estimate)})"


def interval(estimate: Estimate) -> str:
    """Return an accuracy's interval: "91.43–92.10 %"."""
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


def seed_count(comparison: Comparison) -> str:
    """Return how many seeds the models have: "5 seeds", "3 to 5 seeds"."""
    counts = {len(model.seeds) for model in comparison.models}
    if len(counts) > 1:
        return f"{min(counts)} to {max(counts)} seeds"
    return counted(max(counts, default=0), "seed")


def basis(comparison: Comparison) -> str:
    """Return what the numbers rest on: "10,000 test images, 5 seeds"."""
    return f"{counted(len(comparison.labels), 'test image')}, {seed_count(comparison)}"


def baseline(name: str) -> str:
    """Return a baseline's name in words."""
    return BASELINES.get(name, name)


def heading(comparison: Comparison) -> str:
    """Return the title, or the study's name where it has none."""
    return comparison.title or comparison.study


def seed_list(values: Sequence[int]) -> str:
    """Return the word and the numbers: "seed 3", "seeds 0–4"."""
    return f"{'seed' if len(values) == 1 else 'seeds'} {whole_numbers(values)}"


def layers(settings: Mapping[str, Any]) -> list[str]:
    """Return one short line a layer, as declared: "conv2d 32, 3 × 3, relu"."""
    if settings.get("python"):
        return [f"built by {settings['python']}"]
    lines = []
    for declared in settings.get("layers") or ():
        if isinstance(declared, str):
            lines.append(declared)
            continue
        kind, arguments = next(iter(declared.items()))
        if not isinstance(arguments, Mapping):
            arguments = {"value": arguments}
        lines.append(" ".join(filter(None, (kind, _arguments(arguments)))))
    return lines


def training(settings: Mapping[str, Any]) -> str:
    """Return the training settings in a few words: "adam, learning rate 0.001, batches of 32"."""
    declared = settings.get("training", {})
    parts = []
    for kind, arguments in (declared.get("optimizer") or {}).items():
        parts.append(kind)
        rate = arguments.get("learning_rate") if isinstance(arguments, Mapping) else None
        if isinstance(rate, int | float):
            parts.append(f"learning rate {number(rate, 6)}")
        elif rate is not None:
            parts.append(f"learning rate in {counted(len(rate), 'phase')}")
    if "batch_size" in declared:
        parts.append(f"batches of {declared['batch_size']:,}")
    if "epochs" in declared:
        parts.append(counted(declared["epochs"], "epoch"))
    return ", ".join(parts)


def _arguments(arguments: Mapping[str, Any]) -> str:
    shown = [arguments[key] for key in _MAIN if arguments.get(key) not in (None, "linear")]
    if "value" in arguments:
        shown = [arguments["value"]]
    parts = [_value(value) for value in shown]
    for key, usual in _UNUSUAL.items():
        value = arguments.get(key, usual)
        if value in (None, usual, 1, [1, 1], (1, 1)) or value == arguments.get("pool_size"):
            continue
        parts.append(f"{key.replace('kernel_regularizer', 'kernel')} {_value(value)}")
    return ", ".join(parts)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " × ".join(map(str, value))
    if isinstance(value, Mapping):
        return " ".join(f"{key} {_value(each)}" for key, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
