"""How far a study is and how long it still takes: a live display, or plain lines where none fits.

`progress()` gives a Watcher that writes to standard error, which is never where results go.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from bakeoff.study.progress.pace import Pace
from bakeoff.study.progress.paced_watcher import PacedWatcher
from bakeoff.training.selection import Selection
from bakeoff.utils.events import EpochResult, Planned, Resumed, Watcher
from bakeoff.utils.text import duration

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_SILENCE = 120.0  # seconds after which plain lines say that work still goes on
_BAR = 28  # characters


@contextmanager
def progress(stream: TextIO | None = None) -> Iterator[Watcher]:
    """Show what is going on while the block runs; yields the Watcher that hears of it.

    Parameters
    ----------
    stream : where to write; standard error by default. A terminal gets a display that is drawn
        again and again, anything else (a file, a notebook) plain lines.
    """
    stream = stream or sys.stderr
    if stream is None:  # a Python without a console
        yield Watcher()
        return
    from rich.console import Console

    patient: Any = _Patient(stream)
    # asked of the stream itself: FORCE_COLOR makes rich take a file for a terminal
    console = Console(
        file=patient, force_jupyter=False, force_terminal=_terminal(stream), highlight=False
    )
    if not console.is_terminal or console.is_dumb_terminal:
        yield Lines(patient)
        return
    display = Display(console)
    try:
        yield display
    finally:
        display.close()


class _Patient:
    """A stream that drops what cannot be written: the study goes on when nobody reads any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, if that can be done."""
        with suppress(OSError, ValueError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, if that can be done."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def _terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # no real stream, or a closed one
        return False


def _on(where: str | None) -> str:
    return f" on {where}" if where else ""


def _scores(result: EpochResult) -> list[str]:
    """Return an epoch's loss and accuracy, the validation's where there is one."""
    part, accuracy = "training", result.accuracy
    if result.val_accuracy is not None:
        part, accuracy = "validation", result.val_accuracy
    return [f"loss {result.loss:.4f}", f"{part} {100 * accuracy:.2f} %"]


# ── two ways to show it ──────────────────────────────────────────────────────────────────────


class Lines(PacedWatcher):
    """A line for every trial that is done: for files, pipes and notebooks."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._each = True
        self._rules: dict[str, str] = {}
        self._selected: dict[str, Selection] = {}  # by job; its "weights" are an epoch's result
        self._diverged: set[str] = set()
        self._where: dict[str, str | None] = {}  # the cluster's node, by job
        self._said = time.monotonic()

    def begin(self, title: str, jobs: Sequence[Planned]) -> None:
        """Say what comes."""
        super().begin(title, jobs)
        self._each = any(job.epochs for job in jobs)  # predicting takes no time worth a line each
        self._rules = {job.label: job.selection for job in jobs}
        if self._pace:
            self._say(f"{title}: {self._pace.to_do} to do")

    def started(self, label: str, where: str | None = None) -> None:
        """Begin to wait for a job, perhaps once more."""
        super().started(label, where)
        self._where[label] = where
        self._selected.pop(label, None)
        self._diverged.discard(label)

    def epoch(self, label: str, result: EpochResult) -> None:
        """Say something if nothing was said for long."""
        super().epoch(label, result)
        self._select(label, result)
        now = time.monotonic()
        if self._pace and now - self._said > _SILENCE:
            done, total = self._pace.epochs(label)
            where = _on(self._where.get(label))
            words = [f"{label}{where}: epoch {done} of {total}", *_scores(result)]
            self._say(", ".join(words), self._pace.time_left(now))

    def resumed(self, label: str, resumed: Resumed) -> None:
        """Count the epochs that were trained before."""
        super().resumed(label, resumed)
        for result in resumed.results:
            self._select(label, result)

    def finished(self, label: str) -> None:
        """Say that a job is done, how its selected epoch went and how long the others will take."""
        super().finished(label)
        if not self._pace or not self._each:
            return
        now = time.monotonic()
        name = f"{label}{_on(self._where.pop(label, None))}"
        words = [f"{name} in {duration(self._pace.seconds(label, now), rough=True)}"]
        if label in self._selected:
            words += _scores(self._selected.pop(label).weights)
        words += ["diverged"] if label in self._diverged else []
        count = f"{self._pace.done} of {self._pace.to_do} done: "
        self._say(count + ", ".join(words), self._pace.time_left(now))

    def note(self, text: str) -> None:
        """Say something a person should read."""
        self._say(text)

    def _select(self, label: str, result: EpochResult) -> None:
        """Keep the result of the epoch that is selected so far: the first until one is finite."""
        rule = self._rules.get(label, "last")
        selected = self._selected.setdefault(label, Selection(rule, result))
        if result.finite:
            selected.offer(result, result)
        else:
            self._diverged.add(label)

    def _say(self, text: str, more: str = "") -> None:
        self._said = time.monotonic()
        self._stream.write(f"{text}; {more}\n" if more else f"{text}\n")
        self._stream.flush()


class Display(PacedWatcher):
    """A bar for the whole and a line for every running trial, drawn again and again."""

    def __init__(self, console: "Console") -> None:
        from rich.live import Live

        super().__init__()
        self._console = console
        self._last: dict[str, EpochResult] = {}
        self._where: dict[str, str | None] = {}  # the cluster's node, by job
        self._live = Live(
            console=console,
            get_renderable=self._render,
            refresh_per_second=5,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def close(self) -> None:
        """Take the display away."""
        self._live.stop()

    def begin(self, title: str, jobs: Sequence[Planned]) -> None:
        """Begin a stage with a bar of its own."""
        with self._lock:
            super().begin(title, jobs)
            self._last = {}
        self._live.start()

    def started(self, label: str, where: str | None = None) -> None:
        """Give a job a line."""
        with self._lock:
            super().started(label, where)
            self._where[label] = where

    def epoch(self, label: str, result: EpochResult) -> None:
        """Show an epoch in the job's line."""
        with self._lock:
            super().epoch(label, result)
            self._last[label] = result

    def resumed(self, label: str, resumed: Resumed) -> None:
        """Begin a job's line at the epochs of before."""
        with self._lock:
            super().resumed(label, resumed)
            self._last[label] = resumed.results[-1]

    def note(self, text: str) -> None:
        """Print something above the display."""
        from rich.text import Text

        self._console.print(Text(text))

    def _render(self) -> "RenderableType":
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        with self._lock:
            pace, now = self._pace, time.monotonic()
            if pace is None:
                return Text()
            whole = Table.grid(padding=(0, 1))
            whole.add_row(
                Text(self._title, style="bold"),
                _bar(pace.share, style="green"),
                f"{pace.done} of {pace.to_do}",
                Text(pace.time_left(now), style="cyan"),
            )
            rows = Table.grid(padding=(0, 2))
            for label in pace.running[: max(self._console.height - 3, 1)]:
                rows.add_row(*self._row(label, pace))
            return Group(whole, rows)

    def _row(self, label: str, pace: Pace) -> "list[RenderableType]":
        from rich.text import Text

        done, total = pace.epochs(label)
        bar = _bar(done / total if total else 0.0, style="blue", width=_BAR // 2)
        name = Text(f"  {label}{_on(self._where.get(label))}")
        if not total:
            return [name, "", "", "", ""]
        scores = _scores(self._last[label]) if label in self._last and done else ["", ""]
        return [name, bar, f"epoch {done}/{total}", *scores]


def _bar(share: float, *, style: str, width: int = _BAR) -> "RenderableType":
    from rich.progress_bar import ProgressBar

    return ProgressBar(
        total=1.0, completed=share, width=width, complete_style=style, finished_style=style
    )
