"""A Watcher that knows how far a stage is: what all ways to show it have in common."""

import time
from collections.abc import Sequence
from threading import RLock

from bakeoff.study.progress.pace import Pace
from bakeoff.utils.events import EpochResult, Planned, Resumed, Watcher


class PacedWatcher(Watcher):
    """Keeps the pace of the stage; a subclass shows it.

    Who shows it may be another thread: `_lock` is held wherever the pace changes.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._title = ""
        self._pace: Pace | None = None  # before the first stage, and in one without jobs

    def begin(self, title: str, jobs: Sequence[Planned]) -> None:
        """Begin a stage with a pace of its own."""
        with self._lock:
            self._title, self._pace = title, Pace(jobs) if jobs else None

    def planned(self, job: Planned) -> None:
        """Put a job in the place of what was planned before."""
        with self._lock:
            if self._pace:
                self._pace.planned(job)

    def started(self, label: str, where: str | None = None) -> None:
        """Begin to wait for a job."""
        with self._lock:
            if self._pace:
                self._pace.started(label, time.monotonic())

    def epoch(self, label: str, result: EpochResult) -> None:
        """Count an epoch."""
        with self._lock:
            if self._pace:
                self._pace.epoch(label, time.monotonic())

    def resumed(self, label: str, resumed: Resumed) -> None:
        """Count the epochs that were trained before."""
        with self._lock:
            if self._pace:
                self._pace.resumed(label, len(resumed.results))

    def finished(self, label: str) -> None:
        """Count a job."""
        with self._lock:
            if self._pace:
                self._pace.finished(label)

    def lost(self, label: str) -> None:
        """Take a lost job out of the count."""
        with self._lock:
            if self._pace:
                self._pace.lost(label)
