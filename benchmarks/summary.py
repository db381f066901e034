"""The journal in, one document out: medians, ratios, fractions of the limit, targets met or not."""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from benchmarks import accuracy, comparing, digits, gpu, scaling, start, studies
from benchmarks.contestants import CONTESTANTS, OURS, Arrangement, Contestant, sklearn
from benchmarks.journal import Journal, Line
from benchmarks.workloads import WORKLOADS, Declared, Workload, declared

Plain = dict[str, Any]
FAMILIES = ("keras", "torch")
STRAIGHT = 0.15  # a case may lie this far from the straight line


def summarise(
    journal: Journal, *, machine: Plain, versions: Plain, name: str | None = None
) -> Plain:
    """Return docs/benchmarks.json as plain data; with a name, that of another machine."""
    kinds = ("repeat", "digits", "waits", "scaling", "worker", "studies", "comparing")
    times = sorted(line["at"] for kind in kinds for line in journal.lines(kind))
    document: Plain = rounded(
        {
            "name": name,
            "measured": [times[0], times[-1]] if times else None,
            "machine": machine,
            "versions": versions,
            "ynnpack_held": True,  # until 2026-11-28 it was switched off where others were held
            "workloads": [_workload(each, journal) for each in WORKLOADS],
            "digits": _digits(journal),
            "start": start.table(journal),
            "scaling": _scaling(journal),
            "studies": _studies(journal),
            "comparing": _comparing(journal),
            "gpu": None if name else gpu.measured(),
        }
    )
    return document


def rounded(value: Any) -> Any:
    """Return plain data with four significant digits of every float: what can be meant."""
    if isinstance(value, Mapping):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


# ── throughput ───────────────────────────────────────────────────────────────────────────────


def _workload(workload: Workload, journal: Journal) -> Plain:
    found = declared(workload)
    rows = [
        row
        for contestant in CONTESTANTS
        if not contestant.is_limit
        for row in [_row(workload, found, contestant, journal)]
        if row is not None
    ]
    speeds = speeds_by_repeat(journal.lines("repeat", workload=workload.name))
    return {
        "name": workload.name,
        "recipe": workload.recipe,
        "model": workload.model,
        "batch": found.model.training.batch_size,
        "images": workload.images or found.n_train,
        "all_images": found.n_train,
        "parameters": found.architecture.parameters,
        "steps_per_trial": found.steps_per_trial,
        "contestants": rows,
        "ours": [
            {
                "name": each.name,
                "label": each.label,
                "ratios": {
                    family: _ratio(each, rows, speeds, family, workload.target(each.name, family))
                    for family in FAMILIES
                },
                "limit": _limit(each, workload, journal),
            }
            for each in OURS
            if each.name in speeds
        ],
        "accuracy": _accuracy(workload, journal),
        "compared": bool(workload.epochs),
    }


def _row(
    workload: Workload, found: Declared, contestant: Contestant, journal: Journal
) -> Plain | None:
    """Return a contestant's line of the table; None if it did not take part."""
    where = {"workload": workload.name, "contestant": contestant.name}
    repeats = journal.lines("repeat", **where)
    if not repeats:
        return None
    start = journal.lines("start", **where)[-1]
    calibration = journal.lines("calibration", **where)
    speeds = [line["steps"] / line["seconds"] for line in repeats]
    plain = sklearn(found.model) if contestant.name == "sklearn" else None
    return {
        "name": contestant.name,
        "label": contestant.label,
        "family": contestant.family,
        "held": contestant.held,
        "large_pages": True,  # documents have rows from before, too
        "arrangement": Arrangement(**start["arrangement"]).label,
        "settings": start["settings"],
        "tried": [_tried(each) for each in calibration[-1]["tried"]] if calibration else [],
        "differs": list(plain.differs) if plain else [],
        "repeats": len(repeats),
        "seconds_per_repeat": median(line["seconds"] for line in repeats),
        "steps_per_second": median(speeds),
        "range": [min(speeds), max(speeds)],
        "trials_per_hour": 3600 * median(speeds) / found.steps_per_trial,
        "start_seconds": start["start_seconds"],
        "warm_seconds": start["warm_seconds"],
    }


def _tried(each: Plain) -> Plain:
    return {**each, "arrangement": Arrangement(**each["arrangement"]).label}


