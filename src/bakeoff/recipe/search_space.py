"""The choices that a model of a recipe leaves open: where they stand, and the model of one setting.

A choice stands wherever a value of a model may stand:

    {log: [0.0001, 0.01]}       a number, the same chance for every ratio
    {uniform: [0, 0.5]}         a number
    {whole: [1, 4]}             a whole number, both ends included
    {choice: [64, 128, 256]}    one of these; they may hold choices of their own

and among layers `{repeat: {whole: [1, 3], layers: […]}}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bakeoff.recipe.dimension import FORMS, Dimension, Setting, When
from bakeoff.recipe.value_kinds import Misfit, as_number, as_whole, found, inside

REPEAT = "repeat"
MOST_OPTIONS = 100
MOST_CHOICES = 50
MOST_REPEATS = 100


def has_choices(raw: object) -> bool:
    """Say whether a model, as YAML gives it, leaves something open."""
    if is_choice(raw) or is_repeat(raw):
        return True
    if isinstance(raw, Mapping):
        return any(map(has_choices, raw.values()))
    return isinstance(raw, list | tuple) and any(map(has_choices, raw))


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
    dims = tuple(_walk(raw, "", ()))
    if len(dims) > MOST_CHOICES:
        raise Misfit(f"expected at most {MOST_CHOICES} choices, found {len(dims)}")
    return dims


def filled(raw: Any, setting: Setting, place: str = "") -> Any:
    """Return a model without choices: each has the value that the setting gives its place."""
    if is_choice(raw):
        (kind, options), *_ = raw.items()
        value = setting[place]
        if kind != "choice":
            return value
        return filled(options[int(value)], setting, f"{place}.choice[{int(value) + 1}]")
    if isinstance(raw, Mapping):
        return {key: filled(each, setting, _key(place, key)) for key, each in raw.items()}
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


def _choice(raw: Any, place: str, when: tuple[When, ...]) -> Iterator[Dimension]:
    (kind, values), *_ = raw.items()
    if kind != "choice":
        low, high = inside(f"{place}.{kind}", _range, kind, values)
        yield Dimension(place, kind, low, high, when=when)
        return
    inside(f"{place}.choice", _require_options, values)
    yield Dimension(place, kind, options=tuple(values), when=when)
    for which, option in enumerate(values):
        here = f"{place}.choice[{which + 1}]"
        if is_repeat(option):
            text = "expected repeat in a list of layers, found it alone: write [{repeat: …}]"
            raise Misfit(text, inside=here)
        yield from _walk(option, here, (*when, (place, which)))


def _require_options(values: Sequence[Any]) -> None:
    """Refuse options that are too few, too many, or there twice."""
    if not 2 <= len(values) <= MOST_OPTIONS:
        raise Misfit(f"expected 2 to {MOST_OPTIONS} options, found {found(values)}")
    seen = [_alike(each) for each in values]
    for which, option in enumerate(values):
        if seen[which] in seen[:which]:
            text = f"expected different options, found {_twice(seen, which, option)}"
            raise Misfit(text)


def _range(kind: str, values: Sequence[Any]) -> tuple[float, float]:
    """Read the two ends of a range."""
    read = as_whole if kind == "whole" else as_number
    ends = [read(each) for each in values]
    good = len(ends) == 2 and None not in ends and ends[0] < ends[1]  # type: ignore[operator]
    if not good or (kind == "log" and not ends[0] > 0):  # type: ignore[operator]
        what = {"log": "two numbers above 0", "whole": "two whole numbers"}.get(kind, "two numbers")
        have = f"{values}" if len(values) < 5 else found(values)
        raise Misfit(f"expected {what}, the smaller one first, found {have}")
    return float(ends[0] or 0), float(ends[1] or 0)


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
