"""What the page says about one model: sentences, pictures, matrices, accuracy by class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.analysis.epoch_curves import is_constant, regularized
from bakeoff.report import plots
from bakeoff.report.plots.figure import Figure
from bakeoff.report.words import about_scores, about_training, wording
from bakeoff.utils import text

_MANY = 6  # models


@dataclass(frozen=True)
class Picture:
    """A figure for the page; `narrow` is the same one for a phone, where it needs its own."""

    figure: Figure
    caption: str
    narrow: Figure | None = None


@dataclass(frozen=True)
class ModelPart:
    """What the page says about one model."""

    result: ModelResult
    anchor: str
    facts: str
    trajectory: list[str]
    figures: list[Picture]
    mistakes: str
    matrices: list[Picture]
    training: str
    layers: list[str]


def anchor(index: int) -> str:
    """Return the page's name for the part about a model."""
    return f"model-{index + 1}"


def model_part(comparison: Comparison, index: int, *, full: bool) -> ModelPart:
    """Return the part of the page about the model of that index in the comparison.

    `full` is for the model whose mistakes the page shows elsewhere already: its matrices are left
    out here. Where there are many models, the others' parts are shorter.
    """
    result = comparison.models[index]
    short = not full and len(comparison.models) > _MANY
    return ModelPart(
        result=result,
        anchor=anchor(index),
        facts=_facts(result),
        trajectory=about_training.trajectory(comparison, result),
        figures=list(_pictures(comparison, result, short=short)),
        mistakes="" if full else about_scores.about_mistakes(comparison, result),
        matrices=[] if full else matrices(comparison, result, mistakes_alone=short),
        training=wording.training(result.settings),
        layers=wording.layers(result.settings),
    )


def matrices(
    comparison: Comparison, result: ModelResult, *, mistakes_alone: bool = False
) -> list[Picture]:
    """Return a model's confusion matrix with its diagonal, in percent, and without, in images."""
    seeds = text.counted(len(result.seeds), result.unit)
    axes = f"A row is a true class, a column a predicted class; mean of {seeds}."
    mistakes = plots.confusion(comparison, result.name, diagonal=False)
    if mistakes_alone:
        return [Picture(mistakes, axes)]
    without = "The same without the correct predictions, so that the mistakes can be seen."
    rates = plots.confusion(comparison, result.name, rates=True)
    return [Picture(rates, axes), Picture(mistakes, without)]


def _facts(result: ModelResult) -> str:
    """Return what the tables above do not say."""
    parts = []
    if result.trainable_parameters != result.parameters:
        trained = f"{result.trainable_parameters:,} of its {result.parameters:,} parameters"
        parts.append(f"{trained} are trained")
    if result.ensemble is not None:
        parts.append(
            f"the averaged predictions of its {len(result.seeds)} {result.unit}s are correct on "
            f"{text.percent(result.ensemble)} of the test images"
        )
    return " · ".join(parts)


def _pictures(comparison: Comparison, result: ModelResult, *, short: bool) -> Iterator[Picture]:
    name = result.name
    band = f"the band spans all {result.unit}s; " if len(result.seeds) > 1 else ""
    dots = f"{band}a dot marks a {result.unit}’s selected epoch."
    loss = "Loss as trained, with regularization losses; " if regularized(result) else "Loss; "
    panels = (("loss", loss), ("accuracy", "Accuracy; "))
    for panel, caption in panels[:1] if short else panels:  # accuracies stand in one picture above
        drawn = plots.learning_curves(comparison, name, show=(panel,))  # type: ignore[arg-type]
        yield Picture(drawn, caption + dots)
    if short:
        return
    about = about_scores.about_calibration(result)
    yield Picture(
        plots.calibration(comparison, name),
        f"On the dashed line a model is as often correct as it is sure. {about}",
    )
    yield Picture(
        plots.per_class(comparison, name),
        f"The worst class first; a dot is one {result.unit}, the bar the 95 % interval.",
    )
    if not is_constant(result):
        yield Picture(plots.learning_rate(comparison, name), "Learning rate by epoch.")
