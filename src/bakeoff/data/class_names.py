"""What classes may be called, and that every part knows those of training."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import DataError, printable
from bakeoff.utils.text import shown

_UNSEEN = "[\u00ad\u200b\u200e\u200f\u2060\ufe0e\ufe0f\ufeff]"  # in text; ZWJ joins letters


def checked_class_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return class names as they can be shown; there must be two or more, all different."""
    clean = tuple(printable(unicodedata.normalize("NFC", name)).strip() for name in names)
    if len(clean) < 2:
        only = f": all images are {shown(clean[0])}" if clean and clean[0] else ""
        raise DataError(
            f"expected at least 2 classes, found {len(clean)}: nothing to tell apart{only}"
        )
    seen: set[str] = set()
    for position, name in enumerate(clean):
        if not name:
            raise DataError(f"class {position}: expected a name, found an empty one")
        if name in seen:
            raise DataError(
                f"expected different class names, found {shown(name)} twice (spaces at the ends "
                "and Unicode's forms make no difference): rename one, or put the two together"
            )
        seen.add(name)
    _check_spaces(names, clean)
    _check_capitals(clean)
    return clean


def _check_spaces(names: Sequence[str], clean: Sequence[str]) -> None:
    """Refuse names that look the same: of other spaces, or with characters that are not seen."""
    seen: dict[str, str] = {}
    for name, plain_name in zip(names, clean, strict=True):
        bare = " ".join(re.sub(_UNSEEN, "", name).split())
        other = seen.setdefault(unicodedata.normalize("NFC", bare), plain_name)
        if other != plain_name:
            raise DataError(
                f"expected different class names, found {shown(other)!r} and "
                f"{shown(plain_name)!r}, which look the same: write them alike"
            )


def _check_capitals(names: Sequence[str]) -> None:
    """Refuse names that differ in capitals only, unless they are letters, as in EMNIST."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name and len(name) > 2:
            how = "differ in capitals only" if other.lower() == name.lower() else "are one word"
            raise DataError(
                f"expected different class names, found {shown(other)} and {shown(name)}, which "
                f"{how}: write them alike"
            )


def check_known(
    train: NDArray[np.int64], other: NDArray[np.int64], part: str, class_names: Sequence[str]
) -> None:
    """Refuse a part with a class of which the training part has no image."""
    known = np.bincount(train, minlength=len(class_names)) > 0
    strange = np.flatnonzero(~known[other])
    if len(strange):
        raise DataError(
            f"class {shown(class_names[other[strange[0]]])}: expected in the training part too, "
            f"found in the {part} part only"
        )
