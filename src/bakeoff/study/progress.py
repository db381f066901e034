"""How far a study is and how long it still takes: a live display, or plain lines where none fits.

`progress()` gives a Watcher that writes to standard error, which is never where results go.
"""

import heapq
import math
import statistics
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import Any, TextIO

from bakeoff.utils.events import Planned, Watcher
from bakeoff.utils.text import duration

_REPLAYED = 0.001  # seconds; epochs that follow each other faster come from a checkpoint
_LONG = 20.0  # seconds; a first epoch this long tells something, though it was compiled, too
_REMEMBERED = 9  # epochs whose lengths are remembered for each model
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

    console = Console(file=stream, force_jupyter=False, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield Lines(stream)
        return
    display = Display(console)
    try:
        yield display
    finally:
        display.close()


# ── how long it takes ────────────────────────────────────────────────────────────────────────


@dataclass
class _Job:
    planned: Planned
    group: str
    epochs: int = 0  # done
    began: float | None = None
    heard: float = 0.0  # when the last epoch ended
    done: bool = False

    @property
    def running(self) -> bool:
        return self.began is not None and not self.done

    @property
    def share(self) -> float:
        if self.done:
            return 1.0
        return min(self.epochs / self.planned.epochs, 1.0) if self.planned.epochs else 0.0


class Pace:
    """How far a stage is, and the seconds left of it; every time is given, none is taken.

    The length of a model's epochs is the median of the last few; that of a model not seen yet
    follows from its share of the costs. What is left is then laid out over as many workers as were
    seen at work at once, so a long trial that begins last counts for what it is.
    """

    def __init__(self, jobs: Sequence[Planned]) -> None:
        self._jobs = {job.label: _Job(job, _group(job.label)) for job in jobs}
        self._lengths: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))
        self._firsts: deque[tuple[str, float]] = deque(maxlen=_REMEMBERED)  # epochs, start included
        self._workers = 1

    @property
    def total(self) -> int:
        """The number of jobs."""
        return len(self._jobs)

    @property
    def done(self) -> int:
        """The number of jobs that are done."""
        return sum(job.done for job in self._jobs.values())

    @property
    def running(self) -> list[str]:
        """The labels of the jobs that somebody is at."""
        return [label for label, job in self._jobs.items() if job.running]

    @property
    def share(self) -> float:
        """The share of the work that is done, in [0, 1]."""
        whole = sum(job.planned.cost for job in self._jobs.values())
        done = sum(job.share * job.planned.cost for job in self._jobs.values())
        return done / whole if whole else 1.0

    def epochs(self, label: str) -> tuple[int, int]:
        """Return how many epochs of a job are done, and of how many."""
        job = self._jobs[label]
        return job.epochs, job.planned.epochs

    def seconds(self, label: str, now: float) -> float:
        """Return how long somebody has been at a job."""
        began = self._jobs[label].began
        return 0.0 if began is None else now - began

    def started(self, label: str, now: float) -> None:
        """Take note that a job begins, perhaps once more."""
        job = self._jobs[label]
        job.epochs, job.began, job.heard = 0, now, now
        self._workers = max(self._workers, len(self.running))

    def epoch(self, label: str, now: float) -> None:
        """Take note of an epoch's end."""
        job = self._jobs[label]
        length, first = now - job.heard, job.epochs == 0
        job.epochs, job.heard = job.epochs + 1, now
        if first:
            self._firsts.append((job.group, length))
        elif length > _REPLAYED:
            self._lengths[job.group].append(length)

    def finished(self, label: str) -> None:
        """Take note that a job is done."""
        self._jobs[label].done = True

    def lost(self, label: str) -> None:
        """Take a job out: nobody will do it."""
        del self._jobs[label]

    def seconds_left(self, now: float) -> float | None:
        """Return how long the stage still takes; None while nothing is known."""
        lengths = {group: statistics.median(seen) for group, seen in self._lengths.items() if seen}
        delays = [first - lengths[group] for group, first in self._firsts if group in lengths]
        delay = max(min(delays, default=0.0), 0.0)
        for group, first in self._firsts:
            if first > _LONG:
                lengths.setdefault(group, first - delay)
        if not lengths:
            return None
        rate = self._rate(lengths)
        busy = [self._left(job, lengths, rate, delay, now) for job in self._active()]
        heap = [*busy, *[0.0] * (self._workers - len(busy))]
        heapq.heapify(heap)
        for job in self._jobs.values():
            if job.began is None and not job.done:
                heapq.heapreplace(heap, heap[0] + self._whole(job, lengths, rate, delay))
        return max(heap)

    def _active(self) -> list[_Job]:
        return [job for job in self._jobs.values() if job.running]

    def _rate(self, lengths: dict[str, float]) -> float:
        """Return seconds per unit of cost, over the models seen so far (their geometric mean)."""
        ratios = {
            job.group: lengths[job.group] * job.planned.epochs / job.planned.cost
            for job in self._jobs.values()
            if job.group in lengths
        }
        return math.exp(statistics.fmean(math.log(ratio) for ratio in ratios.values()))

    def _whole(self, job: _Job, lengths: dict[str, float], rate: float, delay: float) -> float:
        if job.group in lengths:
            return delay + lengths[job.group] * job.planned.epochs
        return delay + rate * job.planned.cost

    def _left(
        self, job: _Job, lengths: dict[str, float], rate: float, delay: float, now: float
    ) -> float:
        if not job.epochs:
            return max(self._whole(job, lengths, rate, delay) - (now - job.heard), 0.0)
        length = lengths.get(job.group, rate * job.planned.cost / job.planned.epochs)
        return max(length * (job.planned.epochs - job.epochs) - (now - job.heard), 0.0)


