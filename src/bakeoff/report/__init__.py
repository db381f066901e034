"""Views of a comparison for people: a web page, a terminal table, and texts to paste elsewhere.

Each function takes a Comparison and returns text, or what rich can print; none computes a score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bakeoff.results import Comparison


def html(comparison: Comparison) -> str:
    """Return report.html: one self-contained page, the same bytes for the same comparison."""
    from bakeoff.report.page import html

    return html(comparison)
