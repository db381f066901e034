"""The choices that a model of a recipe leaves open: where they stand, and the model of one setting.

A choice stands wherever a value of a model may stand:

    {log: [0.0001, 0.01]}       a number, the same chance for every ratio
    {uniform: [0, 0.5]}         a number
    {whole: [1, 4]}             a whole number, both ends included
    {choice: [64, 128, 256]}    one of these; they may hold choices of their own

and among layers `{repeat: {whole: [1, 3], layers: […]}}`. A setting gives each choice a value by
its place ("layers[2].dense.units"): the number itself, or which of the options, counted from 0.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bakeoff.recipe.option_words import tell_apart
from bakeoff.recipe.value_kinds import Misfit, as_number, as_whole, found

FORMS = ("log", "uniform", "whole", "choice")
REPEAT = "repeat"
MOST_OPTIONS = 100
MOST_CHOICES = 50
MOST_REPEATS = 100
_DIGITS = 6  # of a number that is drawn: more say nothing, and are hard to read

_WHICH = re.compile(r"\.choice\[\d+\]")
_RATE = re.compile(r"\blearning_rate$")

When = tuple[str, int | None]
Setting = Mapping[str, float | int]


@dataclass(frozen=True)
class Dimension:
    """One choice; `when` says in which options of other choices it stands: (place, which).

    Of a block that may be left out, which is None: it has to be repeated at all.
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
        """How many values there are; None where there is no end of them."""
        if self.kind == "choice":
            return len(self.options)
        return int(self.high - self.low) + 1 if self.kind == "whole" else None

    def holds(self, value: float | int) -> bool:
        """Say whether a value lies in the range, or is one of the options."""
        if self.kind == "choice":
            return 0 <= value < len(self.options)
        return self.low <= value <= self.high

    def at(self, share: float) -> float | int:
        """Return the value that so large a share of the range lies below; share in [0, 1]."""
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


def has_choices(raw: object) -> bool:
    """Say whether a model, as YAML gives it, leaves something open."""
    if is_choice(raw) or is_repeat(raw):
        return True
    inside: Iterable[object] = ()
    if isinstance(raw, Mapping):
        inside = raw.values()
    elif isinstance(raw, list | tuple):
        inside = raw
    return any(has_choices(each) for each in inside)


def is_choice(raw: object) -> bool:
    """Say whether this is a choice: one of FORMS with a list."""
    if not isinstance(raw, Mapping) or len(raw) != 1:
        return False
    (key, value), *_ = raw.items()
    return key in FORMS and _listed(value)


def is_repeat(raw: object) -> bool:
    """Say whether this is a repeated block of layers."""
    return isinstance(raw, Mapping) and list(raw) == [REPEAT]


def dimensions(raw: object) -> tuple[Dimension, ...]:
    """Return every choice of a model, as YAML gives it; Misfit where one cannot be read."""
    found_ = tuple(_walk(raw, "", ()))
    if len(found_) > MOST_CHOICES:
        raise Misfit(f"expected at most {MOST_CHOICES} choices, found {len(found_)}")
    return found_


def filled(raw: Any, setting: Setting, place: str = "") -> Any:
    """Return a model without choices: each has the value that the setting gives its place."""
    if is_choice(raw):
        (kind, options), *_ = raw.items()
        value = setting[place]
        if kind != "choice":
            return value
        return filled(options[int(value)], setting, f"{place}.choice[{int(value) + 1}]")
    if isinstance(raw, Mapping):
        inside = {key: filled(each, setting, _key(place, key)) for key, each in raw.items()}
        return inside
    if not _listed(raw):
        return raw
    items: list[Any] = []
    for number, each in enumerate(raw, start=1):
        here = f"{place}[{number}]"
        if is_repeat(each):
            block = f"{here}.{REPEAT}"
            times = filled(_times(each[REPEAT]), setting, block)
            if int(times):  # else its choices have no values
                items += filled(each[REPEAT]["layers"], setting, f"{block}.layers") * int(times)
        else:
            made = filled(each, setting, here)
            several = is_choice(each) and _listed(made)  # one of its options is several layers
            items += made if several else [made]
    return items


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
    """Return the setting in the middle of all choices; it says more than it has to make."""
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
    found_ = dict(start or middle(dims))
    most = size(found_)
    for each in dims:
        for value in each.ends if each.is_whole else ():
            there = {**found_, each.place: value}
            if (now := size(there)) > most:
                found_, most = there, now
    return found_


