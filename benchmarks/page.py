"""The JSON document in, docs/benchmarks.md out: tables, and sentences that follow from them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bakeoff.utils import text
from benchmarks.summary import missed

TEMPLATES = Path(__file__).parent / "templates"
AXES = {
    "images": "images (MNIST repeated)",
    "epochs": "epochs",
    "seeds": "seeds, one after the other",
    "width": "units in both layers",
    "pixels": "pixels a side, 28 before",
    "channels": "channels, 1 before",
    "classes": "classes, 10 before",
}

Plain = Mapping[str, Any]


def page(document: Plain) -> str:
    """Return docs/benchmarks.md."""
    return (
        _environment()
        .get_template("page.md.j2")
        .render(
            **document, missed=missed(dict(document)), unmeasured=unmeasured(document), axes=AXES
        )
    )


def unmeasured(document: Plain) -> list[str]:
    """Return what the page has a place for and no numbers yet."""
    lacking = []
    for workload in document["workloads"]:
        if not workload["contestants"]:
            lacking.append(f"throughput of `{workload['name']}`")
        if not workload["accuracy"] and workload.get("compared", True):
            lacking.append(f"accuracy of `{workload['name']}`")
    names = {
        "digits": "the digits study",
        "start": "the start",
        "scaling": "growth",
        "studies": "growth of whole studies",
        "comparing": "comparing",
    }
    return lacking + [name for key, name in names.items() if not document[key]]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown of our own making
    )
    environment.filters.update(
        commas=lambda value: f"{value:,.0f}",
        speed=speed,
        percent=lambda share: f"{100 * share:.0f} %",
        accuracy=text.percent,
        points=text.points,
        megabytes=lambda value: f"{value / 1e6:,.0f} MB",
        giga=lambda value: f"{value / 1e9:,.0f}",
        duration=text.duration,
        times=lambda value: f"{value:.2f} ×",
        range=lambda pair: f"{pair[0]:.2f}–{pair[1]:.2f}",
        settings=settings,
        met=lambda value: {None: "", True: "yes", False: "**no**"}[value],
        listed=text.listed,
    )
    return environment


def speed(value: float) -> str:
    """Return steps a second, or trials an hour, with three digits: "1,230", "45.6", "0.789"."""
    digits = max(0, 3 - len(f"{int(value)}")) if value >= 1 else 3
    return f"{value:,.{digits}f}"


def settings(declared: Plain) -> str:
    """Return settings in words: "jit, 16 steps at a time"; "–" where there are none."""
    found = []
    for name, value in declared.items():
        if name == "steps":
            found += [f"{value} steps at a time"] if value > 1 else []
        elif isinstance(value, bool):
            found.append(name if value else f"no {name}")
        else:
            found.append(str(value).replace("_", " "))
    return ", ".join(found) or "–"
