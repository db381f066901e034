"""Printing results on standard output, and keeping everything else away from it."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def show(*renderables: Any) -> None:
    """Print texts, and whatever else rich can print, on standard output.

    Raises BrokenPipeError where nobody reads any more.
    """
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    console = Plain(file=sys.stdout, highlight=False, markup=False, emoji=False)
    for each in renderables:
        console.print(each, soft_wrap=isinstance(each, str))


def show_text(text: str) -> None:
    """Print a text as it is, ended by one line break."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def show_json(document: Any) -> None:
    """Print one JSON document on standard output; escapes keep it whole in any encoding."""
    sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")


def remark(text: str) -> None:
    """Write a line on standard error."""
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
