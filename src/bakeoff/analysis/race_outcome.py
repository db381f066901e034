"""What a race came to, as frozen values: whom it dropped, and what was saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class DroppedModel:
    """A model that a race dropped: it was never tested, so only its validation scores are known.

    `difference`: the leader's mean validation accuracy minus its own, at the look that dropped it,
    `p` of that look's test. `not_trained`: trials that were not needed; `saved_seconds`: about how
    long they would have taken.
    """

    name: str
    study: str
    parameters: int
    seeds: tuple[int, ...]
    validation_accuracy: tuple[float, ...]  # one a seed
    seconds_per_trial: float | None
    after: int
    leader: str
    difference: float
    p: float
    not_trained: int
    saved_seconds: float | None


@dataclass(frozen=True)
class Race:
    """A race: after how many seeds it looked, and whom it dropped, the best of them first.

    `trials` were trained by the models of the table and the dropped ones, in `seconds` altogether.
    """

    after: tuple[int, ...]
    delta: float
    dropped: tuple[DroppedModel, ...]
    trials: int
    seconds: float | None

    @property
    def not_trained(self) -> int:
        """The trials that were saved."""
        return sum(model.not_trained for model in self.dropped)

    @property
    def saved_share(self) -> float | None:
        """The share of all training time that was saved, an estimate; None without times."""
        saved = [model.saved_seconds for model in self.dropped]
        known = [each for each in saved if each is not None]
        if self.seconds is None or len(known) < len(saved) or not self.seconds:
            return None
        return sum(known) / (self.seconds + sum(known))

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, for `--json`."""
        return {
            "after": self.after,
            "delta": self.delta,
            "not_trained": self.not_trained,
            "saved_share": self.saved_share,
            "dropped": [
                {name: value for name, value in vars(model).items() if name != "saved_seconds"}
                for model in self.dropped
            ],
        }
