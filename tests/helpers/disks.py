"""Disks that fail, and what is said of damaged files."""

import os
from collections.abc import Callable
from typing import Any

DAMAGED = (
    "expected the bytes that were recorded, found others: the file was changed or damaged; "
    "restore it, or delete its folder and run the study again; if that "
    "opens the test set again, it counts"
)


def failing(call: Callable[..., Any], number: int, code: int) -> Callable[..., Any]:
    """Return `call`, made to fail as the operating system does the `number`th time."""
    calls = iter(range(10_000))

    def replacement(*arguments: Any, **settings: Any) -> Any:
        if next(calls) == number:
            raise OSError(code, os.strerror(code))
        return call(*arguments, **settings)

    return replacement
