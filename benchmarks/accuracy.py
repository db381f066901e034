"""Do all contestants learn the same? Some epochs each, then images held out from training."""

import math
from typing import Any

from benchmarks.contestants import Arrangement, Contestant, entered
from benchmarks.group import DroppedOut, Group
from benchmarks.machine import cores
from benchmarks.speed import Run, fastest_settings
from benchmarks.workloads import HELD_OUT, Declared, Workload, declared


def measure(workload: Workload, run: Run) -> None:
    """Train each contestant once, in one process, with its fastest settings."""
    found = declared(workload)
    for contestant in entered(found, run.names):
        where = {"workload": workload.name, "contestant": contestant.name}
        if contestant.name == "products" or run.journal.lines("accuracy", **where):
            continue
        try:
            line = _train(workload, found, contestant, run)
        except DroppedOut as error:
            run.say(f"{workload.name}  {contestant.name}  dropped out: {error}")
            continue
        run.journal.append("accuracy", **where, **line)
        shown = ", ".join(f"{100 * each:.2f} %" for each in line["accuracy"])
        run.say(f"{workload.name}  {contestant.name}  accuracy on images held out: {shown}")


def _train(workload: Workload, found: Declared, contestant: Contestant, run: Run) -> dict[str, Any]:
    settings = fastest_settings(workload, found, contestant, run)
    alone = Arrangement(1, max(each.threads for each in contestant.arrangements(cores())))
    task = run.task(workload, found, contestant, held_out=HELD_OUT)
    group = Group(contestant, alone, task, log=run.log(workload, contestant))
    try:
        group.order(do="prepare", settings=settings)
        answer = group.train(images=workload.accuracy_images, epochs=workload.epochs)
        scores = [each["accuracy"] for each in group.order(do="score")]
    finally:
        group.close()
    return {
        "accuracy": scores,
        "epochs": workload.epochs,
        "images": answer["images"],
        "held_out": HELD_OUT,
    }


def chance(accuracy: float, held_out: int = HELD_OUT) -> float:
    """Return how far apart two equally good networks' accuracies lie in 1 of 20 cases at most.

    By the images alone, as if each network had its own: 1.96 · √(2 · a · (1 − a) / n). Seeds come
    on top of it.
    """
    return 1.96 * math.sqrt(2 * accuracy * (1 - accuracy) / held_out)
