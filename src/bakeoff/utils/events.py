"""What happens while jobs run, and the Watcher that is told of it: a progress bar, or nobody.

It lies here so that a process that only watches loads neither Keras nor JAX.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class EpochResult:
    """One epoch's line of the history; `loss` and `val_loss` include regularization losses."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_cross_entropy: float | None
    val_accuracy: float | None
    learning_rate: float

    @property
    def finite(self) -> bool:
        """Say whether all losses are finite."""
        values = (self.loss, self.val_loss, self.val_cross_entropy)
        return all(value is None or math.isfinite(value) for value in values)


@dataclass(frozen=True)
class Resumed:
    """A trial goes on from a checkpoint: the epochs that it had trained before."""

    results: tuple[EpochResult, ...]


@dataclass(frozen=True)
class OfTrial:
    """An event of one trial, by its label, from a job that trains several together."""

    label: str
    what: EpochResult | Resumed


Event = EpochResult | Resumed | OfTrial
OnEpoch = Callable[[Event], None]  # how a job tells where it is


@dataclass(frozen=True)
class Planned:
    """A job to come; `cost` is its share of the work, in any unit that all jobs have in common.

    selection : the rule that picks its epoch
    model : whose trial it is, which all take as long; "" where it is alone of its kind
    within : seconds from the stage's first job, after which it is not begun any more
    """

    label: str
    epochs: int
    cost: float
    selection: str = "last"
    within: float | None = None
    model: str = ""


class Watcher:
    """Is told of everything and does nothing; override the methods you need."""

    def begin(self, title: str, jobs: Sequence[Planned]) -> None:
        """Hear of the jobs of the next stage ("training", "testing")."""

    def planned(self, job: Planned) -> None:
        """Hear what one of the stage's jobs will be, before it begins, where nobody knew before."""

    def started(self, label: str, where: str | None = None) -> None:
        """Hear that a worker has begun a job; `where` names a cluster's node."""

    def epoch(self, label: str, result: EpochResult) -> None:
        """Hear of a finished epoch."""

    def resumed(self, label: str, resumed: Resumed) -> None:
        """Hear that a job goes on from a checkpoint, before its first new epoch."""

    def told(self, label: str, event: Event) -> None:
        """Hear what the job of this label told, of itself or of one of its trials."""
        if isinstance(event, OfTrial):
            label, event = event.label, event.what
        if isinstance(event, Resumed):
            self.resumed(label, event)
        else:
            self.epoch(label, event)

    def finished(self, label: str) -> None:
        """Hear that a job is done."""

    def lost(self, label: str) -> None:
        """Hear that a job was given up."""

    def note(self, text: str) -> None:
        """Hear something a person should read."""
