"""MODEL_CARD.md of the recommended model: what it is, how it was measured, where it fails.

The headings follow Mitchell et al. 2019, "Model Cards for Model Reporting".
"""

from __future__ import annotations

from bakeoff.analysis.class_mistakes import worst_classes
from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.errors import UsageError
from bakeoff.report.exports import escape_markdown as plain
from bakeoff.report.plots.figure import find
from bakeoff.report.words import about_scores, about_search, conclusion, wording
from bakeoff.report.words.protocol_steps import protocol
from bakeoff.utils import text

_WORST = 3


def model_card(comparison: Comparison, model: str | None = None) -> str:
    """Return the card of the recommended model, or of the one named, in Markdown."""
    if model is None:
        if comparison.recommended is None:
            raise UsageError("expected a model to describe, found none: train one first")
        model = comparison.recommended.model
    result = find(comparison, model)
    sections = {
        "Model": _model(comparison, result),
        "Why this model": _why(comparison, result),
        "Data": _data(comparison),
        "Scores": _scores(comparison, result),
        "Known confusions": _confusions(comparison, result),
        "Limits": _limits(comparison, result),
        "Protocol": [f"- **{plain(s.name)}**: {plain(s.text)}" for s in protocol(comparison)],
    }
    parts = [f"# {plain(result.name)}"]
    for name, lines in sections.items():
        parts.append(f"## {name}\n\n" + "\n".join(lines))
    parts.append(plain(f"Made by Bakeoff from {wording.studies(comparison)}."))
    return "\n\n".join(parts) + "\n"


def _model(comparison: Comparison, result: ModelResult) -> list[str]:
    order, trainable = comparison.order, ""
    if result.trainable_parameters != result.parameters:
        trainable = f", {result.trainable_parameters:,} of them trainable"
    searched = comparison.searched(result.name)
    tuned = []
    if searched is not None and searched.chosen is not None:
        tuned = [f"- Chosen among {plain(about_search.budget(searched))}"]
    return [
        f"- {text.counted(result.parameters, 'parameter')}{trainable}",
        *([f"- Prediction time: {order.text(result.name)}, in a batch"] if order.by_time else []),
        f"- Training: {plain(wording.training(result.settings))}",
        *tuned,
        "- Layers (Bakeoff adds the softmax output):",
        *(f"  1. {plain(line)}" for line in wording.layers(result.settings)),
    ]


def _why(comparison: Comparison, result: ModelResult) -> list[str]:
    if comparison.to_use not in (None, result.name):
        return [f"It is not the recommended model; that is {plain(comparison.to_use)}."]
    headline = "".join(conclusion.headline(comparison))
    lines = [plain(f"{headline} {conclusion.reason(comparison)}".strip())]
    lines += [plain(caution) for caution in conclusion.cautions(comparison)]
    return lines


def _data(comparison: Comparison) -> list[str]:
    data = comparison.data
    name, train = plain(str(data.get("name"))), f"{data.get('train', 0):,}"
    validation = f"{data.get('validation', 0):,}"
    used = (
        f"{train} images for training, {validation} for validation, {data.get('test', 0):,} for "
        "testing"
    )
    if comparison.folded:
        validated = f" and validated on {validation}" if data.get("validation") else ""
        used = (
            f"{wording.basis(comparison)}; a fold's network was trained on about {train}"
            f"{validated}, the shipped one trained on all"
        )
    first = wording.of_first(comparison)
    lines = [
        f"- {name}: {used}{first and f', {first}'}",
        f"- Classes: {plain(text.listed(comparison.class_names))}",
    ]
    if data.get("hash"):
        whose = "the first study's" if first else "the"
        lines.append(f"- SHA-256 of {whose} data: `{data['hash']}`")
    lines += [f"- {plain(str(note))}" for note in data.get("notes") or ()]
    return lines


def _scores(comparison: Comparison, result: ModelResult) -> list[str]:
    loss = result.loss.estimate
    basis = wording.basis(comparison)
    if not comparison.folded:
        seeds = text.counted(len(result.seeds), "seed")
        basis = f"{text.counted(len(comparison.labels), 'test image')}, {seeds}"
    rows = [
        ("Accuracy", wording.scored(result.accuracy.estimate)),
        ("Balanced accuracy", wording.scored(result.balanced_accuracy.estimate)),
        ("Macro F1", wording.scored(result.macro_f1.estimate)),
        ("Loss (cross-entropy)", f"{wording.loss(loss.mean)} ({wording.loss_interval(loss)})"),
    ]
    return [
        f"Means with {wording.INTERVAL} intervals; {basis}.",
        "",
        "| Score | Value |",
        "| --- | --- |",
        *(f"| {name} | {plain(value)} |" for name, value in rows),
    ]


def _confusions(comparison: Comparison, result: ModelResult) -> list[str]:
    lines = [plain(about_scores.about_mistakes(comparison, result))]
    worst = worst_classes(result, _WORST)
    if worst:
        said = [
            f"{comparison.class_names[k]} {wording.scored(score.estimate)}" for k, score in worst
        ]
        lines += ["", plain(f"Lowest accuracy by class: {text.listed(said)}.")]
    return lines


def _limits(comparison: Comparison, result: ModelResult) -> list[str]:
    low, high = (text.percent(each(result.accuracy.per_seed)) for each in (min, max))
    means = f"means over trained files; one file of it may do better or worse: {low} to {high} here"
    if comparison.folded:
        means = (
            f"those of the folds' networks, {low} to {high} in the single repeats; the shipped one "
            "was not tested: no image is left that it has not seen"
        )
    lines = [
        f"- Measured on images like those of {plain(str(comparison.data.get('name')))} only; "
        "what it does with others is not known.",
        f"- The scores are {plain(means)}.",
    ]
    calibration = about_scores.about_calibration(result)
    if calibration:
        lines.append(f"- {plain(calibration)}")
    for finding in comparison.findings:
        if finding.model in (None, result.name) and finding.severity != "info":
            lines.append(f"- {plain(finding.text)} {plain(finding.advice)}")
    return lines
