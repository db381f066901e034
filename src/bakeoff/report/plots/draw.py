"""Draws all figures of a page in two processes beside this one, if they can be had.

While they start, the page is written with a placeholder for each figure. Threads would not help,
since vl-convert holds Python's lock while it draws, and this process, which holds the page, need
not hold V8 too. Where there is no second core, or a process is lost, figures are drawn here, and
the page is the same.
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
_PROCESSES = 2
_SECONDS = 60.0  # after which they are taken for lost
_PLACE = re.compile(r"<!--figure (\d+)-->")


@contextmanager
def processes(*, wanted: bool = True) -> Iterator[list[Process]]:
    """Start processes that draw, and end them in any case; none if none are wanted or to be had."""
    started = [_start() for _ in range(_PROCESSES if wanted and cores() > 1 else 0)]
    running = [process for process in started if process is not None]
    clock = threading.Timer(_SECONDS, _kill, [running])
    clock.daemon = True
    try:
        if running:
            with suppress(RuntimeError):  # no thread is to be had
                clock.start()
        yield running
    finally:
        clock.cancel()
        _kill(running)
        for process in running:
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):  # what was left unsent
                    stream.close()  # type: ignore[union-attr]
            process.wait()


def _kill(running: Sequence[Process]) -> None:
    for process in running:
        process.kill()


def place(figures: list[Figure], figure: Figure) -> Markup:
    """Append the figure to the list; return the placeholder that stands for it in the page."""
    figures.append(figure)
    return Markup(f"<!--figure {len(figures) - 1}-->")


def filled(page: str, figures: Sequence[Figure], drawing: Sequence[Process]) -> str:
    """Return the page with its placeholders replaced by the figures."""
    elements = _elements(figures, drawing)
    return _PLACE.sub(lambda found: elements[int(found[1])], page)


def _elements(figures: Sequence[Figure], drawing: Sequence[Process]) -> list[str]:
    parts = [range(first, len(figures), len(drawing)) for first in range(len(drawing))]
    sent = [
        (process, part)
        for process, part in zip(drawing, parts, strict=True)
        if _send(process, [figures[k] for k in part])
    ]
    elements: dict[int, str] = {}
    for process, part in sent:
        for k, drawn in zip(part, _received(process), strict=False):
            elements[k] = figures[k].element(drawn)
    return [elements[k] if k in elements else figure.element() for k, figure in enumerate(figures)]


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


def _received(process: Process) -> list[str]:
    """Return the figures as SVG; none where the process was lost."""
    assert process.stdout is not None
    try:
        drawn: list[str] = json.load(process.stdout)
    except (OSError, ValueError):
        return []
    return drawn
