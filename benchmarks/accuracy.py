"""Do all contestants learn the same? Some epochs each, then images held out from training."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.contestants import OURS, Arrangement, Contestant, entered
from benchmarks.group import DroppedOut, Group
from benchmarks.journal import Journal, Line
from benchmarks.machine import cores, learning
from benchmarks.speed import Run, known_settings
from benchmarks.workloads import HELD_OUT, Declared, Workload, declared

_ROUNDS = 4  # of so many seeds as there are cores, for networks that take seconds


def measure(workload: Workload, run: Run) -> None:
    """Train each contestant with seeds of its own, one process of one thread for each core."""
    if not workload.epochs:
        return
    found = declared(workload)
    for number in range(_rounds(found)):
        for contestant in entered(found, run.names):
            if contestant.is_limit or contestant.free:  # held, it learns what it learns free
                continue
            if number in _by_round(workload, contestant, run.journal):
                continue
            try:
                line = _train(workload, found, contestant, run, first=number * cores())
            except DroppedOut as error:
                run.say(f"{workload.name}  {contestant.name}  dropped out: {error}")
                continue
            run.journal.append("accuracy", **_where(workload, contestant), round=number, **line)
            shown = ", ".join(f"{100 * each:.2f} %" for each in line["accuracy"])
            run.say(f"{workload.name}  {contestant.name}  accuracy on images held out: {shown}")


def _rounds(found: Declared) -> int:
    convolves = any(layer.kind == "conv2d" for layer in found.architecture.layers)
    return 1 if convolves else _ROUNDS


def measured(workload: Workload, contestant: Contestant, journal: Journal) -> Line | None:
    """Return a contestant's accuracies over all rounds, if any was measured."""
    rounds = _by_round(workload, contestant, journal)
    if not rounds:
        return None
    ordered = [line for _, line in sorted(rounds.items())]
    return {**ordered[0], "accuracy": [score for line in ordered for score in line["accuracy"]]}


def _by_round(workload: Workload, contestant: Contestant, journal: Journal) -> dict[int, Line]:
    lines = journal.lines("accuracy", **_where(workload, contestant))
    return {line.get("round", 0): line for line in lines}


def _where(workload: Workload, contestant: Contestant) -> Line:
    identity = learning(ours=contestant in OURS)
    return {"workload": workload.name, "contestant": contestant.name, "identity": identity}


def _train(
    workload: Workload, found: Declared, contestant: Contestant, run: Run, *, first: int
) -> dict[str, Any]:
    settings = known_settings(workload, found, contestant, run)
    task = run.task(workload, found, contestant, held_out=HELD_OUT)
    log = run.log(workload, contestant)
    group = Group(contestant, Arrangement(cores(), 1), task, log=log, first=first)
    try:
        group.order(do="prepare", settings=settings)
        trained = group.train(images=workload.accuracy_images, epochs=workload.epochs)
        scores = [each["accuracy"] for each in group.order(do="score")]
    finally:
        group.close()
    return {
        "accuracy": scores,
        "epochs": workload.epochs,
        "images": trained["images"],
        "held_out": HELD_OUT,
        "settings": settings,
    }


def expected_range(scores: Sequence[Sequence[float]]) -> float | None:
    """Return how far apart the means of contestants that learn the same lie in 19 of 20 cases.

    Tukey's studentised range times the standard error of a mean, seeds pooled; at most that far.
    None if nobody has two seeds.

    scores : each contestant's accuracies, one a seed, as many for each
    """
    contestants, seeds = np.shape(scores)
    freedom = contestants * (seeds - 1)
    if not freedom or contestants < 2:
        return None
    error = float(np.sqrt(np.mean(np.var(scores, axis=1, ddof=1)) / seeds))
    return error * _tukey(contestants, freedom)


@cache
def _tukey(contestants: int, freedom: int) -> float:
    return float(stats.studentized_range.ppf(0.95, contestants, freedom))
