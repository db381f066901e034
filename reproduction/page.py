"""The JSON document in, docs/reproduction.md out: prose with its numbers filled in.

Every result in the prose, words included, follows from the document; the templates know the five
documents, and not what came out.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bakeoff.errors import UsageError
from bakeoff.report.words import wording
from bakeoff.utils.text import counted, duration, listed, percent, points, signed_points

TEMPLATES = Path(__file__).parent / "templates"
SECTIONS = (
    "models",
    "outside",
    "choosing",
    "separable",
    "winner",
    "classes",
    "seen",
    "production",
    "tables",
    "slow",
    "best",
)

Plain = Mapping[str, Any]


def page(document: Plain) -> str:
    """Return docs/reproduction.md."""
    return _render("page", document)


def section(document: Plain, name: str) -> str:
    """Return one section of it.

    Raises
    ------
    UsageError
        If there is no section of that name.
    """
    if name not in SECTIONS:
        raise UsageError(f"expected a section ({', '.join(SECTIONS)}), found {name!r}")
    return _render(name, document)


def _render(name: str, document: Plain) -> str:
    text = _environment().get_template(f"{name}.md.j2").render(**document)
    text = re.sub(r"[ \t]+\n", "\n", text)
    text = re.sub(r"\n+(#+ )", r"\n\n\1", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # Markdown of our own making: names are checked, sentences are Bakeoff's
    )
    environment.filters.update(
        percent=percent,
        points=points,
        signed_points=signed_points,
        distance=lambda value: points(abs(value)),
        interval=_interval,
        range=_range,
        mean=_mean,
        moved=_moved,
        moved_short=_moved_short,
        commas=lambda value: f"{value:,}",
        duration=duration,
        listed=_listed,
        quoted=lambda names: listed([f"`{name}`" for name in names]),
        counted=counted,
        seeds=_seeds,
        loss=wording.loss,
        others=lambda pairs: [pair["other"] for pair in pairs],
        number=_number,
    )
    environment.globals["sections"] = SECTIONS
    return environment


def _interval(pair: Sequence[float]) -> str:
    """Return two shares as percent: "98.10–98.31"."""
    return f"{100 * pair[0]:.2f}–{100 * pair[1]:.2f}"


def _range(pair: Sequence[float]) -> str:
    """Return two differences in points: "−0.02 to +0.11"."""
    return f"{signed_points(pair[0])} to {signed_points(pair[1])}"


def _mean(score: Plain | None) -> str:
    """Return a score with its interval: "98.21 [98.10–98.31]"."""
    return "–" if score is None else f"{100 * score['mean']:.2f} [{_interval(score['ci'])}]"


def _moved(mean: Plain) -> str:
    """Return a difference with its interval: "+0.12 points (95 % interval +0.05 to +0.19)"."""
    low, high = signed_points(mean["low"]), signed_points(mean["high"])
    return f"{signed_points(mean['mean'])} points (95 % interval {low} to {high})"


def _moved_short(mean: Plain) -> str:
    """Return a difference with its interval, for a table: "+0.12 [+0.05 to +0.19]"."""
    return f"{signed_points(mean['mean'])} [{_range((mean['low'], mean['high']))}]"


def _listed(items: Sequence[object]) -> str:
    return listed(items) if items else "none"


def _seeds(counts: Sequence[int]) -> str:
    low, high = counts
    return counted(low, "seed") if low == high else f"{low} to {high} seeds"


def _number(value: int) -> str:
    """Return a small number as a word, as prose has it."""
    names = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    return names[value] if value < len(names) else f"{value:,}"
