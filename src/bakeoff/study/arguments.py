"""What callers in Python may give, checked before anything begins: one line for what is wrong."""

import operator
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

from bakeoff.errors import UsageError
from bakeoff.utils.machine import Device

_LONGEST = 255  # bytes of a file's name, on Linux and macOS


def a_path(value: Any, what: str) -> Path:
    """Return a path, which is not empty: "" would be the current folder.

    A `~` is the home folder, as in a recipe: no shell has said so in a notebook.
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise UsageError(f"{what}: expected a path, found {_found(value)}")
    text = os.path.expanduser(text)
    longest = max((len(os.fsencode(part)) for part in Path(text).parts), default=0)
    if longest > _LONGEST:
        raise UsageError(
            f"{what}: expected names of at most {_LONGEST} bytes, found one of {longest}: choose a "
            "shorter one"
        )
    return Path(text)


def whole(value: Any, what: str) -> int:
    """Return a whole number, Python's or NumPy's; True and False are none."""
    if not isinstance(value, bool):
        with suppress(TypeError):  # an array of several has __index__, and raises
            return int(operator.index(value))
    raise UsageError(f"{what}: expected a whole number, found {_found(value)}")


def names(value: Any, what: str) -> tuple[str, ...]:
    """Return names; a single one may stand for itself."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Sequence) or not all(isinstance(each, str) for each in value):
        raise UsageError(f"{what}: expected a list of names, found {_found(value)}")
    return tuple(value)


def flag(value: Any, what: str) -> bool:
    """Return True or False, and nothing that merely counts as one of them."""
    if not isinstance(value, bool):
        raise UsageError(f"{what}: expected True or False, found {_found(value)}")
    return value


def a_device(value: Any) -> Device | None:
    """Return a device's name, or None for what is there."""
    known = value is None or (isinstance(value, str) and value in get_args(Device))
    if not known:
        raise UsageError(f"device: expected cpu or gpu, found {_found(value)}")
    found: Device | None = value
    return found


def _found(value: Any) -> str:
    """Return a value as a message shows it: short ones themselves, of others the type."""
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"
