"""Several processes on one study at once: each trial is trained once, whoever dies meanwhile."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.robustness.torture import faults, state
from tests.robustness.torture.crash import RECIPE, Reference
from tests.robustness.torture.faults import Plan
from tests.robustness.torture.sandbox import Command, Sandbox
from tests.robustness.torture.say import figures

PATIENCE = 6.0  # seconds for which a lock of a stopped process is watched


def _plan(box: Sandbox) -> Plan:
    return Plan(str(box.root), str(box.notes), checkpoint_seconds=0, plain=True)


def _words(box: Sandbox) -> list[str]:
    return [*box.run, "--workers", "1"]


def _checked(box: Sandbox, known: Reference, *, killed: int) -> list[str]:
    """Return what is wrong with the study, and with how often its epochs were trained."""
    problems = state.broken(box.study)
    problems += [
        f"differs: {n}" for n in state.differences(state.content(box.study), known.content)
    ]
    if len(list((box.study / "openings").iterdir())) != 1:
        problems.append("opened more than once")
    repeated = sum(Counter(faults.epochs(box.notes)).values()) - len(set(faults.epochs(box.notes)))
    if repeated > killed:
        problems.append(f"{repeated} epochs were trained twice, {killed} workers were killed")
    return problems


def together(number: int) -> Callable[[Sandbox, Reference, random.Random], list[str]]:
    """Start several at once."""

    def do(box: Sandbox, known: Reference, chance: random.Random) -> list[str]:
        commands = [box.start(_words(box), plan=_plan(box)) for _ in range(number)]
        ends = [command.wait() for command in commands]
        problems = [f"ended with {end.code}: {end.last_line}" for end in ends if end.code]
        return problems + _checked(box, known, killed=0)

    return do


def some_killed(number: int) -> Callable[[Sandbox, Reference, random.Random], list[str]]:
    """Start several at once and kill half of them, one after the other."""

    def do(box: Sandbox, known: Reference, chance: random.Random) -> list[str]:
        commands = [box.start(_words(box), plan=_plan(box)) for _ in range(number)]
        killed = 0
        for command in commands[: number // 2]:
            time.sleep(chance.uniform(0.1, known.seconds / 2))
            if not command.ended:
                command.kill()
                killed += 1
        ends = [command.wait() for command in commands]
        problems = [
            f"ended with {end.code}: {end.last_line}" for end in ends[number // 2 :] if end.code
        ]
        return problems + _checked(box, known, killed=killed)

    return do


def stopped(box: Sandbox, known: Reference, chance: random.Random) -> list[str]:
    """Stop a worker while it holds a lock that looks a day old; another process must wait."""
    first = box.start(_words(box), plan=_plan(box))
    held = _stop_in_training(box, first)
    if held is None:
        return ["the first process was never seen in training"]
    worker, label = held
    for lock in (box.study / ".locks").iterdir():
        os.utime(lock, (0, 0))
    second = box.start(_words(box), plan=_plan(box))
    trained = Counter(name for name, _ in faults.epochs(box.notes))[label]
    time.sleep(PATIENCE + known.seconds)
    problems = [] if not second.ended else ["the second process did not wait"]
    if Counter(name for name, _ in faults.epochs(box.notes))[label] != trained:
        problems.append(f"{label} was trained by a second process")
    os.kill(worker, signal.SIGCONT)
    for end in (first.wait(), second.wait()):
        if end.code:
            problems.append(f"ended with {end.code}: {end.last_line}")
    return problems + _checked(box, known, killed=0)


def _stop_in_training(box: Sandbox, command: Command) -> tuple[int, str] | None:
    """Stop the worker as soon as it has trained an epoch; return it and the trial's label."""
    while not command.ended:
        seen = faults.epochs(box.notes)
        if seen:
            for worker in command.workers():
                os.kill(worker, signal.SIGSTOP)
                time.sleep(0.05)
                return worker, faults.epochs(box.notes)[-1][0]
        time.sleep(0.001)
    return None


def stale(box: Sandbox, known: Reference, chance: random.Random) -> list[str]:
    """Leave locks of dead processes everywhere, with the number of a process that lives."""
    locks = box.study / ".locks"
    locks.mkdir(parents=True)
    names = ["study", "baseline.majority"]
    names += [f"{model}.seed-{seed}" for model in ("long", "short") for seed in (0, 1)]
    for name in names:
        (locks / f"{name}.lock").write_text(f"{os.getpid()}\n")
        os.utime(locks / f"{name}.lock", (0, 0))
    done = box.do(_words(box), plan=_plan(box))
    problems = [f"ended with {done.code}: {done.last_line}"] if done.code else []
    return problems + _checked(box, known, killed=0)


SCENES: dict[str, Callable[[Sandbox, Reference, random.Random], list[str]]] = {
    "two processes": together(2),
    "eight processes": together(8),
    "eight processes, four of them killed": some_killed(8),
    "a stopped process whose lock looks a day old": stopped,
    "locks of the dead": stale,
}


def torture(folder: Path, cache: Path, known: Reference, *, number: int, seed: int) -> bool:
    """Do each scene `number` times and print the figures; say whether nothing went wrong."""
    started = time.monotonic()
    rows: dict[str, Any] = {}
    problems = []
    for name, scene in SCENES.items():
        for turn in range(number):
            box = Sandbox(folder / "crowd", cache, RECIPE).prepare()
            found = scene(box, known, random.Random(f"{seed} {turn}"))
            problems += [f"{name}: {each}" for each in found]
            rows[name] = f"{turn + 1} times" if not found else "no"
        box.remove()
    return figures("several processes on one study", rows, problems, time.monotonic() - started)
