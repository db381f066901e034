"""What the searches of a study say: choices at the edge of their range, budgets that differ."""

from __future__ import annotations

from bakeoff.analysis.comparison import Comparison, Finding, ModelResult
from bakeoff.analysis.tuning import unequal_budgets
from bakeoff.utils.text import listed, percent, points

# A tenth of all settings that cannot be told from the best is a handful of forty; more says that
# the search has found a region, not a setting.
ALIKE_SHARE = 0.1


def unequal_searches(comparison: Comparison) -> Finding | None:
    """Find different budgets of search: what differs may be the budget."""
    names = {each.model for each in comparison.searches}
    if not names:
        return None
    others = [model.name for model in comparison.models if model.name not in names]
    unequal = unequal_budgets(comparison.searches, others)
    if not unequal:
        return None
    return Finding(
        "unequal-searches",
        "warning",
        None,
        f"The models were not tuned with the same budget: {unequal}.",
        "Give every model the same search, or say so where you report the difference.",
    )


def best_at_edge(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Find a chosen value at the end of its range, beyond which a better one may lie."""
    searched = comparison.searched(model.name)
    if searched is None or not searched.edges:
        return None
    said = listed(edge.words for edge in searched.edges)
    return Finding(
        "search-at-edge",
        "warning",
        model.name,
        f"The best setting of {model.name} lies at the edge of what was searched: {said}.",
        "Widen that range and search again; a better value may lie beyond it.",
    )


def settings_alike(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Find many settings not told from the chosen one: which of them was chosen is chance."""
    searched = comparison.searched(model.name)
    if searched is None or searched.chosen is None:
        return None
    others = len(searched.best) - 1
    if others < 1 or searched.as_good is None or searched.as_good <= ALIKE_SHARE * others:
        return None
    verb = "is" if searched.as_good == 1 else "are"
    which = (
        f"The other setting of {model.name} that was trained to the end {verb}"
        if others == 1
        else f"{searched.as_good} of the {others:,} other settings of {model.name} that were "
        f"trained to the end {verb}"
    )
    flatters = ""
    if searched.flatters is not None and searched.flatters > 0:
        best = percent(searched.chosen.accuracy or 0.0)
        flatters = (
            f" Its {best} on validation is {points(searched.flatters)} points more than the mean "
            "of its fresh seeds there."
        )
    return Finding(
        "settings-alike",
        "info",
        model.name,
        f"{which} not told from the chosen one by predictions of the validation images.{flatters}",
        "Read the chosen values as one of many that do as well; the test accuracy above is of "
        "fresh seeds, so this does not flatter it.",
    )
