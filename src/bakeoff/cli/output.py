"""Printing results on standard output, and keeping everything else away from it."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from bakeoff.errors import StorageError


class NobodyReads(Exception):
    """The reader of standard output has closed it (`bakeoff look mnist | head`)."""


@contextmanager
def printing() -> Iterator[None]:
    """Turn errors of standard output into ones that name it.

    Raises NobodyReads where its reader has gone, StorageError where it cannot be written.
    """
    try:
        yield
    except BrokenPipeError:
        raise NobodyReads from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(f"standard output: {reason}: see where it goes") from error


def show(*renderables: Any) -> None:
    """Print texts, and whatever else rich can print, on standard output; errors as `printing`."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    # with COLUMNS=0, as some programs set it, rich would print nothing
    width = 80 if os.environ.get("COLUMNS", "").strip() == "0" else None
    console = Plain(
        file=sys.stdout,
        force_terminal=_terminal(),
        highlight=False,
        markup=False,
        emoji=False,
        width=width,
    )
    with printing():
        for each in renderables:
            if console.is_terminal and not console.is_dumb_terminal:
                console.print(each, soft_wrap=isinstance(each, str))
                continue
            with console.capture() as captured:
                console.print(each, soft_wrap=isinstance(each, str))
            lines = captured.get().split("\n")  # rich fills them with spaces
            sys.stdout.write("\n".join(line.rstrip(" ") for line in lines))


def _terminal() -> bool | None:
    """Say whether standard output is a terminal where rich would not find out; else None."""
    forced = os.environ.get("FORCE_COLOR", "")  # rich takes every word for yes
    return sys.stdout.isatty() if forced.strip().lower() in ("0", "false") else None


def show_text(text: str) -> None:
    """Print a text as it is, ended by one line break."""
    with printing():
        sys.stdout.write(text.rstrip("\n") + "\n")


def show_json(document: Any) -> None:
    """Print one JSON document on standard output; escapes keep it whole in any encoding."""
    with printing():
        sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")


def remark(text: str) -> None:
    """Write a line on standard error, if anybody reads it."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


@contextmanager
def standard_output_kept() -> Iterator[None]:
    """Send to standard error what libraries, user code and worker processes print meanwhile."""
    if sys.stdout is None or sys.__stdout__ is None:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
