"""Views of a comparison for people: a web page, a terminal table, and texts to paste elsewhere.

Each function takes a Comparison and returns text, or what rich can print; none computes a score.
Each imports what it needs when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bakeoff.analysis.comparison import Comparison

__all__ = ["csv", "fragment", "html", "latex", "markdown", "model_card", "table"]


def html(comparison: Comparison) -> str:
    """Return report.html: one self-contained page, the same bytes for the same comparison."""
    from bakeoff.report.page import html

    return html(comparison)


def table(comparison: Comparison) -> RenderableType:
    """Return the table, verdicts and recommendation for `rich.print`, as wide as the window."""
    from bakeoff.report.terminal import table

    return table(comparison)


def fragment(comparison: Comparison) -> str:
    """Return the answer and the table as HTML for a notebook's cell (`_repr_html_`)."""
    from bakeoff.report.exports import fragment

    return fragment(comparison)


def markdown(comparison: Comparison) -> str:
    """Return the table in GitHub's Markdown, with the recommendation."""
    from bakeoff.report.exports import markdown

    return markdown(comparison)


def csv(comparison: Comparison) -> str:
    """Return the table as CSV, with full precision; accuracies are fractions in [0, 1]."""
    from bakeoff.report.exports import csv

    return csv(comparison)


def latex(comparison: Comparison) -> str:
    """Return the table as LaTeX, in the style of booktabs."""
    from bakeoff.report.exports import latex

    return latex(comparison)


def model_card(comparison: Comparison, model: str | None = None) -> str:
    """Return MODEL_CARD.md for the recommended model, or for the one named."""
    from bakeoff.report.card import model_card

    return model_card(comparison, model)
