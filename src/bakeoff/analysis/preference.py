"""What a smaller model saves: parameters, or prediction time where a recipe has `prefer: time`.

Times are those of an image in a batch, measured while the test set was opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from bakeoff.recipe.types import Preference
from bakeoff.utils.text import duration, some

# Times that differ by less are equal: measured again, they may change places.
EQUALLY_FAST = 0.1


@dataclass(frozen=True)
class Order:
    """What each model costs, by name; the recommendation prefers less.

    parameters : of each model
    prefer : what the recipe asks for
    seconds : of each model's prediction, where models are ordered by it; else None
    missing : why they are not ordered by time although `prefer` says so; else ""
    """

    parameters: Mapping[str, int]
    prefer: Preference = "parameters"
    seconds: Mapping[str, float] | None = None
    missing: str = ""

    @property
    def by_time(self) -> bool:
        """Whether models are ordered by time."""
        return self.seconds is not None

    def cost(self, name: str) -> float:
        """Return a model's parameters, or the seconds of the fastest model that is as fast.

        From the fastest model on, one that takes less than EQUALLY_FAST longer counts as fast as
        it; the next one is the first of the next such class, and so on.
        """
        if self.seconds is None:
            return float(max(1, self.parameters[name]))
        first = 0.0
        for each in sorted(self.seconds.values()):
            if each >= first * (1 + EQUALLY_FAST):
                first = each
            if each >= self.seconds[name]:
                break
        return first

    def key(self, name: str) -> tuple[float, int]:
        """Return a key that sorts models by cost, and equally fast ones by their parameters."""
        return self.cost(name), self.parameters[name]

    def text(self, name: str) -> str:
        """Return what a model costs, in words: "55,050 parameters", "0.021 ms an image"."""
        if self.seconds is None:
            return f"{self.parameters[name]:,} parameters"
        return f"{duration(self.seconds[name])} an image"


def order(
    parameters: Mapping[str, int],
    seconds: Mapping[str, float | None],
    *,
    prefer: Preference,
    studies: int = 1,
) -> Order:
    """Return the order that a recipe asks for: by parameters where a time is not known.

    Times of several studies were measured apart, perhaps on other machines: they are not used.
    """
    if prefer == "parameters":
        return Order(parameters)
    known = {name: each for name, each in seconds.items() if each}
    lacking = [name for name in parameters if name not in known]
    missing = ""
    if lacking:
        missing = f"the prediction time of {some(lacking)} was not measured"
    if studies > 1:
        missing = "times of several studies were not measured together"
    return Order(parameters, prefer, None if missing else known, missing)


def frontier(models: Sequence[tuple[str, float, float]]) -> list[str]:
    """Return the names of those that no cheaper one equals or beats, cheapest first.

    models : (name, cost, accuracy) of each
    """
    names, best = [], -inf
    for name, _, accuracy in sorted(models, key=lambda each: (each[1], -each[2])):
        if accuracy > best:
            names.append(name)
            best = accuracy
    return names
