"""Disks that fail, and what is said of damaged files."""

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

DAMAGED = (
    "expected the bytes that were recorded, found others: the file was changed or damaged; "
    "restore it, or delete its folder and run the study again; if that "
    "opens the test set again, that is counted"
)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let this process write no file beyond so many bytes, as a disk that fills up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def failing(call: Callable[..., Any], number: int, code: int) -> Callable[..., Any]:
    """Return `call`, made to fail as the operating system does the `number`th time."""
    calls = iter(range(10_000))

    def replacement(*arguments: Any, **settings: Any) -> Any:
        if next(calls) == number:
            raise OSError(code, os.strerror(code))
        return call(*arguments, **settings)

    return replacement
