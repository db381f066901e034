"""What an executor is given and what it gives back: jobs, and those that were lost."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bakeoff.utils.events import OnEpoch


class Job(Protocol):
    """What a worker can do; study/jobs/job.py has them."""

    @property
    def label(self) -> str:
        """What it is called in messages; no two jobs of a run share one."""

    @property
    def affinity(self) -> str:
        """Jobs of the same affinity share compiled programs and so prefer the same worker."""

    @property
    def runs_user_code(self) -> bool:
        """Whether it runs a builder of the user's, which may leave anything behind."""

    def run(self, on_epoch: OnEpoch) -> None:
        """Do it, and tell of each epoch."""


class MovableJob(Job, Protocol):
    """A job that can be done elsewhere, in a study's folder that holds only what it reads.

    What it reads is brought there before, and what it wrote is brought back to the same places.
    """

    def claimed(self) -> AbstractContextManager[bool]:
        """Hold its locks, and give whether there is anything to do; tidy up after it is done.

        Raises Busy if another process is at it.
        """

    def reads(self) -> Sequence[Path]:
        """Return the files that it reads, as they are now: the newest checkpoints, too."""

    def writes(self) -> Sequence[Path]:
        """Return the folders or files that are there once it is done."""

    def keeps(self) -> Sequence[Path]:
        """Return the folders in which it keeps its checkpoints."""


class Executor(Protocol):
    """A place where jobs are done: processes of this machine, or a cluster."""

    @property
    def size(self) -> int:
        """How many jobs are done at a time."""

    def fit(self, each: int, *, trials: int) -> None:
        """Hear how many bytes the largest of the trials that come takes, and how many they are."""

    def run_jobs(self, jobs: Sequence[MovableJob], more: "More | None" = None) -> "list[Lost]":
        """Do all jobs and return those that were lost; raise what the user or the disk caused.

        more : asked for further jobs as soon as one ends, which are done by the same workers
        """


@dataclass(frozen=True)
class Lost:
    """A job that could not be done, and the last reason."""

    label: str
    reason: str


# Does all jobs and returns those that were lost.
RunJobs = Callable[[Sequence[MovableJob]], list[Lost]]

# Hears that the job of this label is done, or how it was lost; returns jobs to be done besides.
More = Callable[[str, Lost | None], Sequence[MovableJob]]


def labels(job: Job) -> tuple[str, ...]:
    """Return the labels of what a job does: of several trials where it trains them together."""
    return tuple(each.label for each in getattr(job, "jobs", (job,)))
