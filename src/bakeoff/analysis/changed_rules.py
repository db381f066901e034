"""Which rules of a study changed since its test set was first opened: margin, seeds, others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff.storage.opened_study import OpenedStudy
from bakeoff.utils.text import listed, whole_numbers


def changed_rules(study: OpenedStudy) -> list[str]:
    """Return, in words, each rule that differs from the first opening that recorded it."""
    recipe = study.recipe
    said = []
    for key, now in (("margin", recipe.margin), ("give_up", recipe.give_up)):
        then = _first(study, key)
        if then is not None and then != now:
            said.append(f"{key} is {now:g}, and was {then:g}")
    # What was written before there was a choice went by parameters.
    then = study.ledger[0].get("prefer") or "parameters" if study.ledger else recipe.prefer
    if then != recipe.prefer:
        said.append(f"prefer is {recipe.prefer}, and was {then}")
    planned = next((_seeds(line) for line in study.ledger if line.get("seeds") is not None), None)
    now_planned = _seeds({"seeds": recipe.seeds, "looks": recipe.looks})
    if planned is not None and planned != now_planned:
        said.append(f"the seeds are {now_planned}, and were {planned}")
    baselines = _first(study, "baselines")
    if baselines is not None and set(baselines) != set(recipe.baselines):
        now_listed = listed(sorted(recipe.baselines)) or "none"
        said.append(f"the baselines are {now_listed}, and were {listed(baselines) or 'none'}")
    return said + _race(study)


def _first(study: OpenedStudy, key: str) -> Any:
    return next((line[key] for line in study.ledger if line.get(key) is not None), None)


def _seeds(plan: Mapping[str, Any]) -> str:
    """Return the seeds that are planned, or the looks at them: "0–4"."""
    if plan.get("looks"):
        return f"looked at after {listed(map(str, plan['looks']))}"
    return whole_numbers(plan["seeds"])


def _race(study: OpenedStudy) -> list[str]:
    now = study.recipe.race.resolved()["after"] if study.recipe.race else None
    then = next((line["race"] for line in study.ledger if "race" in line), study.recipe.race)
    if isinstance(then, Mapping) and then.get("after") != now:
        return [f"the race looks after {now}, and looked after {then['after']}"]
    return ["there is a race, and was none"] if then is None and now else []