def _walk(raw: object, place: str, when: tuple[When, ...]) -> Iterator[Dimension]:
    if is_choice(raw):
        yield from _choice(raw, place, when)
    elif isinstance(raw, Mapping):
        for key, each in raw.items():
            yield from _walk(each, _key(place, key), when)
    elif isinstance(raw, list | tuple):
        for number, each in enumerate(raw, start=1):
            here = f"{place}[{number}]"
            if is_repeat(each):
                yield from _repeat(each[REPEAT], f"{here}.{REPEAT}", when)
            else:
                yield from _walk(each, here, when)


def _alike(option: Any) -> str:
    """Return the same text for options that say the same, also where they are mappings."""
    return json.dumps(option, sort_keys=True, default=str)


def _twice(seen: Sequence[str], which: int, option: Any) -> str:
    """Say which option is there twice: by itself where that is short, else by their numbers."""
    if not isinstance(option, Mapping | list | tuple):
        return f"{found(option)} twice"
    return f"options {seen.index(seen[which]) + 1} and {which + 1}, which say the same"


def most_settings(dims: Sequence[Dimension], when: tuple[When, ...] = ()) -> int | None:
    """Return how many different settings there are at most; None where there is no end of them.

    when : of the choices that stand there alone, and of those inside them
    """
    total = 1
    for each in dims:
        if each.when != when:
            continue
        options = range(len(each.options)) if each.kind == "choice" else (None,)
        inside = [most_settings(dims, (*when, (each.place, which))) for which in options]
        if each.count is None or None in inside:
            return None
        known = sum(count or 0 for count in inside)
        total *= known if each.kind == "choice" else 1 + (each.count - 1) * known
    return total


def _choice(raw: Any, place: str, when: tuple[When, ...]) -> Iterator[Dimension]:
    (kind, values), *_ = raw.items()
    if kind == "choice":
        if not 2 <= len(values) <= MOST_OPTIONS:
            raise Misfit(
                f"expected 2 to {MOST_OPTIONS} options, found {found(values)}",
                inside=f"{place}.choice",
            )
        seen = [_alike(each) for each in values]
        for which, option in enumerate(values):
            if seen[which] in seen[:which]:
                text = f"expected different options, found {_twice(seen, which, option)}"
                raise Misfit(text, inside=f"{place}.choice")
        yield Dimension(place, kind, options=tuple(values), when=when)
        for which, option in enumerate(values):
            here = f"{place}.choice[{which + 1}]"
            if is_repeat(option):
                text = "expected repeat in a list of layers, found it alone: write [{repeat: …}]"
                raise Misfit(text, inside=here)
            yield from _walk(option, here, (*when, (place, which)))
        return
    read = as_whole if kind == "whole" else as_number
    ends = [read(each) for each in values]
    good = len(ends) == 2 and None not in ends and ends[0] < ends[1]  # type: ignore[operator]
    if not good or (kind == "log" and not ends[0] > 0):  # type: ignore[operator]
        what = {"log": "two numbers above 0", "whole": "two whole numbers"}.get(kind, "two numbers")
        have = f"{values}" if len(values) < 5 else found(values)
        raise Misfit(
            f"expected {what}, the smaller one first, found {have}", inside=f"{place}.{kind}"
        )
    yield Dimension(place, kind, float(ends[0] or 0), float(ends[1] or 0), when=when)


def _repeat(raw: object, place: str, when: tuple[When, ...]) -> Iterator[Dimension]:
    example = "{whole: [1, 3], layers: […]}"
    if not isinstance(raw, Mapping) or not _listed(raw.get("layers")) or len(raw) != 2:
        raise Misfit(f"expected a repeat such as {example}, found {found(raw)}", inside=place)
    times = _times(raw)
    if not is_choice(times) or not set(times) <= {"whole", "choice"}:
        raise Misfit(f"expected a repeat such as {example}, found another form", inside=place)
    for each in _choice(times, place, when):
        whole = each.kind == "whole"
        counts = [as_whole(c) for c in ((int(each.low), int(each.high)) if whole else each.options)]
        if any(count is None or not 0 <= count <= MOST_REPEATS for count in counts):
            text = f"expected to repeat 0 to {MOST_REPEATS} times, found another number"
            raise Misfit(text, inside=place)
        yield each
    at_all = ((place, None),) if "whole" in times and not each.low else ()
    yield from _walk(raw["layers"], f"{place}.layers", (*when, *at_all))


def _times(block: Mapping[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in block.items() if key != "layers"}


def _key(place: str, key: object) -> str:
    return f"{place}.{key}" if place else str(key)


def _listed(raw: object) -> bool:
    return isinstance(raw, list | tuple)
