"""One choice of a search, a dimension of its space; and the settings that several choices have.

A setting gives each choice a value by its place ("layers[2].dense.units"): the number itself, or
which of the options, counted from 0.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bakeoff.recipe.option_words import tell_apart
from bakeoff.recipe.value_kinds import as_number

FORMS = ("log", "uniform", "whole", "choice")
_DIGITS = 6  # of a number that is drawn: more say nothing, and are hard to read
_WHICH = re.compile(r"\.choice\[\d+\]")
_RATE = re.compile(r"\blearning_rate$")

When = tuple[str, int | None]
Setting = Mapping[str, float | int]


@dataclass(frozen=True)
class Dimension:
    """One choice; `when` names the options of other choices that it stands in: (place, which).

    Inside a block that may be repeated 0 times, `which` is None: any number above 0.
    """

    place: str
    kind: str  # one of FORMS
    low: float = 0.0
    high: float = 0.0
    options: tuple[Any, ...] = ()
    when: tuple[When, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers."""
        return self.kind in ("whole", "choice")

    @property
    def count(self) -> int | None:
        """How many values there are; None of a range of real numbers."""
        if self.kind == "choice":
            return len(self.options)
        return int(self.high - self.low) + 1 if self.kind == "whole" else None

    def holds(self, value: float | int) -> bool:
        """Say whether a value lies in the range, or is one of the options."""
        if self.kind == "choice":
            return 0 <= value < len(self.options)
        return self.low <= value <= self.high

    def at(self, share: float) -> float | int:
        """Return the value at a share of the range, in [0, 1]; options as they are listed."""
        share = min(max(share, 0.0), 1.0)
        if self.kind == "choice":
            return min(int(share * len(self.options)), len(self.options) - 1)
        if self.kind == "whole":
            return int(min(self.low + math.floor(share * (self.high - self.low + 1)), self.high))
        if self.kind == "log":
            between = math.log(self.high) - math.log(self.low)
            return self.rounded(math.exp(math.log(self.low) + share * between))
        return self.rounded(self.low + share * (self.high - self.low))

    @property
    def middle(self) -> float | int:
        """The value in the middle; of a log range the one between by ratio.

        Of an even number of values the lower one of the two in the middle: it mostly trains faster.
        Options that are no numbers have no middle: the first, as people mostly name the usual one.
        """
        if self.kind == "whole":
            return int(self.low + self.high) // 2
        if self.kind != "choice":
            return self.at(0.5)
        ordered = self.ordered
        return ordered[(len(ordered) - 1) // 2] if ordered else 0

    @property
    def ordered(self) -> list[int]:
        """Which options are the lowest number, the next one, …; [] where not all are numbers."""
        numbers = [(number, k) for k, each in enumerate(self.options)
                   if (number := as_number(each)) is not None]  # fmt: skip
        return [k for _, k in sorted(numbers)] if len(numbers) == len(self.options) else []

    @property
    def ends(self) -> tuple[float | int, ...]:
        """The lowest and the highest value; () of options that are no numbers."""
        if self.kind == "choice":
            return tuple(self.ordered[k] for k in (0, -1)) if self.ordered else ()
        return (int(self.low), int(self.high)) if self.is_whole else (self.low, self.high)

    @property
    def upper_quarter(self) -> float | int:
        """The value below which three quarters of a range lie; of options see `middle`."""
        if self.kind != "choice":
            return self.at(0.75)
        ordered = self.ordered
        return ordered[-(-3 * (len(ordered) - 1) // 4)] if ordered else 0

    def share(self, value: float) -> float:
        """Return where in its range a value lies, in [0, 1]."""
        if self.kind == "choice":
            return value / max(1, len(self.options) - 1)
        if self.kind == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def rounded(self, value: float) -> float:
        """Return a number with the digits that count, inside the range."""
        return min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)

    def words(self, value: float | int) -> str:
        """Return a value as a reader sees it: "0.00123", "128", "adam"."""
        if self.kind == "choice":
            return tell_apart(self.options)[int(value)]
        return f"{value:d}" if self.kind == "whole" else f"{value:.3g}"

    @property
    def range_words(self) -> str:
        """The choice as a reader sees it."""
        if self.kind == "choice":
            return ", ".join(tell_apart(self.options))
        low, high = (self.words(int(v) if self.is_whole else v) for v in (self.low, self.high))
        return f"{low} to {high}" + (" (log)" if self.kind == "log" else "")


def short_names(dims: Sequence[Dimension]) -> dict[str, str]:
    """Return a name for every place: as few of its last words as tell it from the others.

    Which option a choice stands in is a word where the others do not tell.
    """
    plain = {each.place: _WHICH.sub("", each.place) for each in dims}
    shared = Counter(plain.values())
    parts = {
        place: (words if shared[words] == 1 else place).split(".") for place, words in plain.items()
    }
    names = {}
    for place, words in parts.items():
        others = [other for key, other in parts.items() if key != place]
        count = 1
        while count < len(words) and any(words[-count:] == each[-count:] for each in others):
            count += 1
        names[place] = ".".join(words[-count:])
    return names


def taken(dims: tuple[Dimension, ...], setting: Setting) -> tuple[Dimension, ...]:
    """Return the choices that play a part in a setting: those inside what it takes."""
    return tuple(
        each
        for each in dims
        if all(
            setting.get(place) == which if which is not None else bool(setting.get(place))
            for place, which in each.when
        )
    )


def fits(dims: tuple[Dimension, ...], setting: Setting) -> bool:
    """Say whether a setting gives a value, inside its range, to each choice that it has to make."""
    known = {each.place: each for each in dims}
    if not set(setting) <= set(known) or any(d.place not in setting for d in taken(dims, setting)):
        return False
    return all(
        (not known[place].is_whole or isinstance(value, int)) and known[place].holds(value)
        for place, value in setting.items()
    )


def middle(dims: Sequence[Dimension]) -> dict[str, float | int]:
    """Return the setting in the middle of all choices, also of those that play no part in it."""
    return {each.place: each.middle for each in dims}


def quicker(dims: Sequence[Dimension]) -> dict[str, float | int]:
    """Return the middle with learning rates that only a quarter of their ranges lies above."""
    rates = {each.place: each.upper_quarter for each in dims if _RATE.search(each.place)}
    return {**middle(dims), **rates}


def largest(
    dims: Sequence[Dimension], size: Callable[[Setting], int], start: Setting | None = None
) -> dict[str, float | int]:
    """Return the middle with every whole number at that end at which the network is larger.

    size : of the network of a setting; 0 where it makes none
    start : instead of the middle, where that makes none
    """
    largest_yet = dict(start or middle(dims))
    most = size(largest_yet)
    for each in dims:
        for value in each.ends if each.is_whole else ():
            setting = {**largest_yet, each.place: value}
            if (now := size(setting)) > most:
                largest_yet, most = setting, now
    return largest_yet


def most_settings(dims: Sequence[Dimension], when: tuple[When, ...] = ()) -> int | None:
    """Return how many different settings there are at most; None if a choice is of real numbers.

    when : of the choices that stand there alone, and of those inside them
    """
    total = 1
    for each in dims:
        if each.when != when:
            continue
        options = range(len(each.options)) if each.kind == "choice" else (None,)
        counts = [most_settings(dims, (*when, (each.place, which))) for which in options]
        if each.count is None or None in counts:
            return None
        known = sum(count or 0 for count in counts)
        total *= known if each.kind == "choice" else 1 + (each.count - 1) * known
    return total
