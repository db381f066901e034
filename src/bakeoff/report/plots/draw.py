"""Draws all figures of a page: two thirds of them in a second process, if there is one.

While that process starts, the page is written with a placeholder for each figure. A thread would
not help, since vl-convert holds Python's lock while it draws. Where there is no second core or no
process can be started, or it is lost, all figures are drawn here, and the page is the same.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from markupsafe import Markup

from bakeoff.errors import UsageError
from bakeoff.report.plots.figure import VERSION, Figure, require_addresses
from bakeoff.utils.machine import cores

Process = subprocess.Popen[str]

_SCRIPT = Path(__file__).with_name("draw_elsewhere.py")
_SECONDS = 60.0  # after which a second process is taken for lost
_PLACE = re.compile(r"<!--figure (\d+)-->")


@contextmanager
def second_process(*, wanted: bool = True) -> Iterator[Process | None]:
    """Start a process that draws, and end it in any case; None if none is wanted or can be had."""
    process = _start() if wanted and cores() > 1 else None
    if process is None:
        yield None
        return
    clock = threading.Timer(_SECONDS, process.kill)
    clock.daemon = True
    try:
        with suppress(RuntimeError):  # no thread is to be had
            clock.start()
        yield process
    finally:
        clock.cancel()
        process.kill()
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):  # what was left unsent
                stream.close()  # type: ignore[union-attr]
        process.wait()


def place(figures: list[Figure], figure: Figure) -> Markup:
    """Append the figure to the list; return the placeholder that stands for it in the page."""
    figures.append(figure)
    return Markup(f"<!--figure {len(figures) - 1}-->")


def filled(page: str, figures: Sequence[Figure], process: Process | None) -> str:
    """Return the page with its placeholders replaced by the figures."""
    elements = _elements(figures, process)
    return _PLACE.sub(lambda found: elements[int(found[1])], page)


def _elements(figures: Sequence[Figure], process: Process | None) -> list[str]:
    elsewhere = [k for k in range(len(figures)) if k % 3] if process else []
    if process and not _send(process, [figures[k] for k in elsewhere]):
        elsewhere = []
    elements = {k: figures[k].element() for k in range(len(figures)) if k not in elsewhere}
    if process and elsewhere:
        drawn = _received(process)
        for position, k in enumerate(elsewhere):
            elements[k] = figures[k].element(drawn[position] if drawn else None)
    return [elements[k] for k in range(len(figures))]


def _start() -> Process | None:
    command = [sys.executable, "-P", str(_SCRIPT), VERSION]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    try:
        require_addresses()
        return subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=nothing, text=True, encoding="utf-8"
        )
    except (OSError, UsageError):
        return None


def _send(process: Process, figures: Sequence[Figure]) -> bool:
    """Send the figures' specifications; return whether the process took them."""
    assert process.stdin is not None
    try:
        json.dump([each.spec for each in figures], process.stdin)
        process.stdin.close()
    except OSError:
        return False
    return True


def _received(process: Process) -> list[str] | None:
    """Return the figures as SVG; None where the process was lost."""
    assert process.stdout is not None
    try:
        drawn: list[str] = json.load(process.stdout)
    except (OSError, ValueError):
        return None
    return drawn
