"""What a search came to, in words and as a table: budget, best settings, how much it flatters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bakeoff.analysis.tuning import Searched, budget_words
from bakeoff.recipe import Recipe
from bakeoff.storage.search_folder import SearchFolder, best_first
from bakeoff.utils.text import counted, duration, listed, percent, points

if TYPE_CHECKING:
    from rich.console import RenderableType

BEST = 5  # settings that are named
_ENDS = {
    "pruned": "stopped early",
    "diverged": "diverged",
    "impossible": "did not make a network",
    "lost": "lost",
}


def budget(searched: Searched) -> str:
    """Return a search's budget: "chosen among 40 settings by validation (tpe; 2.1 h)"."""
    words = budget_words(searched, " by validation").removesuffix(")")
    return f"{words}; {duration(searched.seconds)} of training)"


def chosen(searched: Searched) -> str:
    """Return what was chosen, in a sentence; "" while the search goes on."""
    best = searched.chosen
    if best is None:
        return ""
    said = listed(f"{name} {value}" for name, value in searched.words(best).items())
    return (
        f"{searched.model} was chosen among {budget(searched)}: {said}, with "
        f"{percent(best.accuracy or 0.0)} on the validation images."
    )


def flattery(searched: Searched) -> str:
    """Say by how much the search flattered what it chose, or did not; "" before its own seeds."""
    excess = searched.flatters
    if excess is None or searched.chosen is None:
        return ""
    fresh, best = searched.fresh, searched.chosen.accuracy or 0.0
    spread = f" ({percent(min(fresh))} to {percent(max(fresh))})" if len(fresh) > 1 else ""
    verb = "more" if excess >= 0 else "less"
    flattered = " A best score reported without this step flatters by that."
    return (
        f"In the search it scored {percent(best)} on validation; trained afresh "
        f"{percent(float(np.mean(fresh)))}, mean of {counted(len(fresh), 'seed')}{spread}: the "
        f"search showed {points(abs(excess))} points {verb} than it holds on the same images."
        f"{flattered if round(excess, 4) > 0 else ''}"
    )


def others(searched: Searched) -> str:
    """Say how sure the choice is, and what became of settings that were not trained to the end."""
    ends = [
        counted(count, "setting") + f" {words}"
        for state, words in _ENDS.items()
        if (count := sum(each.state == state for each in searched.tried))
    ]
    text = f"; {listed(ends)}" if ends else ""
    if searched.chosen is None:
        return text.removeprefix("; ")
    usable = len(searched.best) - 1
    if usable == 0:
        return f"No other setting was trained to the end{text}."
    if searched.as_good is None:
        return (
            "Whether other settings do as well cannot be told: trials of the search are gone from "
            f"the study's folder{text}."
        )
    which = f"{searched.as_good} of the {usable:,} other settings trained to the end cannot"
    if not searched.as_good:
        which = f"each of the {usable:,} other settings trained to the end can"
    if usable == 1:
        which = f"the other setting trained to the end {'cannot' if searched.as_good else 'can'}"
    return (
        f"By their predictions of the validation images, {which} be told from it (exact McNemar "
        f"test, one network each){text}."
    )


def under_way(study: Path, recipe: Recipe) -> list[str]:
    """Say of each search that is not done how far it is; `study` is the study's folder."""
    said = []
    for name, model in recipe.models.items():
        search = SearchFolder(study, name)
        if model.search is None or search.chosen() is not None:
            continue
        tried = search.tried(model.search.dimensions)
        done = [each for each in tried if each.state not in (None, "lost")]  # which comes once more
        best = best_first(done)[:1]
        so_far = f"; best so far {percent(best[0].accuracy or 0.0)} on validation" if best else ""
        fewer = model.search.sampler == "grid" or model.search.minutes is not None
        most = f"{'at most ' if fewer else ''}{model.search.settings}"
        said.append(f"{name} is searched: {len(done)} of {most} settings tried{so_far}.")
    return said


def best_rows(searched: Searched) -> tuple[list[str], list[list[str]]]:
    """Return the best settings as a table: column titles, and the cells of each row."""
    names = list(searched.names.values())
    titles = ["setting", "validation, %", "loss", *names, "epochs", "trial"]
    rows = []
    for each in searched.best[:BEST]:
        words = searched.words(each)
        entropy = "–" if each.cross_entropy is None else f"{each.cross_entropy:.3f}"
        rows.append(
            [
                str(each.number),
                f"{100 * (each.accuracy or 0.0):.2f}",
                entropy,
                *(words.get(name, "–") for name in names),
                str(each.epochs),
                duration(each.seconds),
            ]
        )
    return titles, rows


def table(searched: Searched) -> RenderableType:
    """Return the best settings for the terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    view = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for title in ("setting", "validation, %", "trial"):
        view.add_column(title, justify="right", no_wrap=True)
    view.add_column("values", overflow="fold")
    for each in searched.best[:BEST]:
        said = ", ".join(f"{name} {value}" for name, value in searched.words(each).items())
        cells = (str(each.number), f"{100 * (each.accuracy or 0.0):.2f}", duration(each.seconds))
        style = "bold green" if each is searched.chosen else None
        view.add_row(*cells, Text(said), style=style)
    head = Text(f"{searched.model}: {budget(searched)}", style="bold")
    return Group(head, view, Text(others(searched), style="dim"))
