"""The table as text to paste elsewhere: Markdown, CSV, LaTeX, and HTML for a notebook's cell.

Names come from recipes and titles from people: each format escapes them in its own way.
"""

from __future__ import annotations

import csv as csv_format
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import escape

from bakeoff.analysis.comparison import BaselineResult, Comparison, ModelResult
from bakeoff.analysis.estimates import Estimate
from bakeoff.analysis.wording import baseline_in_words
from bakeoff.report.words import about_race, conclusion, wording
from bakeoff.utils.text import duration, isolated, percent

CSV_COLUMNS = (
    *("name", "kind", "study", "parameters", "seeds", "test_images"),
    *("accuracy", "accuracy_low", "accuracy_high", "group", "loss", "loss_low", "loss_high"),
    *("balanced_accuracy", "macro_f1", "selected_epochs", "seconds_per_trial"),
    *("prediction_seconds", "batch_prediction_seconds"),
    *("recommended", "loses_at_most", "loses_to"),
)
_LATEX = {
    **{char: "\\" + char for char in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\0": "{}",
    "–": "--",
    "×": r"$\times$",
    "−": "$-$",
}


@dataclass(frozen=True)
class _Column:
    """A column of the table: its head, "l", "c" or "r", and what it says of a model, a baseline."""

    head: str
    align: str
    model: Callable[[ModelResult], str]
    baseline: Callable[[BaselineResult], str] = lambda _: ""


@dataclass(frozen=True)
class _Line:
    """A row of the table as text."""

    cells: tuple[str, ...]
    strong: bool = False
    baseline: bool = False


_MODEL = _Column("Model", "l", lambda m: m.name, lambda b: baseline_in_words(b.name))
_PARAMETERS = _Column(
    "Parameters", "r", lambda m: f"{m.parameters:,}", lambda b: f"{b.parameters:,}"
)
_IMAGE_TIME = _Column(wording.IMAGE_TIME, "r", lambda m: duration(m.batch_prediction_seconds))
_SCORES = (
    _Column(
        *("Test accuracy", "r"),
        lambda m: percent(m.accuracy.mean),
        lambda b: percent(b.accuracy.mean),
    ),
    _Column(
        *(f"{wording.INTERVAL} interval", "r"),
        lambda m: wording.interval(m.accuracy.estimate),
        lambda b: wording.interval(b.accuracy),
    ),
    _Column("Group", "c", lambda m: m.group),
    _Column("Loss", "r", lambda m: wording.loss(m.loss.mean)),
    _Column("Epoch", "r", wording.selected_epochs),
    _Column("Time", "r", lambda m: duration(m.seconds_per_trial)),
)


def answer(comparison: Comparison) -> str:
    """Return the headline in one line of plain text."""
    return "".join(conclusion.headline(comparison))


def markdown(comparison: Comparison) -> str:
    """Return the table in GitHub's Markdown, with the recommendation and what it rests on."""
    columns, rule = _columns(comparison), {"l": "---", "c": ":---:", "r": "---:"}
    rows = [[each.head for each in columns], [rule[each.align] for each in columns]]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    for line in _lines(comparison):
        cells = [escape_markdown(cell) for cell in line.cells]
        if line.strong:
            cells[0] = f"**{cells[0]}**"
        lines.append("| " + " | ".join(cells) + " |")
    before, name, after = conclusion.headline(comparison)
    bold = f"**{escape_markdown(name)}**" if name else ""
    use = f"{escape_markdown(before)}{bold}{escape_markdown(after)}"
    parts = [
        f"### {escape_markdown(wording.heading(comparison))}",
        "\n".join(lines),
        f"{use} {escape_markdown(conclusion.reason(comparison))}".strip(),
        *(escape_markdown(caution) for caution in conclusion.cautions(comparison)),
        escape_markdown(_basis(comparison)),
    ]
    return "\n\n".join(parts) + "\n"


def csv(comparison: Comparison) -> str:
    """Return the table as CSV with full precision; accuracies are fractions, times seconds."""
    buffer = io.StringIO(newline="")
    writer = csv_format.DictWriter(buffer, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_model_row(comparison, model) for model in comparison.models)
    for dropped in comparison.race.dropped if comparison.race else ():
        writer.writerow(
            {
                "name": dropped.name,
                "kind": "dropped",
                "study": dropped.study,
                "parameters": dropped.parameters,
                "seeds": len(dropped.seeds),
                "seconds_per_trial": _exact(dropped.seconds_per_trial),
                "recommended": "no",
            }
        )
    for baseline in comparison.baselines:
        writer.writerow(
            {
                "name": baseline.name,
                "kind": "baseline",
                "parameters": baseline.parameters,
                "test_images": len(comparison.labels),
                **_interval("accuracy", baseline.accuracy),
                "recommended": "no",
            }
        )
    return buffer.getvalue()


def _model_row(comparison: Comparison, model: ModelResult) -> dict[str, object]:
    recommended = model.name == comparison.to_use
    return {
        "name": model.name,
        "kind": "model",
        "study": model.study,
        "parameters": model.parameters,
        "seeds": len(model.seeds),
        "test_images": len(comparison.labels),
        **_interval("accuracy", model.accuracy.estimate),
        "group": model.group,
        **_interval("loss", model.loss.estimate),
        "balanced_accuracy": repr(float(model.balanced_accuracy.mean)),
        "macro_f1": repr(float(model.macro_f1.mean)),
        "selected_epochs": " ".join(
            "" if epoch is None else str(epoch) for epoch in model.selected_epochs
        ),
        "seconds_per_trial": _exact(model.seconds_per_trial),
        "prediction_seconds": _exact(model.prediction_seconds),
        "batch_prediction_seconds": _exact(model.batch_prediction_seconds),
        **(_bound(comparison) if recommended else {"recommended": "no"}),
    }


def latex(comparison: Comparison) -> str:
    r"""Return the table as a LaTeX `table` in the style of booktabs (`\usepackage{booktabs}`)."""
    models: list[str] = []
    baselines: list[str] = []
    for line in _lines(comparison):
        cells = [escape_latex(cell) for cell in line.cells]
        if line.strong:
            cells[0] = rf"\textbf{{{cells[0]}}}"
        (baselines if line.baseline else models).append(" & ".join(cells) + r" \\")
    columns = _columns(comparison)
    parts = [
        f"{wording.heading(comparison)}.",
        _bold(comparison),
        _basis(comparison),
        *conclusion.cautions(comparison),
    ]
    caption = escape_latex(" ".join(part for part in parts if part))
    aligned = "".join(each.align for each in columns).replace("c", "l")
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{caption}}}",
            rf"\begin{{tabular}}{{{aligned}}}",
            r"\toprule",
            " & ".join(escape_latex(each.head) for each in columns) + r" \\",
            r"\midrule",
            *models,
            *([r"\midrule", *baselines] if baselines else []),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def fragment(comparison: Comparison) -> str:
    """Return the headline and the table as HTML for a notebook's cell: no style, no script."""
    before, name, after = conclusion.headline(comparison)
    heads = "".join(f"<th>{escape(each.head)}</th>" for each in _columns(comparison))
    rows = []
    for line in _lines(comparison):
        first, *rest = (escape(cell) for cell in line.cells)
        shown = f"<strong>{first}</strong>" if line.strong else first
        rows.append(f"<tr><th>{shown}</th>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>")
    cautions = "".join(f"<p>{escape(text)}</p>" for text in conclusion.cautions(comparison))
    bold = f"<strong>{escape(name)}</strong>" if name else ""
    return (
        f"<div><p><strong>{escape(wording.heading(comparison))}</strong></p>"
        f"<p>{escape(before)}{bold}{escape(after)} "
        f"{escape(conclusion.reason(comparison))}</p>{cautions}"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f"<p><small>{escape(_basis(comparison))}</small></p></div>"
    )


