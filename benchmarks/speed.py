"""Throughput: contestants take turns, warm, one at a time; each repeat is kept at once."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.contestants import Arrangement, Contestant, Settings, entered, sklearn
from benchmarks.group import DroppedOut, Group
from benchmarks.journal import Journal
from benchmarks.machine import cores, load, versions
from benchmarks.workloads import Declared, Workload, declared

CALIBRATION = 0.25  # of a workload's images, and of a repeat's seconds
CLOSE = 0.85  # settings nearly as fast as the fastest are tried in the other arrangement too
TOP = 2  # of what was tried with a contestant, so much is tried with the same one held
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
class Started:
    """A contestant's processes in its fastest arrangement, its fastest settings, its speed.

    steps_per_second : as found when it was tried just now; None where nothing had to be tried
    """

    group: Group
    settings: Settings
    seconds: float
    steps_per_second: float | None = None


def measure(workload: Workload, run: Run) -> None:
    """Measure what a workload lacks: first whoever is not held, then, for themselves, who is."""
    found = declared(workload)
    taking_part = entered(found, run.names)
    lacking = [each for each in taking_part if _missing(workload, each, run)]
    if not lacking:
        done = "all repeats are there" if taking_part else "nobody named takes part here"
        run.say(f"{workload.name}: {done}")
    for isa in dict.fromkeys(each.held for each in lacking):
        _take_turns(workload, found, [each for each in lacking if each.held == isa], run)


def _take_turns(
    workload: Workload, found: Declared, lacking: Sequence[Contestant], run: Run
) -> None:
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
    rotated = [*contestants[first:], *contestants[:first]]
    return rotated[::-1] if repeat % 2 else rotated


def start(workload: Workload, found: Declared, contestant: Contestant, run: Run) -> Started:
    """Start a contestant as it is fastest, by the journal or by trying; `group.close` ends it."""
    arrangements, tries = _candidates(workload, found, contestant, run)
    if len(arrangements) == len(tries) == 1:
        return _begin(workload, found, contestant, arrangements[0], run, tries[0])
    with ExitStack() as stack:
        begun = []
        for arrangement in arrangements[::-1]:
            begun.append(_begin(workload, found, contestant, arrangement, run, {}))
            stack.callback(begun[-1].group.close)
        tried = _try_all(workload, found, run, begun, tries)
        best = max(tried, key=lambda each: each.steps_per_second or 0.0)
        run.journal.append(
            "calibration",
            workload=workload.name,
            contestant=contestant.name,
            tried=[_as_line(each) for each in tried],
            chosen=_as_line(best),
        )
        stack.pop_all()
    for each in begun:
        if each.group is not best.group:
            each.group.close()
    return best


def known_settings(
    workload: Workload, found: Declared, contestant: Contestant, run: Run
) -> Settings:
    """Return the settings that were fastest; the first to try where nothing was tried yet."""
    return _candidates(workload, found, contestant, run)[1][0]


def _candidates(
    workload: Workload, found: Declared, contestant: Contestant, run: Run
) -> tuple[list[Arrangement], list[Settings]]:
    """Return the arrangements and settings to try; one of each where they have been tried."""
    known = run.journal.lines("calibration", workload=workload.name, contestant=contestant.name)
    if known:
        chosen = known[-1]["chosen"]
        return [Arrangement(**chosen["arrangement"])], [chosen["settings"]]
    arrangements, tries = contestant.arrangements(cores()), list(contestant.tries(found))
    if run.compiled and contestant.script == "torch_loop":
        tries += [{**each, "compile": True} for each in tries]
    free = run.journal.lines("calibration", workload=workload.name, contestant=contestant.free)
    if contestant.free and free:
        fastest = sorted(free[-1]["tried"], key=lambda each: -float(each["steps_per_second"]))[:TOP]
        near = [Arrangement(**each["arrangement"]) for each in fastest]
        arrangements = [each for each in arrangements if each in near]
        tries = [each for each in tries if each in [one["settings"] for one in fastest]]
    return arrangements, tries


def _begin(
    workload: Workload,
    found: Declared,
    contestant: Contestant,
    arrangement: Arrangement,
    run: Run,
    settings: Settings,
) -> Started:
    """Start the processes and wait until they have imported what they need."""
    began = time.monotonic()
    task = run.task(workload, found, contestant)
    group = Group(contestant, arrangement, task, log=run.log(workload, contestant))
    try:
        _check_versions(contestant, group.order(do="versions", names=contestant.packages)[0])
    except BaseException:
        group.close()
        raise
    return Started(group, settings, time.monotonic() - began)


def _check_versions(contestant: Contestant, found: dict[str, str]) -> None:
    """Refuse an environment of Bakeoff's own whose libraries are not those of the others."""
    expected = versions()
    for name, version in found.items():
        if version != expected[name]:
            raise DroppedOut(
                f"{contestant.label}: expected {name} {expected[name]}, as the others have it, "
                f"found {version}: delete .venv and .venv-bench, and `make bench` makes both anew"
            )


