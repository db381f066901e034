"""Which job is next, and which have failed too often: the bookkeeping that all executors share."""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Sequence
from typing import Any, Generic, TypeVar

from bakeoff.study.executors.interface import Job, Lost, More, labels
from bakeoff.utils.events import Watcher

J = TypeVar("J", bound=Job)
ATTEMPTS = 2
BUSY_SECONDS = 1.0  # until a job that another process is at is asked for again


class JobQueue(Generic[J]):
    """Jobs that wait, in the order in which they came; those that are lost, with their reasons."""

    def __init__(self, watcher: Watcher, *, attempts: int = ATTEMPTS) -> None:
        self._watcher, self._attempts = watcher, attempts
        self._waiting: dict[str, deque[tuple[int, J]]] = defaultdict(deque)  # by affinity
        self._later: list[tuple[float, J]] = []  # busy elsewhere: when to ask again
        self._busy: set[str] = set()  # labels of jobs that others were at
        self._failures: Counter[tuple[str, int]] = Counter()
        self._first, self._last = 0, 0
        self.lost: list[Lost] = []
        self.after_each: More | None = None  # asked for further jobs when one has ended

    def add(self, jobs: Sequence[J]) -> None:
        """Let jobs wait behind those that wait already."""
        for job in jobs:
            self._last += 1
            self._waiting[job.affinity].append((self._last, job))

    @property
    def empty(self) -> bool:
        """Whether nothing waits, now or for later."""
        return not self._waiting and not self._later

    def __len__(self) -> int:
        """Return how many jobs wait for a worker now."""
        return sum(map(len, self._waiting.values()))

    def wake(self) -> None:
        """Let those wait again that others were at a while ago."""
        now = time.monotonic()
        due = [job for when, job in self._later if when <= now]
        if due:
            self._later = [(when, job) for when, job in self._later if when > now]
            self.add(due)

    def next(self, affinity: str | None, taken: Collection[str | None]) -> J | None:
        """Take the next job: of its affinity, else of one that nobody has taken, else the first."""
        if (same := self.more(affinity)) is not None:
            return same
        fresh = [each for each in self._waiting if each not in taken]
        choice = fresh or list(self._waiting)
        if not choice:
            return None
        return self._take(min(choice, key=lambda each: self._waiting[each][0][0]))

    def more(self, affinity: str | None) -> J | None:
        """Take the next job of this affinity, if there is one."""
        return self._take(affinity) if affinity is not None and affinity in self._waiting else None

    def _take(self, affinity: str) -> J:
        jobs = self._waiting[affinity]
        _, job = jobs.popleft()
        if not jobs:
            del self._waiting[affinity]
        return job

    def back(self, job: J) -> None:
        """Put a job that was taken before all others."""
        self._first -= 1
        self._waiting[job.affinity].appendleft((self._first, job))

    def busy(self, job: J) -> None:
        """Put a job off that another process is at."""
        if job.label not in self._busy:
            self._busy.add(job.label)
            self._watcher.note(f"{job.label}: another process is at it; waiting for that")
        self._later.append((time.monotonic() + BUSY_SECONDS, job))

    def done(self, job: J) -> None:
        """Take note that a job is done."""
        for label in labels(job):
            self._watcher.finished(label)
            self._ended(label, None)

    def failed(self, job: J, reason: str, *, attempts: int | None = None) -> None:
        """Take note that a job failed: it is tried again, or lost at the last of its attempts.

        Kinds of failures with other numbers of attempts are counted apart: a node that died says
        nothing of the job.
        """
        attempts = attempts or self._attempts
        self._failures[job.label, attempts] += 1
        if self._failures[job.label, attempts] < attempts:
            self._watcher.note(f"{job.label}: {reason}; trying once more")
            self.back(job)
            return
        if attempts > 1:
            self._watcher.note(f"{job.label}: {reason}; given up, the others go on")
        for label in labels(job):
            lost = Lost(label, reason)
            self._watcher.lost(label)
            self.lost.append(lost)
            self._ended(label, lost)

    def _ended(self, label: str, lost: Lost | None) -> None:
        if self.after_each is not None:
            jobs: Sequence[Any] = self.after_each(label, lost)
            self.add(jobs)