def escape_markdown(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no HTML, no new cell, no new line."""
    plain = re.sub(r"([\\`*_{}\[\]#!|~$])", r"\\\1", _one_line(text))
    return isolated(plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def escape_latex(text: str) -> str:
    """Return text that LaTeX shows as it is."""
    apart = re.sub(r"-(?=-)", "-\0", _one_line(text))  # two hyphens would make a dash
    return "".join(_LATEX.get(char, char) for char in apart)


def _one_line(text: str) -> str:
    """Return text with white space collapsed: of what stands at its ends, one blank is left."""
    return re.sub(r"\s+", " ", text)


def _columns(comparison: Comparison) -> tuple[_Column, ...]:
    timed = (_IMAGE_TIME,) if comparison.order.by_time else ()
    return (_MODEL, _PARAMETERS, *timed, *_SCORES)


def _lines(comparison: Comparison) -> Sequence[_Line]:
    recommended, columns = comparison.to_use, _columns(comparison)
    models = [
        _Line(tuple(each.model(model) for each in columns), strong=model.name == recommended)
        for model in comparison.models
    ]
    baselines = [
        _Line(tuple(each.baseline(baseline) for each in columns), baseline=True)
        for baseline in comparison.baselines
    ]
    return [*models, *baselines]


def _bold(comparison: Comparison) -> str:
    """Say what the bold row of a table without a headline is."""
    chosen = comparison.recommended
    if chosen is None or comparison.to_use is None:
        return ""
    found = comparison.headline
    equals = f"{found.text} " if found is not None and found.case == "no winner" else ""
    return f"{equals}Bold: recommended{f', though {chosen.caution}' if chosen.caution else ''}."


def _basis(comparison: Comparison) -> str:
    several = any(len(model.seeds) > 1 for model in comparison.models)
    unit = comparison.unit
    means = f"Means over {unit}s" if several else f"One {unit} of each model,"
    text = f"{means} with {wording.INTERVAL} intervals"
    if said := wording.letters(comparison):
        text += f"; {said}"
    return f"{text}. {conclusion.footer(comparison)} {about_race.about_race(comparison)}".strip()


def _bound(comparison: Comparison) -> dict[str, str]:
    chosen = comparison.recommended
    most = chosen.loses_at_most if chosen else None
    return {
        "recommended": "yes",
        "loses_at_most": _exact(most),
        "loses_to": (chosen.loses_to if chosen else None) or "",
    }


def _exact(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def _interval(name: str, estimate: Estimate) -> dict[str, str]:
    values = {"": estimate.mean, "_low": estimate.low, "_high": estimate.high}
    return {name + end: repr(float(value)) for end, value in values.items()}
