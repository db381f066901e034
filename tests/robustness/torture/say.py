"""Figures, printed as they come."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def figures(title: str, rows: Mapping[str, Any], problems: Iterable[Any], seconds: float) -> bool:
    """Print a part's figures and its first problems; say whether there are none."""
    wrong = list(problems)
    say(f"\n{title} ({seconds:.0f} s)")
    for name, value in rows.items():
        say(f"  {name}: {value}")
    say(f"  problems: {len(wrong)}")
    for each in wrong[:20]:
        say(f"  ! {each}")
    return not wrong
