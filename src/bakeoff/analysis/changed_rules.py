"""Which rules of a study changed since its test set was first opened: margin, seeds, others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.analysis.statistics import unit_of
from bakeoff.recipe import Recipe
from bakeoff.utils.text import listed, whole_numbers


def changed_rules(recipe: Recipe, ledger: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return, in words, each rule that differs from the first opening that recorded it."""
    said = []
    for key, now in (("margin", recipe.margin), ("give_up", recipe.give_up)):
        then = _first(ledger, key)
        if then is not None and then != now:
            said.append(f"{key} is {now:g}, and was {then:g}")
    # Before there was a choice, models were always ordered by parameters.
    then = ledger[0].get("prefer") or "parameters" if ledger else recipe.prefer
    if then != recipe.prefer:
        said.append(f"prefer is {recipe.prefer}, and was {then}")
    planned = next((_seeds(line) for line in ledger if line.get("seeds") is not None), None)
    now_planned = _seeds({"seeds": recipe.seeds, "looks": recipe.looks})
    if planned is not None and planned != now_planned:
        unit = unit_of(folded=bool(recipe.split.folds))
        said.append(f"the {unit}s are {now_planned}, and were {planned}")
    baselines = _first(ledger, "baselines")
    if baselines is not None and set(baselines) != set(recipe.baselines):
        now_listed = listed(sorted(recipe.baselines)) or "none"
        said.append(f"the baselines are {now_listed}, and were {listed(baselines) or 'none'}")
    return said + _race(recipe, ledger)


def _first(ledger: Sequence[Mapping[str, Any]], key: str) -> Any:
    return next((line[key] for line in ledger if line.get(key) is not None), None)


def _seeds(plan: Mapping[str, Any]) -> str:
    """Return the seeds that are planned, or the looks at them: "0–4"."""
    if plan.get("looks"):
        return f"looked at after {listed(map(str, plan['looks']))}"
    return whole_numbers(plan["seeds"])


def _race(recipe: Recipe, ledger: Sequence[Mapping[str, Any]]) -> list[str]:
    now = recipe.race.resolved()["after"] if recipe.race else ()
    first = next((line["race"] or {} for line in ledger if "race" in line), {"after": now})
    then = first.get("after", ())
    if tuple(now) == tuple(then):
        return []
    after, before = (listed(map(str, looks)) for looks in (now, then))
    if not then:
        return ["there is a race, and was none"]
    if not now:
        return [f"there is no race, and was one that looked after {before} seeds"]
    return [f"the race looks after {after}, and looked after {before}"]
