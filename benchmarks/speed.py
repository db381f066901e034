"""Throughput: contestants take turns, warm, one at a time; each repeat is kept at once."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.contestants import Arrangement, Contestant, Settings, entered, sklearn
from benchmarks.group import DroppedOut, Group
from benchmarks.journal import Journal
from benchmarks.machine import cores, load
from benchmarks.workloads import Declared, Workload, declared

CALIBRATION = 0.25  # of a workload's images, and of a repeat's seconds
CLOSE = 0.85  # settings nearly as fast as the fastest are tried in the other arrangement too
_PAUSE = 0.3  # seconds until the threads of whoever trained before have stopped waiting for work
_MOST_EPOCHS = 500

Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """How to measure: so many repeats of about so many seconds; of `names` only, if any.

    compiled : whether torch.compile is tried too
    """

    journal: Journal
    logs: Path
    repeats: int
    seconds: float
    names: Sequence[str]
    compiled: bool
    say: Say

    def task(
        self, workload: Workload, found: Declared, contestant: Contestant, **more: Any
    ) -> dict[str, Any]:
        """Return what a contestant's process is told first."""
        plain = sklearn(found.model) if contestant.name == "sklearn" else None
        extra = plain.settings if plain else {}
        return {"recipe": workload.recipe, "model": workload.model, "extra": extra, **more}

    def log(self, workload: Workload, contestant: Contestant) -> Path:
        """Return the file for what a contestant's processes print."""
        return self.logs / f"{workload.name}.{contestant.name}.log"


@dataclass(frozen=True)
class Choice:
    """The arrangement and settings that were fastest."""

    arrangement: Arrangement
    settings: Settings


def measure(workload: Workload, run: Run) -> None:
    """Measure what a workload lacks."""
    found = declared(workload)
    lacking = [each for each in entered(found, run.names) if _missing(workload, each, run)]
    if not lacking:
        run.say(f"{workload.name}: all repeats are there")
        return
    with ExitStack() as stack:
        ready: dict[str, tuple[Group, int]] = {}
        for contestant in lacking:
            try:
                ready[contestant.name] = _warm(workload, found, contestant, run, stack)
            except DroppedOut as error:
                _note_failure(workload, contestant, run, error)
        for repeat in range(run.repeats):
            for contestant in turns(lacking, repeat):
                if contestant.name in ready and repeat in _missing(workload, contestant, run):
                    _repeat(workload, found, repeat, ready, contestant, run)


def turns(contestants: Sequence[Contestant], repeat: int) -> list[Contestant]:
    """Return who trains when: another one begins each time, and every other time backwards."""
    first = repeat % max(len(contestants), 1)
    turned = [*contestants[first:], *contestants[:first]]
    return turned[::-1] if repeat % 2 else turned


def choose(workload: Workload, found: Declared, contestant: Contestant, run: Run) -> Choice:
    """Return the fastest arrangement and settings, from the journal or by trying them."""
    known = run.journal.lines("calibration", workload=workload.name, contestant=contestant.name)
    if known:
        chosen = known[-1]["chosen"]
        return Choice(Arrangement(**chosen["arrangement"]), chosen["settings"])
    arrangements, tries = contestant.arrangements(cores()), list(contestant.tries(found))
    if run.compiled and contestant.name == "torch-loop":
        tries += [{**each, "compile": True} for each in tries]
    if len(arrangements) == len(tries) == 1:
        return Choice(arrangements[0], tries[0])
    tried = _try_all(workload, found, contestant, run, arrangements[::-1], tries)
    best = max(tried, key=lambda each: float(each["steps_per_second"]))
    chosen = {name: best[name] for name in ("arrangement", "settings")}
    run.journal.append(
        "calibration",
        workload=workload.name,
        contestant=contestant.name,
        tried=tried,
        chosen=chosen,
    )
    return Choice(Arrangement(**best["arrangement"]), best["settings"])


def _try_all(
    workload: Workload,
    found: Declared,
    contestant: Contestant,
    run: Run,
    arrangements: Sequence[Arrangement],
    tries: list[Settings],
) -> list[dict[str, Any]]:
    """Try all settings in the first arrangement, and those among the fastest in the others."""
    tried: list[dict[str, Any]] = []
    task = run.task(workload, found, contestant)
    for arrangement in arrangements:
        group = Group(contestant, arrangement, task, log=run.log(workload, contestant))
        try:
            for settings in tries:
                speed = _try(group, settings, workload, found, run)
                tried.append(
                    {
                        "arrangement": asdict(arrangement),
                        "settings": settings,
                        "steps_per_second": speed,
                    }
                )
                words = _in_words(arrangement, settings)
                run.say(f"{workload.name}  {contestant.name}  try {words}  {speed:,.1f} steps/s")
        finally:
            group.close()
        fastest = max(float(each["steps_per_second"]) for each in tried)
        close = [each for each in tried if each["steps_per_second"] >= CLOSE * fastest]
        tries = [settings for settings in tries if settings in [each["settings"] for each in close]]
    return tried


