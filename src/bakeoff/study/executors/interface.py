"""What an executor is given and what it gives back: jobs, and those that were lost."""

from dataclasses import dataclass
from typing import Any, Protocol


class Job(Protocol):
    """What a worker can do; study/jobs.py has them."""

    @property
    def label(self) -> str:
        """What it is called in messages; no two jobs of a run share one."""

    @property
    def affinity(self) -> str:
        """Jobs of the same affinity share compiled programs and so prefer the same worker."""

    def run(self, on_epoch: Any) -> None:
        """Do it."""


@dataclass(frozen=True)
class Lost:
    """A job that could not be done, and the last reason."""

    label: str
    reason: str
