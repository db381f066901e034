"""Looks at the test set that a study declared before the first of them, as its ledger has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PlannedOpenings:
    """What the first opening declared, and how many of the openings so far kept to it.

    after : how many seeds of each model each declared look has; empty for a study that opens once
    kept : openings that were planned: the declared looks in their order, or the only one
    """

    after: tuple[int, ...]
    kept: int


def planned_openings(ledger: Sequence[Mapping[str, Any]]) -> PlannedOpenings:
    """Return what a study's ledger says of its plan.

    An opening keeps to it where it is the next declared look, with the models of the first and no
    more seeds than were declared for it. A look whose line had to be restored does not.
    """
    openings = {line["opening"]: line for line in ledger}  # of each the last line
    if not openings:
        return PlannedOpenings((), 0)
    first = next(iter(openings.values()))
    after = tuple(first.get("looks") or ())
    if not after:
        return PlannedOpenings((), 1)
    kept = 0
    for line, seeds in zip(openings.values(), after, strict=False):
        kept += (
            not line.get("restored")
            and tuple(line.get("looks") or ()) == after
            and set(line["models"]) == set(first["models"])
            and all(max(own) < seeds for own in line["models"].values())
        )
    return PlannedOpenings(after, kept)
