"""Views of a comparison for people: a web page, a terminal table, and texts to paste elsewhere.

Each function takes a Comparison and returns text, or what rich can print; none computes a score.
What a view needs is imported when the view is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bakeoff.report.exports import answer, csv, fragment, latex, markdown
    from bakeoff.report.model_cards import model_card
    from bakeoff.report.page.html_page import html
    from bakeoff.report.terminal import table

__all__ = ["answer", "csv", "fragment", "html", "latex", "markdown", "model_card", "table"]

_HOMES = {
    **dict.fromkeys(("answer", "csv", "fragment", "latex", "markdown"), "exports"),
    "html": "page.html_page",
    "model_card": "model_cards",
    "table": "terminal",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bakeoff.report' has no attribute {name!r}")
    return getattr(import_module(f"bakeoff.report.{_HOMES[name]}"), name)