def speeds_by_repeat(repeats: Sequence[Line]) -> dict[str, dict[int, float]]:
    """Return steps a second of every contestant, by repeat."""
    found: dict[str, dict[int, float]] = {}
    for line in repeats:
        speed = line["steps"] / line["seconds"]
        found.setdefault(line["contestant"], {})[line["repeat"]] = speed
    return found


def _ratio(
    contestant: Contestant,
    rows: Sequence[Plain],
    speeds: Mapping[str, Mapping[int, float]],
    family: str,
    target: float | None,
) -> Plain | None:
    """Return our throughput over that of the family's fastest; None if nobody of it took part.

    Only those count that are held to what ours is held to. The ratio is that of the medians;
    `range` are the smallest and largest ratio of a repeat; `most` is what the step's matrix
    products would reach with nothing between them.
    """
    alike = [row for row in rows if row["held"] == contestant.held]
    others = [row for row in alike if row["family"] == family]
    if not others:
        return None
    best = max(others, key=lambda row: float(row["steps_per_second"]))
    ours, theirs = speeds[contestant.name], speeds[best["name"]]
    single = [ours[k] / theirs[k] for k in ours.keys() & theirs.keys()]
    ratio = median(ours.values()) / median(theirs.values())
    return {
        "best": best["name"],
        "label": best["label"],
        "ratio": ratio,
        "range": [min(single), max(single)] if single else [ratio, ratio],
        "most": _most(speeds, _products(contestant), best["name"]),
        "target": target,
        "met": None if target is None else ratio >= target,
    }


def _products(contestant: Contestant) -> str:
    """Return the name of the matrix products that are the limit of a contestant."""
    return next(each.name for each in CONTESTANTS if each.is_limit and each.held == contestant.held)


def _most(speeds: Mapping[str, Mapping[int, float]], limit: str, best: str) -> float | None:
    alone = speeds.get(limit)
    return median(alone.values()) / median(speeds[best].values()) if alone else None


def _limit(contestant: Contestant, workload: Workload, journal: Journal) -> Plain | None:
    """Return what part of a step's time the matrix products alone would take, in two ways.

    `products`: the step's own products, one after the other, nothing between them. `large`: the
    step's operations at the speed of a large product. Both on all cores at once.
    """
    where = {"workload": workload.name}
    ours = journal.lines("repeat", contestant=contestant.name, **where)
    theirs = journal.lines("repeat", contestant=_products(contestant), **where)
    if not theirs:
        return None
    speed = median(line["steps"] / line["seconds"] for line in ours)
    alone = median(line["steps"] / line["seconds"] for line in theirs)
    large = median(line["large_per_second"] for line in theirs)
    share = speed * theirs[0]["operations"] / large
    target = None if contestant.name == "bakeoff" else workload.share
    return {
        "held": contestant.held,
        "operations": theirs[0]["operations"],
        "steps_per_second": alone,
        "large_per_second": large,
        "products": speed / alone,
        "large": share,
        "target": target,
        "met": None if target is None else share >= target,
    }


def _accuracy(workload: Workload, journal: Journal) -> Plain | None:
    measured = ((each, accuracy.measured(workload, each, journal)) for each in CONTESTANTS)
    lines = {contestant: line for contestant, line in measured if line}
    if not lines:
        return None
    seeds = min(len(line["accuracy"]) for line in lines.values())  # of a round under way, nobody's
    scores = {each: line["accuracy"][:seeds] for each, line in lines.items()}
    alike = [each for contestant, each in scores.items() if contestant.name != "sklearn"]
    means = [float(np.mean(each)) for each in alike]
    first = next(iter(lines.values()))
    return {
        "epochs": first["epochs"],
        "images": first["images"],
        "held_out": first["held_out"],
        "seeds": seeds,
        "contestants": [
            {"name": each.name, "label": each.label, "mean": float(np.mean(scores[each]))}
            for each in lines
        ],
        "range": max(means) - min(means) if means else None,
        "expected_range": accuracy.expected_range(alike) if alike else None,
    }


# ── the rest ─────────────────────────────────────────────────────────────────────────────────


