"""Progress in a notebook: one display that is updated in place, and one line of it at the end.

Works wherever ipykernel does: JupyterLab, Notebook 7, VS Code, Colab. IPython is used where it
runs already, and never imported for this.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bakeoff.study.progress.paced_watcher import PacedWatcher
from bakeoff.study.progress.terminal_progress import progress
from bakeoff.utils.events import EpochResult, Planned, Watcher
from bakeoff.utils.text import counted, duration

_SELDOM = 0.25  # seconds between two updates
_BAR = 24  # characters


def in_notebook() -> bool:
    """Say whether this runs in a notebook's kernel."""
    shell = _shell()
    return shell is not None and getattr(shell, "kernel", None) is not None


@contextmanager
def shown_progress() -> Iterator[Watcher]:
    """Show what is going on: in place in a notebook, as `progress` does anywhere else."""
    if not in_notebook():
        with progress() as watcher:
            yield watcher
        return
    display = NotebookProgress()
    try:
        yield display
    except BaseException:
        display.close(whole=False)
        raise
    display.close()


class NotebookProgress(PacedWatcher):
    """A line with a bar, updated in place."""

    def __init__(self, show: Callable[[str], None] | None = None) -> None:
        super().__init__()
        self._show = show or _Display()
        self._notes: list[str] = []
        self._began = self._said = time.monotonic()
        self._done = self._planned = 0

    def begin(self, title: str, jobs: Sequence[Planned]) -> None:
        """Begin a stage with a bar of its own."""
        super().begin(title, jobs)
        self._planned += len(jobs)
        self._draw(at_once=True)

    def started(self, label: str, where: str | None = None) -> None:
        """Begin to wait for a job."""
        super().started(label, where)
        self._draw()

    def epoch(self, label: str, result: EpochResult) -> None:
        """Move the bar."""
        super().epoch(label, result)
        self._draw()

    def finished(self, label: str) -> None:
        """Count a job."""
        super().finished(label)
        self._done += self._pace is not None
        self._draw()

    def note(self, text: str) -> None:
        """Keep what a person should read above the bar."""
        self._notes.append(text)
        self._draw(at_once=True)

    def close(self, *, whole: bool = True) -> None:
        """Leave one line: what was done, and how long it took.

        whole : False where it was stopped, by an error or by a person; the reason follows it
        """
        took = duration(time.monotonic() - self._began)
        said = [f"{counted(self._done, 'job')} done in {took}"]
        if not self._planned:
            said = ["nothing to do"] if whole else []
        if lines := [*self._notes, *said]:
            self._show("\n".join(lines))

    def _draw(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if self._pace is None or (now - self._said < _SELDOM and not at_once):
            return
        self._said = now
        full = round(_BAR * self._pace.share)
        left = self._pace.time_left(now)
        words = f"{self._title} {'█' * full}{'░' * (_BAR - full)} "
        words += f"{self._pace.done} of {self._pace.to_do}"
        if left:
            words += f", {left}"
        self._show("\n".join([*self._notes, words]))


class _Display:
    """One output of a cell, whose content is replaced by each call."""

    def __init__(self) -> None:
        self._handle: Any = None

    def __call__(self, text: str) -> None:
        from IPython import display  # it runs already

        show: Any = display.display

        data = {"text/plain": text}
        if self._handle is None:
            self._handle = show(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)


def _shell() -> Any:
    module = sys.modules.get("IPython")
    return None if module is None else module.get_ipython()