def _try_all(
    workload: Workload,
    found: Declared,
    run: Run,
    begun: Sequence[Started],
    tries: list[Settings],
) -> list[Started]:
    """Try all settings in the first arrangement, and those among the fastest in the others."""
    tried: list[Started] = []
    for each in begun:
        for settings in tries:
            speed = _try(each.group, settings, workload, found, run)
            tried.append(replace(each, settings=settings, steps_per_second=speed))
            words = _in_words(each.group.arrangement, settings)
            name = each.group.contestant.name
            run.say(f"{workload.name}  {name}  try {words}  {speed:,.1f} steps/s")
        fastest = max(each.steps_per_second or 0.0 for each in tried)
        close = [one for one in tried if (one.steps_per_second or 0.0) >= CLOSE * fastest]
        tries = [one for one in tries if one in [other.settings for other in close]]
    return tried


def _as_line(each: Started) -> dict[str, Any]:
    return {
        "arrangement": asdict(each.group.arrangement),
        "settings": each.settings,
        "steps_per_second": each.steps_per_second,
    }


def _try(group: Group, settings: Settings, workload: Workload, found: Declared, run: Run) -> float:
    """Return steps a second, all processes together."""
    batch = found.model.training.batch_size
    images = max(batch, int(CALIBRATION * (workload.images or found.n_train)) // batch * batch)
    group.prepare(settings, images=images)
    trained = group.train(images=images, epochs=1)
    wanted = CALIBRATION * run.seconds
    if trained["seconds"] < wanted:
        epochs = min(_MOST_EPOCHS, math.ceil(wanted / trained["seconds"]))
        trained = group.train(images=images, epochs=epochs)
    return float(trained["steps"] / trained["seconds"])


def _warm(
    workload: Workload, found: Declared, contestant: Contestant, run: Run, stack: ExitStack
) -> tuple[Group, int]:
    """Start a contestant as it is fastest; return it warm, and the epochs that make a repeat."""
    started = start(workload, found, contestant, run)
    group, settings = started.group, started.settings
    stack.callback(group.close)
    images = workload.images or found.n_train
    parameters, warm_seconds = group.prepare(settings, images=images)
    if not contestant.is_limit and parameters != found.architecture.parameters:
        raise DroppedOut(
            f"{contestant.label}: expected {found.architecture.parameters:,} parameters, found "
            f"{parameters:,}: its model is another one"
        )
    run.journal.append(
        "start",
        workload=workload.name,
        contestant=contestant.name,
        arrangement=asdict(group.arrangement),
        settings=settings,
        start_seconds=started.seconds,
        warm_seconds=warm_seconds,
    )
    run.say(
        f"{workload.name}  {contestant.name}  ready: {_in_words(group.arrangement, settings)}; "
        f"started in {started.seconds:.1f} s, warm in {warm_seconds:.1f} s"
    )
    if started.steps_per_second is None:
        epoch = float(group.train(images=images, epochs=1)["seconds"])
    else:
        steps = math.ceil(images / found.model.training.batch_size) * group.arrangement.processes
        epoch = steps / started.steps_per_second
    return group, max(1, min(_MOST_EPOCHS, round(run.seconds / epoch)))


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
        trained = group.train(images=workload.images or found.n_train, epochs=epochs)
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
        **trained,
    )
    speed = trained["steps"] / trained["seconds"]
    run.say(
        f"{workload.name}  {contestant.name}  repeat {repeat + 1} of {run.repeats}  "
        f"{speed:,.1f} steps/s in {trained['seconds']:.1f} s"
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