def _group(label: str) -> str:
    return label.rpartition(" seed ")[0] or label


def _time_left(pace: Pace, now: float) -> str:
    left = pace.seconds_left(now)
    return "" if left is None or left < 0.5 else f"about {duration(left, rough=True)} left"


def _scores(result: Any) -> list[str]:
    """Return an epoch's loss and accuracy, the validation's where there is one."""
    validated = result.val_accuracy is not None
    accuracy = result.val_accuracy if validated else result.accuracy
    return [
        f"loss {result.loss:.4f}",
        f"{'validation' if validated else 'training'} {100 * accuracy:.2f} %",
    ]


# ── two ways to show it ──────────────────────────────────────────────────────────────────────


class Lines(Watcher):
    """A line for every trial that is done: for files, pipes and notebooks."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._pace: Pace | None = None
        self._each = True
        self._last: dict[str, Any] = {}
        self._said = time.monotonic()

    def begin(self, title: str, jobs: Sequence[Planned]) -> None:
        """Say what comes."""
        self._pace = Pace(jobs) if jobs else None
        self._each = any(job.epochs for job in jobs)  # predicting takes no time worth a line each
        if jobs:
            self._say(f"{title}: {len(jobs)} to do")

    def started(self, label: str) -> None:
        """Begin to wait for a job."""
        if self._pace:
            self._pace.started(label, time.monotonic())

    def epoch(self, label: str, result: Any) -> None:
        """Say something if nothing was said for long."""
        if not self._pace:
            return
        now = time.monotonic()
        self._pace.epoch(label, now)
        self._last[label] = result
        if now - self._said > _SILENCE:
            done, total = self._pace.epochs(label)
            words = [f"{label}: epoch {done} of {total}", *_scores(result)]
            self._say(", ".join(words), _time_left(self._pace, now))

    def finished(self, label: str) -> None:
        """Say that a job is done, how it went and how long the others will take."""
        if not self._pace:
            return
        now = time.monotonic()
        self._pace.finished(label)
        if not self._each:
            return
        words = [f"{label} in {duration(self._pace.seconds(label, now), rough=True)}"]
        if label in self._last:
            words += _scores(self._last.pop(label))
        count = f"{self._pace.done} of {self._pace.total} done: "
        self._say(count + ", ".join(words), _time_left(self._pace, now))

    def lost(self, label: str) -> None:
        """Count on a job no longer."""
        if self._pace:
            self._pace.lost(label)

    def note(self, text: str) -> None:
        """Say something a person should read."""
        self._say(text)

    def _say(self, text: str, more: str = "") -> None:
        self._said = time.monotonic()
        self._stream.write(f"{text}; {more}\n" if more else f"{text}\n")
        self._stream.flush()


class Display(Watcher):
    """A bar for the whole and a line for every running trial, drawn again and again."""

    def __init__(self, console: Any) -> None:
        from rich.live import Live

        self._lock = RLock()
        self._console = console
        self._pace: Pace | None = None
        self._title = ""
        self._last: dict[str, Any] = {}
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
            self._title, self._pace = title, Pace(jobs) if jobs else None
            self._last = {}
        self._live.start()

    def started(self, label: str) -> None:
        """Give a job a line."""
        with self._lock:
            if self._pace:
                self._pace.started(label, time.monotonic())

    def epoch(self, label: str, result: Any) -> None:
        """Show an epoch in the job's line."""
        with self._lock:
            if self._pace:
                self._pace.epoch(label, time.monotonic())
                self._last[label] = result

    def finished(self, label: str) -> None:
        """Take a job's line away."""
        with self._lock:
            if self._pace:
                self._pace.finished(label)

    def lost(self, label: str) -> None:
        """Take a job's line away, and the job."""
        with self._lock:
            if self._pace:
                self._pace.lost(label)

    def note(self, text: str) -> None:
        """Print something above the display."""
        from rich.text import Text

        self._console.print(Text(text))

    def _render(self) -> Any:
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
                f"{pace.done} of {pace.total}",
                Text(_time_left(pace, now), style="cyan"),
            )
            rows = Table.grid(padding=(0, 2))
            for label in pace.running[: max(self._console.height - 3, 1)]:
                rows.add_row(*self._row(label, pace))
            return Group(whole, rows)

    def _row(self, label: str, pace: Pace) -> list[Any]:
        from rich.text import Text

        done, total = pace.epochs(label)
        bar = _bar(done / total if total else 0.0, style="blue", width=_BAR // 2)
        if not total:
            return [Text(f"  {label}"), "", "", "", ""]
        scores = _scores(self._last[label]) if label in self._last and done else ["", ""]
        return [Text(f"  {label}"), bar, f"epoch {done}/{total}", *scores]


def _bar(share: float, *, style: str, width: int = _BAR) -> Any:
    from rich.progress_bar import ProgressBar

    return ProgressBar(
        total=1.0, completed=share, width=width, complete_style=style, finished_style=style
    )