def _digits(journal: Journal) -> Plain | None:
    found: Plain = {}
    for state in digits.STATES:
        seconds = [line["seconds"] for line in journal.lines("digits", state=state)]
        if not seconds:
            return None
        found[state] = {
            "seconds": median(seconds),
            "range": [min(seconds), max(seconds)],
            "repeats": len(seconds),
            "met": median(seconds) < digits.TARGET_SECONDS,
        }
    return {**found, "target": digits.TARGET_SECONDS}


def _scaling(journal: Journal) -> Plain | None:
    lines = journal.lines("scaling")
    if not lines:
        return None
    base = _case(lines, "all", 1)
    axes = []
    for axis, factors in scaling.AXES.items():
        measured = [base, *(_case(lines, axis, factor) for factor in factors)]
        present = [each for each in measured if each is not None]
        axes.append({"axis": axis, "cases": present, **straight(present)})
    workers = {line["model"]: line for line in journal.lines("worker")}
    peaks = {name: line["peak_bytes"] for name, line in workers.items()}
    met = max(peaks.values()) < scaling.TARGET_BYTES if peaks else None
    return {
        "axes": axes,
        "workers": {"peak_bytes": peaks, "target": scaling.TARGET_BYTES, "met": met},
    }


def _case(lines: Sequence[Line], axis: str, factor: int) -> Plain | None:
    mine = [line for line in lines if line["axis"] == axis and line["factor"] == factor]
    if not mine:
        return None
    return {
        "factor": factor,
        "work": mine[0]["work"],
        "seconds": median(line["seconds"] for line in mine),
        "peak_bytes": max(line["peak_bytes"] for line in mine),
        "repeats": len(mine),
    }


def straight(cases: Sequence[Plain]) -> Plain:
    """Return the straight line of time over work, by least squares, and how far cases lie off it.

    `fixed` seconds do not depend on the work (the compilation above all), `unit` seconds belong to
    the work of the first case; `off` is the largest distance from the line, as a fraction of it.
    """
    if len(cases) < 3:
        return {"fixed": None, "unit": None, "off": None, "straight": None}
    work = np.array([case["work"] / cases[0]["work"] for case in cases])
    seconds = np.array([case["seconds"] for case in cases])
    unit, fixed = np.polyfit(work, seconds, 1)
    off = float(np.max(np.abs(seconds / (fixed + unit * work) - 1)))
    return {"fixed": float(fixed), "unit": float(unit), "off": off, "straight": off <= STRAIGHT}


def _studies(journal: Journal) -> list[Plain]:
    """Return an axis's cases, with the line of seconds over networks; nothing if none is there."""
    found = []
    for axis, factors in studies.AXES.items():
        lines = [
            line
            for factor in factors
            for line in journal.lines("studies", axis=axis, factor=factor)[-1:]
        ]
        names = ("factor", "networks", "seconds", "peak_bytes")
        measured = [{name: line[name] for name in names} for line in lines]
        if measured:
            line = straight([{**each, "work": each["networks"]} for each in measured])
            found.append({"axis": axis, "cases": measured, **line})
    return found


def _comparing(journal: Journal) -> Plain | None:
    found: Plain = {}
    for verb in comparing.VERBS:
        lines = journal.lines("comparing", verb=verb, images=comparing.IMAGES)
        if not lines:
            return None
        found[verb] = {
            "seconds": median(line["seconds"] for line in lines),
            "processor_seconds": median(line["processor_seconds"] for line in lines),
            "peak_bytes": max(line["peak_bytes"] for line in lines),
            "repeats": len(lines),
        }
    seconds = math.fsum(found[verb]["seconds"] for verb in comparing.VERBS)
    peak = max(found[verb]["peak_bytes"] for verb in comparing.VERBS)
    return {
        "verbs": found,
        "models": comparing.MODELS,
        "seeds": comparing.SEEDS,
        "images": comparing.IMAGES,
        "target_seconds": comparing.TARGET_SECONDS,
        "target_report_seconds": comparing.REPORT_SECONDS,
        "target_bytes": comparing.TARGET_BYTES,
        "seconds": seconds,
        "peak_bytes": peak,
        "met": seconds < comparing.TARGET_SECONDS
        and found["report"]["seconds"] < comparing.REPORT_SECONDS
        and peak < comparing.TARGET_BYTES,
    }
