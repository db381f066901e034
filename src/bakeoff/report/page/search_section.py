"""What the page says about searches: budgets, tuning curves, and each model's best settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bakeoff.analysis.comparison import Comparison
from bakeoff.analysis.tuning import Searched, budget_words, unequal_budgets
from bakeoff.report import plots
from bakeoff.report.page.model_section import Picture
from bakeoff.report.words import about_search
from bakeoff.utils.text import counted, listed, percent, sentence
from bakeoff.utils.user_paths import to_install

CURVES = (
    "The median of the best of n settings drawn at random, with its 95 % band (for all n at once), "
    "from those that were drawn so, with tpe at most ten; dashed, the best so far of the search as "
    "it went."
)
LINES = (
    "A line is a setting; its place on each axis is its value, from the lowest to the highest. The "
    "darker, the higher its validation accuracy; the chosen one is orange. It runs straight past "
    "the axes of choices that it does not make."
)
IMPORTANCE = (
    "How much of what tells good settings from others lies in each choice (PED-ANOVA); the line "
    "holds 90 % of the values when settings are drawn again. Choices inside options are left out."
)


@dataclass(frozen=True)
class SearchedPart:
    """What the page says about one model's search."""

    model: str
    sentences: list[str]
    titles: list[str]
    rows: list[list[str]]
    pictures: list[Picture]


@dataclass(frozen=True)
class SearchSection:
    """What the page says about all searches."""

    sentences: list[str]
    curves: Picture | None
    parts: list[SearchedPart]


def search_section(comparison: Comparison) -> SearchSection | None:
    """Return what the page says about searches; None where there was none."""
    searches = [each for each in comparison.searches if each.tried]
    if not searches:
        return None
    said = [about_budgets(comparison), about_curves(searches), about_lacking(searches)]
    drawn = None
    if any(each.curve is not None for each in searches):
        drawn = Picture(plots.tuning_curves(comparison, width=740), CURVES)
    parts = [_part(comparison, each) for each in searches]
    return SearchSection([each for each in said if each], drawn, parts)


def about_budgets(comparison: Comparison) -> str:
    """Say what budgets the models had."""
    names = {each.model for each in comparison.searches}
    others = [model.name for model in comparison.models if model.name not in names]
    unequal = unequal_budgets(comparison.searches, others)
    if unequal:
        return (
            f"The models did not have the same budget ({unequal}), so a difference may be that of "
            "the budget."
        )
    said = {each.model: budget_words(each) for each in comparison.searches}
    words = next(iter(said.values()))
    if len(set(said.values())) > 1:  # as many, but not as many different ones
        words = listed(f"{model} {each}" for model, each in said.items())
    if len(names) == 1:
        return f"{next(iter(names))} had a budget of {words}."
    return f"Each model had the same budget: {words}."


def about_curves(searches: list[Searched]) -> str:
    """Say whether the ranking of the models depends on how many settings are tried."""
    curves = {each.model: each.curve for each in searches if each.curve is not None}
    if len(curves) < 2:
        return ""
    longest = min(curve.settings for curve in curves.values())
    medians = np.array([curve.median[:longest] for curve in curves.values()])
    names = list(curves)
    tops = (medians == medians.max(axis=0)).T
    leaders = [[n for n, leads in zip(names, top, strict=True) if leads] for top in tops]
    changes = [k for k in range(1, longest) if leaders[k] != leaders[k - 1]]
    has = f"{listed(leaders[0])} {'has' if len(leaders[0]) == 1 else 'share'} the highest median"
    end = listed(f"{n} {percent(m[-1])}" for n, m in zip(names, medians, strict=True))
    bands = [(curve.low[longest - 1], curve.high[longest - 1]) for curve in curves.values()]
    apart = max(low for low, _ in bands) > min(high for _, high in bands)
    overlap = "do not all overlap" if apart else "overlap, so that order is not shown"
    if not changes:
        text = f"however many of {longest} settings are tried, {has}"
    else:
        later = (f"from {counted(k + 1, 'setting')} on {listed(leaders[k])}" for k in changes)
        text = f"the ranking depends on the budget: with one setting {', '.join([has, *later])}"
    return sentence(
        f"Median best validation accuracy of {longest} settings: {end}; {text}; the bands {overlap}"
    )


def about_lacking(searches: list[Searched]) -> str:
    """Say which library is missing for curves and importance; "" where none is."""
    lacking = next((each.lacking for each in searches if each.lacking), "")
    if not lacking:
        return ""
    return (
        f"No tuning curve and no importance here, since {lacking} is not installed "
        f"({to_install('tune')})."
    )


def _part(comparison: Comparison, searched: Searched) -> SearchedPart:
    said = [
        about_search.chosen(searched),
        about_search.others(searched),
        about_search.flattery(searched),
    ]
    titles, rows = about_search.best_rows(searched)
    wide = plots.usable_width(len(searched.dimensions))
    drawn = plots.parallel_coordinates(comparison, searched.model, width=wide)
    pictures = [Picture(drawn, LINES)] if len(searched.dimensions) > 1 else []
    if searched.importance:
        pictures.append(Picture(plots.importance(comparison, searched.model), IMPORTANCE))
    return SearchedPart(searched.model, [s for s in said if s], titles, rows, pictures)