def _try(group: Group, settings: Settings, workload: Workload, found: Declared, run: Run) -> float:
    """Return steps a second, all processes together."""
    batch = found.model.training.batch_size
    images = max(batch, int(CALIBRATION * (workload.images or found.n_train)) // batch * batch)
    group.prepare(settings, images=images)
    answer = group.train(images=images, epochs=1)
    wanted = CALIBRATION * run.seconds
    if answer["seconds"] < wanted:
        epochs = min(_MOST_EPOCHS, math.ceil(wanted / answer["seconds"]))
        answer = group.train(images=images, epochs=epochs)
    return float(answer["steps"] / answer["seconds"])


def _warm(
    workload: Workload, found: Declared, contestant: Contestant, run: Run, stack: ExitStack
) -> tuple[Group, int]:
    """Start a contestant as it is fastest; return it warm, and the epochs that make a repeat."""
    choice = choose(workload, found, contestant, run)
    started = time.monotonic()
    task = run.task(workload, found, contestant)
    group = Group(contestant, choice.arrangement, task, log=run.log(workload, contestant))
    stack.callback(group.close)
    versions = group.order(do="versions", names=contestant.packages)[0]
    start_seconds = time.monotonic() - started
    images = workload.images or found.n_train
    parameters, warm_seconds = group.prepare(choice.settings, images=images)
    if contestant.name != "products" and parameters != found.architecture.parameters:
        raise DroppedOut(
            f"{contestant.label}: expected {found.architecture.parameters:,} parameters, found "
            f"{parameters:,}: its model is another one"
        )
    once = group.train(images=images, epochs=1)
    run.journal.append(
        "start",
        workload=workload.name,
        contestant=contestant.name,
        arrangement=asdict(choice.arrangement),
        settings=choice.settings,
        versions=versions,
        start_seconds=start_seconds,
        warm_seconds=warm_seconds,
    )
    words = _in_words(choice.arrangement, choice.settings)
    run.say(
        f"{workload.name}  {contestant.name}  ready: {words}; started in {start_seconds:.1f} s, "
        f"warm in {warm_seconds:.1f} s"
    )
    return group, max(1, min(_MOST_EPOCHS, round(run.seconds / once["seconds"])))


def _repeat(
    workload: Workload,
    found: Declared,
    repeat: int,
    ready: dict[str, tuple[Group, int]],
    contestant: Contestant,
    run: Run,
) -> None:
    group, epochs = ready[contestant.name]
    time.sleep(_PAUSE)
    try:
        answer = group.train(images=workload.images or found.n_train, epochs=epochs)
    except DroppedOut as error:
        _note_failure(workload, contestant, run, error)
        del ready[contestant.name]
        return
    run.journal.append(
        "repeat",
        workload=workload.name,
        contestant=contestant.name,
        arrangement=asdict(group.arrangement),
        repeat=repeat,
        epochs=epochs,
        load=load(),
        **answer,
    )
    speed = answer["steps"] / answer["seconds"]
    run.say(
        f"{workload.name}  {contestant.name}  repeat {repeat + 1} of {run.repeats}  "
        f"{speed:,.1f} steps/s in {answer['seconds']:.1f} s"
    )


def _missing(workload: Workload, contestant: Contestant, run: Run) -> list[int]:
    done = run.journal.lines("repeat", workload=workload.name, contestant=contestant.name)
    return [k for k in range(run.repeats) if k not in [line["repeat"] for line in done]]


def _note_failure(workload: Workload, contestant: Contestant, run: Run, error: Exception) -> None:
    run.journal.append(
        "failed", workload=workload.name, contestant=contestant.name, reason=str(error)
    )
    run.say(f"{workload.name}  {contestant.name}  dropped out: {error}")


def _in_words(arrangement: Arrangement, settings: Settings) -> str:
    return ", ".join([arrangement.label, *(f"{key} {value}" for key, value in settings.items())])
