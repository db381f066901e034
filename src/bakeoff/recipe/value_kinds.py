"""Kinds of value a recipe may hold: each reads one value, says what it expects, has a JSON Schema.

A kind stands in an annotation, `units: Annotated[int, Whole(1, 1000)]`. Its `read` returns the
value in its one canonical form or raises Misfit with "expected …, found …".
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, TypeVar

from pydantic_core import CoreSchema, core_schema

from bakeoff.recipe.parsing.keras_words import activation_hint, initializer_hint, last_name
from bakeoff.recipe.suggestions import nearest

_NUMBER = re.compile(r"[-+]?([0-9][0-9_]*(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_FEW = 4  # values of a list that are shown
_PLAIN_KEY = re.compile(r"[\w.-]{1,64}")

T = TypeVar("T")


class Misfit(ValueError):
    """A value does not fit; `inside` is where in the value (".l3"), empty for all of it."""

    def __init__(self, text: str, *, inside: str = "") -> None:
        super().__init__(text)
        self.inside = inside


def inside(where: str, read: Callable[..., T], *arguments: Any) -> T:
    """Return read(*arguments); a Misfit says where inside the value it was."""
    try:
        return read(*arguments)
    except Misfit as misfit:
        raise Misfit(str(misfit), inside=where + misfit.inside) from None


def unknown_key(key: object, known: Iterable[str]) -> Misfit:
    """Return the Misfit for a key of a mapping that may have these keys alone."""
    return Misfit(f"unknown key; known: {', '.join(known)}", inside=f".{key_text(key)}")


def found(value: object) -> str:
    """Describe a value in a few words, for the second half of "expected …, found …"."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(value) if abs(int(value)) < 10**15 else "a very large number"
    if isinstance(value, Real):
        return repr(float(value))
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:39] + "…")
    if isinstance(value, Mapping):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        short = 0 < len(value) <= _FEW and all(isinstance(each, Real | str) for each in value)
        many = f"a list of {len(value)}" if value else "an empty list"
        return f"[{', '.join(map(found, value))}]" if short else many
    return f"a {type(value).__name__}"


def key_text(key: object) -> str:
    """Return a mapping's key as it is shown in a place: itself where plain, else shortened."""
    return key if isinstance(key, str) and _PLAIN_KEY.fullmatch(key) else found(key)


def as_whole(value: object) -> int | None:
    """Return a whole number, also one written as text; None for anything else."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and len(value) < 100 and _WHOLE.fullmatch(value):
        return int(value)
    return None


def as_number(value: object) -> float | None:
    """Return a finite number, also one written as text (`1e-3`); None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        text = isinstance(value, str) and len(value) < 100 and _NUMBER.fullmatch(value)
        number = float(value) if isinstance(value, Real) or text else math.nan  # type: ignore[arg-type]
    except OverflowError:
        return None
    return number + 0.0 if math.isfinite(number) else None  # + 0.0 turns -0.0 into 0.0


