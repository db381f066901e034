"""What is wrong with a recipe, and what its parsers share: they note problems and go on."""

import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bakeoff.recipe.parsing.keras_words import hint
from bakeoff.recipe.suggestions import did_you_mean
from bakeoff.recipe.value_kinds import Misfit, found, key_text

T = TypeVar("T")


class Problems:
    """What is wrong with a recipe, in the order in which it was met."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def add(self, place: str, text: str) -> None:
        """Note one problem and the place in the recipe where it stands."""
        self.found.append((place, text))


def known_keys(
    values: Mapping[Any, Any], known: Sequence[str], place: str, problems: Problems
) -> bool:
    """Note every key that is not known, with the nearest that is; True if there is none."""
    unknown = [key for key in values if key not in known]
    for key in unknown:
        where = f"{place}.{key_text(key)}" if place else key_text(key)
        cure = hint(place, key, known) or did_you_mean(key, known)
        if isinstance(key, str) and key.isdigit() and values[key] is None:  # {rate: 0,001}
            cure = "is it part of a number? A number has a point, no comma: 0.001"
        problems.add(where, f"unknown key; {cure}")
    return not unknown


def attempt(read: Callable[[Any], T], raw: object, place: str, problems: Problems) -> T | None:
    """Return what `read` makes of `raw`, or None after noting its Misfit."""
    try:
        return read(raw)
    except Misfit as misfit:
        problems.add(place + misfit.inside, str(misfit))
        return None


def read_path(raw: object, folder: Path, what: str) -> Path:
    """Read a path; a relative one is relative to `folder`. Whether it exists is not asked here."""
    if not isinstance(raw, str) or not 0 < len(raw) <= 4096 or not is_text(raw):
        raise Misfit(f"expected the path of {what}, found {found(raw)}")
    try:
        path = Path(os.path.expanduser(raw))  # Path(raw) forgets that "./~pets" is no home
    except RuntimeError:
        raise Misfit(f"expected the path of {what}, found {found(raw)}: no such home") from None
    return Path(os.path.abspath(folder / path))


def is_text(text: str) -> bool:
    """Say whether a text holds no control characters and can be written as UTF-8."""
    return not any(unicodedata.category(each) in ("Cc", "Cs") for each in text)
