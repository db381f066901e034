"""The table as text to paste elsewhere: Markdown, CSV, LaTeX, and HTML for a notebook's cell.

Names come from recipes and titles from people: each format escapes them in its own way.
"""

from __future__ import annotations

import csv as csv_format
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import escape

from bakeoff.analysis.comparison import Comparison
from bakeoff.analysis.estimates import Estimate
from bakeoff.report import sentences, wording
from bakeoff.utils.text import duration, percent

CSV_COLUMNS = (
    *("name", "kind", "study", "parameters", "seeds", "test_images"),
    *("accuracy", "accuracy_low", "accuracy_high", "group", "loss", "loss_low", "loss_high"),
    *("balanced_accuracy", "macro_f1", "selected_epochs", "seconds_per_trial", "recommended"),
)
_HEADS = ("Model", "Parameters", "Test accuracy", "95 % interval", "Group", "Loss", "Epoch", "Time")
_LATEX = {
    **{char: "\\" + char for char in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "–": "--",
    "×": r"$\times$",
    "−": "$-$",
}


@dataclass(frozen=True)
class Line:
    """A row of the table as text."""

    cells: tuple[str, ...]
    strong: bool = False
    baseline: bool = False


def answer(comparison: Comparison) -> str:
    """Return the answer in one line of plain text."""
    return "".join(sentences.headline(comparison))


def markdown(comparison: Comparison) -> str:
    """Return the table in GitHub's Markdown, with the recommendation and what it rests on."""
    rows = [_HEADS, ("---", *["---:"] * 3, ":---:", *["---:"] * 3)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    for line in _lines(comparison):
        cells = [escape_markdown(cell) for cell in line.cells]
        if line.strong:
            cells[0] = f"**{cells[0]}**"
        lines.append("| " + " | ".join(cells) + " |")
    before, name, after = sentences.headline(comparison)
    bold = f"**{escape_markdown(name)}**" if name else ""
    answer = f"{escape_markdown(before)} {bold}".strip()
    parts = [
        f"### {escape_markdown(wording.heading(comparison))}",
        "\n".join(lines),
        f"{answer}{escape_markdown(after)} {escape_markdown(sentences.reason(comparison))}".strip(),
        *(escape_markdown(caution) for caution in sentences.cautions(comparison)),
        escape_markdown(_basis(comparison)),
    ]
    return "\n\n".join(parts) + "\n"


def csv(comparison: Comparison) -> str:
    """Return the table as CSV with full precision; accuracies are fractions, times seconds."""
    buffer = io.StringIO(newline="")
    writer = csv_format.DictWriter(buffer, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    recommended = comparison.to_use
    for model in comparison.models:
        writer.writerow(
            {
                "name": model.name,
                "kind": "model",
                "study": model.study,
                "parameters": model.parameters,
                "seeds": len(model.seeds),
                "test_images": len(comparison.labels),
                **_columns("accuracy", model.accuracy.estimate),
                "group": model.group,
                **_columns("loss", model.loss.estimate),
                "balanced_accuracy": repr(float(model.balanced_accuracy.mean)),
                "macro_f1": repr(float(model.macro_f1.mean)),
                "selected_epochs": " ".join(
                    "" if epoch is None else str(epoch) for epoch in model.selected_epochs
                ),
                "seconds_per_trial": ""
                if model.seconds_per_trial is None
                else repr(float(model.seconds_per_trial)),
                "recommended": "yes" if model.name == recommended else "no",
            }
        )
    for baseline in comparison.baselines:
        writer.writerow(
            {
                "name": baseline.name,
                "kind": "baseline",
                "parameters": baseline.parameters,
                "test_images": len(comparison.labels),
                **_columns("accuracy", baseline.accuracy),
                "recommended": "no",
            }
        )
    return buffer.getvalue()


def latex(comparison: Comparison) -> str:
    r"""Return the table as a LaTeX `table` in the style of booktabs (`\usepackage{booktabs}`)."""
    models: list[str] = []
    baselines: list[str] = []
    for line in _lines(comparison):
        cells = [escape_latex(cell) for cell in line.cells]
        if line.strong:
            cells[0] = rf"\textbf{{{cells[0]}}}"
        (baselines if line.baseline else models).append(" & ".join(cells) + r" \\")
    caption = escape_latex(f"{wording.heading(comparison)}. {_basis(comparison)}")
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{caption}}}",
            r"\begin{tabular}{lrrrlrrr}",
            r"\toprule",
            " & ".join(escape_latex(head) for head in _HEADS) + r" \\",
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
    """Return the answer and the table as HTML for a notebook's cell: no style, no script."""
    before, name, after = sentences.headline(comparison)
    heads = "".join(f"<th>{escape(head)}</th>" for head in _HEADS)
    rows = []
    for line in _lines(comparison):
        first, *rest = (escape(cell) for cell in line.cells)
        shown = f"<strong>{first}</strong>" if line.strong else first
        rows.append(f"<tr><th>{shown}</th>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>")
    cautions = "".join(f"<p>{escape(text)}</p>" for text in sentences.cautions(comparison))
    return (
        f"<div><p><strong>{escape(wording.heading(comparison))}</strong></p>"
        f"<p>{escape(before)}<strong>{escape(name)}</strong>{escape(after)} "
        f"{escape(sentences.reason(comparison))}</p>{cautions}"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f"<p><small>{escape(_basis(comparison))}</small></p></div>"
    )


def escape_markdown(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no HTML, no new cell, no new line."""
    plain = re.sub(r"([\\`*_{}\[\]#!|~])", r"\\\1", " ".join(text.split()))
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_latex(text: str) -> str:
    """Return text that LaTeX shows as it is."""
    return "".join(_LATEX.get(char, char) for char in " ".join(text.split()))


def _lines(comparison: Comparison) -> Sequence[Line]:
    recommended = comparison.to_use
    lines = [
        Line(
            cells=(
                model.name,
                f"{model.parameters:,}",
                percent(model.accuracy.mean),
                wording.interval(model.accuracy.estimate),
                model.group,
                wording.loss(model.loss.mean),
                wording.selected_epochs(model),
                duration(model.seconds_per_trial),
            ),
            strong=model.name == recommended,
        )
        for model in comparison.models
    ]
    for baseline in comparison.baselines:
        accuracy = baseline.accuracy
        cells = (
            wording.baseline(baseline.name),
            f"{baseline.parameters:,}",
            percent(accuracy.mean),
            wording.interval(accuracy),
        )
        lines.append(Line((*cells, "", "", "", ""), baseline=True))
    return lines


def _basis(comparison: Comparison) -> str:
    return (
        f"Means over seeds with {wording.INTERVAL} intervals; models that share a letter are not "
        f"separated. {sentences.footer(comparison)}"
        if any(model.group for model in comparison.models)
        else f"Means over seeds with {wording.INTERVAL} intervals. {sentences.footer(comparison)}"
    )


def _columns(name: str, estimate: Estimate) -> dict[str, str]:
    values = {"": estimate.mean, "_low": estimate.low, "_high": estimate.high}
    return {name + end: repr(float(value)) for end, value in values.items()}
