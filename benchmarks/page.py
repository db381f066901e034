"""The JSON document in, docs/benchmarks.md out: tables, and sentences that follow from them."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bakeoff.utils import text
from benchmarks.targets import missed

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


def page(document: Plain, others: Sequence[Plain] = ()) -> str:
    """Return docs/benchmarks.md, or the page of another machine.

    others : the documents of other machines, to which the first page leads
    """
    workloads = document["workloads"]
    return (
        _environment()
        .get_template("page.md.j2")
        .render(
            **{"name": None, "ynnpack_held": False, **document},
            missed=missed(dict(document)),
            unmeasured=unmeasured(document),
            axes=AXES,
            file=file_of(document.get("name")),
            others=[(file_of(each["name"]), each["machine"]["processor"]) for each in others],
            ours={each["name"] for workload in workloads for each in workload["ours"]},
            held=any(each.get("held") for one in workloads for each in one["contestants"]),
            large_pages=_with_large_pages(workloads),
        )
    )


def _with_large_pages(workloads: Sequence[Plain]) -> list[str]:
    """Return the names of workloads in which everybody asked for large pages of memory."""
    found = {
        one["name"]: [row.get("large_pages") for row in one["contestants"]] for one in workloads
    }
    return [name for name, rows in found.items() if rows and all(rows)]


def file_of(name: str | None) -> str:
    """Return what the files of a machine's document are called, without their endings."""
    return f"benchmarks-{name}" if name else "benchmarks"


def others(folder: Path) -> list[Plain]:
    """Return the documents of other machines that lie in a folder."""
    return [json.loads(each.read_text("utf-8")) for each in sorted(folder.glob(file_of("*.json")))]


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


def limits(ours: Sequence[Plain]) -> dict[str | None, Plain]:
    """Return the limits that rows of a workload are fractions of, by what they are held to."""
    found: dict[str | None, Plain] = {}
    for each in ours:
        if each["limit"]:
            found.setdefault(each["limit"].get("held"), each["limit"])
    return found


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
        limits=limits,
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
