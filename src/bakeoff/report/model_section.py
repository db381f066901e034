"""What the page says about one model: sentences, pictures, matrices, accuracy by class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.analysis.statistics import Estimate
from bakeoff.report import plots, sentences, wording
from bakeoff.report.html_charts import MOST_CLASSES, Matrix, Strip, confusion_tables, strip
from bakeoff.report.images_section import Gallery, worst_mistakes
from bakeoff.report.plots.curves import is_constant, penalised
from bakeoff.report.plots.scores import worst_classes
from bakeoff.utils import text
from bakeoff.utils.text import number


@dataclass(frozen=True)
class Picture:
    """A figure ready for the page."""

    svg: Markup
    caption: str


@dataclass(frozen=True)
class ModelPart:
    """What the page says about one model."""

    result: ModelResult
    anchor: str
    facts: str
    seeds: str
    trajectory: list[str]
    figures: list[Picture]
    mistakes: str
    worst: Gallery
    rates: Matrix
    wrong: Matrix
    classes: Strip | None
    classes_alt: str
    classes_caption: str
    training: str
    layers: list[str]


def anchor(place: int) -> str:
    """Return the page's name for the part about a model."""
    return f"model-{place + 1}"


def scored(estimate: Estimate) -> str:
    """Return an accuracy with its interval: "91.77 % (91.43–92.10 %)"."""
    return f"{text.percent(estimate.mean)} ({wording.interval(estimate)})"


def model_part(comparison: Comparison, place: int) -> ModelPart:
    """Return the part of the page about the model in that place of the comparison."""
    result = comparison.models[place]
    seeds = text.counted(len(result.seeds), "seed")
    rates, wrong = confusion_tables(result.confusion, comparison.class_names)
    worst = worst_classes(result, MOST_CLASSES)
    scores = [(comparison.class_names[k], score, "") for k, score in worst]
    said = [f"{name} {scored(score.estimate)}" for name, score, _ in scores]
    images = text.counted(len(comparison.labels), "test image")
    shown = "" if len(worst) == len(comparison.class_names) else f"The {len(worst)} worst classes. "
    return ModelPart(
        result=result,
        anchor=anchor(place),
        facts=_facts(result, seeds),
        seeds=f"{seeds}, {images}",
        trajectory=sentences.trajectory(comparison, result),
        figures=list(_pictures(comparison, result)),
        mistakes=sentences.about_mistakes(comparison, result),
        worst=worst_mistakes(comparison, result),
        rates=rates,
        wrong=wrong,
        classes=strip(scores) if scores else None,
        classes_alt=f"Accuracy by class, the worst first: {'; '.join(said)}.",
        classes_caption=(
            f"{shown}The worst class first; a dot is one seed, the bar the 95 % interval. "
            f"{images}, {seeds}."
        ),
        training=wording.training(result.settings),
        layers=wording.layers(result.settings),
    )


def _facts(result: ModelResult, seeds: str) -> str:
    accuracy = result.accuracy.estimate
    parts = [
        text.counted(result.parameters, "parameter"),
        f"{scored(accuracy)} of {text.counted(accuracy.n_images, 'test image')} right, {seeds}",
    ]
    if result.trainable_parameters != result.parameters:
        parts[0] += f" ({result.trainable_parameters:,} trainable)"
    if result.seconds_per_trial is not None:
        parts.append(f"{text.duration(result.seconds_per_trial)} a trial")
    return " · ".join(parts)


def _pictures(comparison: Comparison, result: ModelResult) -> Iterator[Picture]:
    name, said = result.name, " ".join(sentences.trajectory(comparison, result))
    band = "the band spans all seeds; " if len(result.seeds) > 1 else ""
    dots = f"{band}a dot marks a seed’s selected epoch."
    loss = "Loss as trained, with weight penalties; " if penalised(result) else "Loss; "
    for panel, caption in (("loss", loss), ("accuracy", "Accuracy; ")):
        drawn = plots.learning_curves(comparison, name, show=(panel,))  # type: ignore[arg-type]
        alt = f"Learning curves of {name}: {panel} by epoch, training and validation. {said}"
        yield Picture(Markup(plots.svg(drawn, alt=alt)), caption + dots)
    said = sentences.about_calibration(result)
    drawn = plots.calibration(comparison, name)
    alt = f"Calibration of {name}: share of right answers by confidence. {said}"
    caption = f"Right answers by confidence; bars: share of the images. {said}"
    yield Picture(Markup(plots.svg(drawn, alt=alt)), caption)
    if not is_constant(result):
        rates = result.histories[0]["learning_rate"]
        first, last = number(float(rates[0])), number(float(rates[-1]))
        alt = f"Learning rate of {name} by epoch, from {first} to {last}."
        drawn = plots.learning_rate(comparison, name)
        yield Picture(Markup(plots.svg(drawn, alt=alt)), "Learning rate by epoch.")
