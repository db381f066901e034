"""Who wants to know how long work goes on: the command line's progress bar, or nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Planned:
    """A job to come; `cost` is its share of the work, in any unit that all jobs have in common."""

    label: str
    epochs: int
    cost: float


class Watcher:
    """Hears of everything and says nothing; override what you want to hear."""

    def begin(self, title: str, jobs: Sequence[Planned]) -> None:
        """Hear of the jobs of the next stage ("training", "testing")."""

    def started(self, label: str) -> None:
        """Hear that a worker has begun a job."""

    def epoch(self, label: str, result: Any) -> None:
        """Hear of a finished epoch; `result` is an engine.EpochResult."""

    def finished(self, label: str) -> None:
        """Hear that a job is done."""

    def note(self, text: str) -> None:
        """Hear something a person should read."""
