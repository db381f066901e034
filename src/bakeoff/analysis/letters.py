"""Compact letter display: which models are not separated, in letters."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence


def letters(best_first: Sequence[str], separated: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Compact letter display: models that share a letter are not separated; "a" holds the best.

    Insert and absorb (Piepho 2004, Journal of Computational and Graphical Statistics 13):
    start with one group of all; a separated pair splits every group that holds both into one
    without the first and one without the second; a group inside another is dropped.
    """
    groups = [frozenset(best_first)]
    for a, b in separated:
        if not {a, b} <= set(best_first) or a == b:
            raise ValueError(f"expected two of the models {', '.join(best_first)}; got {a}, {b}")
        split = [g - {x} for g in groups if {a, b} <= g for x in (a, b)]
        groups = _absorb([g for g in groups if not {a, b} <= g] + split)
    rank = {name: position for position, name in enumerate(best_first)}
    groups.sort(key=lambda group: sorted(rank[name] for name in group))
    marks = [_letter(k) for k in range(len(groups))]
    return {
        name: "".join(mark for mark, group in zip(marks, groups, strict=True) if name in group)
        for name in best_first
    }


def _absorb(groups: list[frozenset[str]]) -> list[frozenset[str]]:
    unique = list(dict.fromkeys(groups))
    return [group for group in unique if not any(group < other for other in unique)]


def _letter(k: int) -> str:
    return string.ascii_letters[k] if k < len(string.ascii_letters) else f"({k + 1})"