class Kind:
    """A kind of value: `read`, `words` and `schema`, and what Pydantic needs of it."""

    def read(self, value: object) -> Any:
        """Return the canonical form of `value`; Misfit if it has none."""
        raise NotImplementedError

    def words(self) -> str:
        """Say what is expected, for messages and for the table in the documentation."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of what may be written."""
        raise NotImplementedError

    def refuse(self, value: object) -> Misfit:
        """Return the Misfit for a value that is not of this kind."""
        return Misfit(f"expected {self.words()}, found {found(value)}")

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int

    def read(self, value: object) -> int:
        """Return the number as an int."""
        number = as_whole(value)
        if number is None or not self.low <= number <= self.high:
            raise self.refuse(value)
        return number

    def words(self) -> str:
        """Say the range."""
        return f"a whole number from {self.low:,} to {self.high:,}"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Number(Kind):
    """A finite number from `low` (or only above it) to `high` (or only below it)."""

    low: float | None = None
    high: float | None = None
    above: bool = False
    below: bool = False

    def read(self, value: object) -> float:
        """Return the number as a float."""
        number = as_number(value)
        if number is None or not self._holds(number):
            raise self.refuse(value)
        return number

    def _holds(self, number: float) -> bool:
        low = self.low is None or (number > self.low if self.above else number >= self.low)
        high = self.high is None or (number < self.high if self.below else number <= self.high)
        return low and high

    def words(self) -> str:
        """Say the range."""
        if self.low is None and self.high is None:
            return "a number"
        low = "" if self.low is None else f" {'above' if self.above else 'from'} {self.low:,.10g}"
        if self.high is None:
            return f"a number{low}" + ("" if self.above else " up")
        high = f"{'below' if self.below else 'to'} {self.high:,.10g}"
        if self.above:
            high = f"and below {self.high:,.10g}" if self.below else f"up {high}"
        elif self.below:
            high = f"to {high}"
        return f"a number{low} {high}"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        schema: dict[str, Any] = {"type": ["number", "string"], "pattern": f"^{_NUMBER.pattern}$"}
        if self.low is not None:
            schema["exclusiveMinimum" if self.above else "minimum"] = self.low
        if self.high is not None:
            schema["exclusiveMaximum" if self.below else "maximum"] = self.high
        return schema


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words; `null`, if given, is the word that an empty value stands for.

    aliases : other words, each with the one that it stands for
    """

    options: tuple[str, ...]
    what: str = "one word"
    null: str | None = None
    aliases: tuple[tuple[str, str], ...] = ()

    def read(self, value: object) -> str:
        """Return the word."""
        if value is None and self.null is not None:
            return self.null
        for alias, word in self.aliases:
            if value == alias:
                return word
        if not isinstance(value, str) or value not in self.options:
            called = last_name(value)
            close = nearest(called, self.options)
            hint = f"; did you mean {close}?" if close else ""
            helps = {"an activation": activation_hint, "an initializer": initializer_hint}
            named = helps[self.what](called) if self.what in helps else None
            hint = f"; {named}" if named else hint
            raise Misfit(f"expected {self.words()}, found {found(value)}{hint}")
        return value

    def words(self) -> str:
        """Say the words."""
        return f"{self.what} ({', '.join(self.options)})"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        null = [] if self.null is None else [None]
        return {"enum": [*self.options, *(alias for alias, _ in self.aliases), *null]}


@dataclass(frozen=True)
class Flag(Kind):
    """True or false."""

    def read(self, value: object) -> bool:
        """Return the bool."""
        if not isinstance(value, bool):
            raise self.refuse(value)
        return value

    def words(self) -> str:
        """Say the two."""
        return "true or false"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class Pair(Kind):
    """A height and a width, or one number for both."""

    low: int
    high: int

    def read(self, value: object) -> tuple[int, int]:
        """Return (height, width)."""
        both = value if isinstance(value, list | tuple) else (value, value)
        numbers = [as_whole(each) for each in both]
        if len(numbers) != 2 or any(n is None or not self.low <= n <= self.high for n in numbers):
            raise self.refuse(value)
        return int(numbers[0] or 0), int(numbers[1] or 0)

    def words(self) -> str:
        """Say the range."""
        return f"a whole number from {self.low:,} to {self.high:,}, or [height, width]"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        one = Whole(self.low, self.high).schema()
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 2, "maxItems": 2}]}


@dataclass(frozen=True)
class Axes(Kind):
    """Axes of a layer's input, the batch axis being 0; one number or a list of different ones."""

    def read(self, value: object) -> tuple[int, ...]:
        """Return the axes in ascending order."""
        axes = [as_whole(each) for each in (value if isinstance(value, list | tuple) else [value])]
        good = [axis for axis in axes if axis is not None and 1 <= axis <= 3]
        if not good or len(good) != len(axes) or len(set(good)) != len(good):
            raise self.refuse(value)
        return tuple(sorted(good))

    def words(self) -> str:
        """Say what they are."""
        return "a list of different axes from 1 to 3"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        one = Whole(1, 3).schema()
        many = {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}
        return {"anyOf": [one, many]}


@dataclass(frozen=True)
class Regularizer(Kind):
    """A regularizer: {l1: factor}, {l2: factor} or both. A factor of 0 is left out."""

    def read(self, value: object) -> dict[str, float] | None:
        """Return {"l1": …, "l2": …} with the factors above 0, or None where there are none."""
        if not isinstance(value, Mapping) or not value:
            raise self.refuse(value)
        factors: dict[str, float] = {}
        for key, factor in value.items():
            if key not in ("l1", "l2"):
                raise unknown_key(key, ("l1", "l2"))
            factors[key] = inside(f".{key}", _FACTOR.read, factor)
        return {key: factors[key] for key in ("l1", "l2") if factors.get(key)} or None

    def words(self) -> str:
        """Say the forms."""
        return "{l1: factor}, {l2: factor} or both"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        factors = {"l1": _FACTOR.schema(), "l2": _FACTOR.schema()}
        return {
            "type": "object",
            "properties": factors,
            "additionalProperties": False,
            "minProperties": 1,
        }


_FACTOR = Number(0.0, 1e6)


@dataclass(frozen=True)
class OrNull(Kind):
    """Another kind, or null (the same as leaving the key out where null is the default)."""

    kind: Kind

    def read(self, value: object) -> Any:
        """Return what the other kind reads; None stays None."""
        return None if value is None else self.kind.read(value)

    def words(self) -> str:
        """Say both."""
        return f"{self.kind.words()}, or null"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"anyOf": [self.kind.schema(), {"type": "null"}]}
