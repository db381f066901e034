"""Numbers, lists, names and times as a reader sees them: one way for each. Nothing is computed."""

import math
import os
import re
import shlex
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, Literal

from bakeoff.errors import printable

_LETTERS = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"  # Hebrew, Arabic, Syriac, Thaana, N'Ko
_RIGHT_TO_LEFT = re.compile(f"[{_LETTERS}](?:[{_LETTERS}\\s0-9_-]*[{_LETTERS}])?")
_NAMED = 3  # items of a list that are named; the rest is counted
_BORDER = 0.05  # of p-values
_ROUNDING = {"nearest": ROUND_HALF_EVEN, "up": ROUND_CEILING, "down": ROUND_FLOOR}

# Of a bound that is claimed: up where a number is said to stay below it, else down.
Rounding = Literal["nearest", "up", "down"]


def shown(name: str | os.PathLike[str], *, limit: int = 200) -> str:
    """Return a path or a name as a message may show it: one line, not too long."""
    text = printable(os.fspath(name))
    return text if len(text) <= limit else f"…{text[1 - limit :]}"


def isolated(text: str) -> str:
    """Return text whose words from right to left do not turn around what stands beside them.

    Such words are put between Unicode's marks of isolation (first strong isolate, pop).
    """
    return _RIGHT_TO_LEFT.sub("\u2068\\g<0>\u2069", text)


def percent(share: float, digits: int = 2, rounding: Rounding = "nearest") -> str:
    """Return a fraction as percent: 0.9177 → "91.77 %"."""
    return f"{_hundredfold(share, digits, rounding)} %"


def probability(share: float, digits: int = 1) -> str:
    """Return a predicted probability as percent, never as certainty: "99.8 %", ">99.9 %"."""
    least = 10.0**-digits
    if (shown := percent(share, digits)) == percent(1, digits):
        return f">{100 - least:.{digits}f} %"
    return f"<{least:.{digits}f} %" if shown == percent(0, digits) else shown


def points(difference: float, digits: int = 2, rounding: Rounding = "nearest") -> str:
    """Return a difference of fractions in points, with a true minus: "2.17", "−0.41"."""
    return _hundredfold(difference, digits, rounding).replace("-", "−")


def _hundredfold(share: float, digits: int, rounding: Rounding) -> str:
    if rounding == "nearest" or not math.isfinite(share):
        return f"{100 * share:.{digits}f}"
    exact = Decimal(f"{100 * share:.12g}")  # what floating point added to 0.0042 is no reason
    return f"{exact.quantize(Decimal(1).scaleb(-digits), _ROUNDING[rounding]) + 0:f}"


def decimals(declared: float) -> int:
    """Return how many decimals show what was declared, in points, as it is: at least two."""
    exponent = Decimal(f"{100 * declared:.12g}").as_tuple().exponent
    return max(2, -int(exponent))


def declared_points(share: float) -> str:
    """Return a declared difference in points, not rounded: "0.50", "0.025"."""
    return points(share, decimals(share))


def signed_points(difference: float) -> str:
    """Return a difference of fractions in points with its sign: "+2.17", "−0.41"."""
    return f"{100 * difference:+.2f}".replace("-", "−")


def number(value: float, digits: int = 3, *, zeros: bool = False) -> str:
    """Return a number with so many significant digits: "0.0123", "1,042", "0.0000313", "1.04e12".

    Zeros at the end are left out, or kept with `zeros`.
    """
    size = abs(value)
    if size >= 10**digits - 0.5 or 0 < size < 1e-9 or not math.isfinite(value):
        text = f"{value:,.0f}" if 1 < size < 1e9 else f"{value:.{digits - 1}e}".replace("e+", "e")
    else:
        import numpy as np  # half of what `--help` would take

        text = np.format_float_positional(
            value, precision=digits, unique=False, fractional=False, trim="k" if zeros else "-"
        )
    return text.replace("-", "−")


def p_value(p: float) -> str:
    """Return a p-value with its sign: "= 0.013", "< 0.001"; beside the border "= 0.0498"."""
    digits = 3
    while p != _BORDER and float(f"{p:.{digits}f}") == _BORDER:
        digits += 1
    return "< 0.001" if p < 0.001 else f"= {p:.{digits}f}"


def ratio(larger: float, smaller: float) -> str:
    """Return how many times as large one number is: "7.36", "2,000"; "" where it makes no sense."""
    if smaller <= 0:
        return ""
    times = larger / smaller
    return f"{times:,.0f}" if times >= 100 else f"{times:.3g}"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun: "1 seed", "10,000 test images"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def duration(seconds: float | None, *, rough: bool = False) -> str:
    """Return a time in the unit one would say it in: "0.31 ms", "4.2 s", "7.5 min", "2.1 h".

    "–" where it was not measured.

    rough : of an estimate: seconds are whole, and at least one
    """
    if seconds is None:
        return "–"
    if rough:
        seconds = max(1.0, seconds)
    if seconds < 0.0995:
        return f"{number(1000 * seconds, 2)} ms"
    if seconds < 9.95 and not rough:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min" if seconds >= 600 else f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def listed(items: Iterable[object], *, last: str = "and") -> str:
    """Join items as a sentence does: "a, b and c"."""
    words = [str(item) for item in items]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def some(items: Sequence[str]) -> str:
    """Return the first few of a list and the number of the others."""
    if len(items) <= _NAMED:
        return listed(items)
    return f"{', '.join(items[:_NAMED])} and {len(items) - _NAMED:,} more"


def natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return a key that sorts numbers by value, before letters, and letters without case."""
    found = re.findall(r"[0-9]+|[^0-9]+", name)
    return [
        (0, int(piece), "") if piece[0] in "0123456789" else (1, 0, piece.casefold())
        for piece in found
    ], name


def sentence(text: str) -> str:
    """Return a text with one full stop at its end."""
    text = text.strip()
    return text if text[-1:] in (".", "!", "?") else text + "."


def whole_numbers(values: Sequence[int], *, shortest: int = 3) -> str:
    """Return ascending whole numbers with runs joined: (0, 1, 2, 5) → "0–2, 5".

    shortest : how many numbers make a run
    """
    runs: list[list[int]] = []
    for value in sorted(values):
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(
        f"{run[0]}–{run[-1]}" if len(run) >= shortest else ", ".join(map(str, run)) for run in runs
    )


def shell_command(*words: str | os.PathLike[str]) -> str:
    """Return what to type in a shell to run Bakeoff with these words."""
    return shlex.join(["bakeoff", *(str(word) for word in words)])


def docstring(of: Any) -> str:
    """Return the docstring of a function or class, also where Python has dropped it.

    PYTHONOPTIMIZE=2 drops docstrings, and with them help texts: then it is read from the source.
    """
    import ast
    import inspect

    found = inspect.getdoc(of)
    if found is not None:
        return found
    try:
        module = ast.parse(Path(inspect.getsourcefile(of) or "").read_text(encoding="utf-8"))
    except (OSError, TypeError):  # no source: a zip file, or a builtin
        return ""
    kinds = (ast.FunctionDef, ast.ClassDef)
    for node in ast.walk(module):
        if isinstance(node, kinds) and node.name == of.__name__:
            return ast.get_docstring(node) or ""
    return ""
