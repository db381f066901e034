"""A study on a Ray cluster whose nodes, or whose driver, are killed in the middle.

Whatever dies, the study ends as one that local workers trained undisturbed, byte for byte.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bakeoff.storage.study_folder import StudyFolder
from tests.robustness.torture import state
from tests.robustness.torture.faults import Plan
from tests.robustness.torture.nodes import Nodes
from tests.robustness.torture.sandbox import Command, Outcome, Sandbox, processes
from tests.robustness.torture.say import figures

RECIPE = """\
name: tiny
data: digits
split: {validation: {first: 200}, test: 0.5}
seeds: 3
baselines: [majority]
models:
  long: {layers: [{dense: 32}], training: {epochs: 1500, batch_size: 64}}
"""
CHECKPOINT_SECONDS = 0.3  # several come to the driver while a trial runs
TRIALS = 3
NODES = 2
PATIENCE = 120.0


def _start(box: Sandbox) -> Command:
    plan = Plan(str(box.root), str(box.notes), checkpoint_seconds=CHECKPOINT_SECONDS, plain=True)
    return box.start([*box.run, "--on", "ray"], real=True, plan=plan)


def _wait(condition: Callable[[], bool], command: Command) -> bool:
    """Wait until something is so; False where the command ends before."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if command.ended or time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _saved(box: Sandbox) -> set[str]:
    """Return the trials in progress of which a checkpoint has come here."""
    return {path.parent.name for path in box.study.glob("trials/long/*.partial/checkpoint-*")}


def _node_of(box: Sandbox, trial: str) -> str:
    return (box.study / "trials" / "long" / trial / "place.json").read_text()


def _ended(done: Outcome) -> list[str]:
    return [f"ended with {done.code}: {done.last_line}"] if done.code else []


def node_killed(box: Sandbox, nodes: Nodes, chance: random.Random) -> list[str]:
    """Kill a node once both have sent a checkpoint; another one joins."""
    command = _start(box)
    if not _wait(lambda: len(_saved(box)) == NODES, command):
        return [f"no checkpoints came: {command.wait().errors[-2000:]}"]
    time.sleep(chance.uniform(0, CHECKPOINT_SECONDS))
    running = {_node_of(box, trial) for trial in _saved(box)}
    nodes.kill()
    nodes.add()
    done = command.wait()
    gone = [line for line in done.errors.splitlines() if "is gone (" in line]
    problems = _ended(done)
    if len(running) != NODES or len(gone) != 1:
        problems.append(f"expected one trial taken back, found {gone}")
    if not any(_earlier(box)):
        problems.append("no trial went on from a checkpoint")
    return problems


def _earlier(box: Sandbox) -> list[bool]:
    """Return of each trial whether it went on from a checkpoint of another node."""
    folder = StudyFolder(box.study)
    return [len(folder.read_environments("long", seed)) > 1 for seed in range(TRIALS)]


def driver_killed(box: Sandbox, nodes: Nodes, chance: random.Random) -> list[str]:
    """Kill the driver once a checkpoint has come; the same command goes on."""
    command = _start(box)
    if not _wait(lambda: bool(_saved(box)), command):
        return [f"no checkpoint came: {command.wait().errors[-2000:]}"]
    time.sleep(chance.uniform(0, CHECKPOINT_SECONDS))
    command.kill()
    command.wait()
    problems = _no_hosts()
    saved = {trial.removesuffix(".partial") for trial in _saved(box)}
    problems += _ended(_start(box).wait())
    for trial in saved:
        seconds = StudyFolder(box.study).read_timing("long", int(trial.rpartition("-")[2]))
        if not seconds["seconds"]:
            problems.append(f"{trial} says that it took no time")
    return problems


def interrupted(box: Sandbox, nodes: Nodes, chance: random.Random) -> list[str]:
    """Press Ctrl-C: the command says how to go on, and no host is left."""
    command = _start(box)
    if not _wait(lambda: bool(_saved(box)), command):
        return [f"no checkpoint came: {command.wait().errors[-2000:]}"]
    os.kill(command.pid, signal.SIGINT)
    done = command.wait()
    problems = [] if done.code == 130 else [f"ended with {done.code}: {done.last_line}"]
    if not done.last_line.startswith("bakeoff: interrupted; what is finished is kept"):
        problems.append(f"said {done.last_line}")
    return problems + _no_hosts() + _ended(_start(box).wait())


def _no_hosts() -> list[str]:
    """Wait until no host's process is left; say so where one stays."""
    end = time.monotonic() + PATIENCE
    while left := [pid for pid in processes() if b"ray::Host" in _words_of(pid)]:
        if time.monotonic() > end:
            return [f"{len(left)} hosts are left"]
        time.sleep(0.1)
    return []


def _words_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


SCENES = {
    "a node killed, another one joins": node_killed,
    "the driver killed, and started again": driver_killed,
    "Ctrl-C, and started again": interrupted,
}


def torture(folder: Path, cache: Path, *, number: int, seed: int) -> bool:
    """Do each scene `number` times and print the figures; say whether nothing went wrong."""
    started = time.monotonic()
    box = Sandbox(folder / "cluster", cache, RECIPE).prepare()
    problems = _ended(box.do([*box.run, "--workers", str(NODES)], real=True))
    content = state.content(box.study)
    rows: dict[str, Any] = {}
    for name, scene in SCENES.items():
        for turn in range(number):
            with Nodes(NODES) as nodes:
                os.environ["RAY_ADDRESS"] = nodes.address
                try:
                    box.prepare()
                    found = scene(box, nodes, random.Random(f"{seed} {turn}"))
                finally:
                    del os.environ["RAY_ADDRESS"]
            found += state.broken(box.study)
            found += [f"differs: {n}" for n in state.differences(state.content(box.study), content)]
            problems += [f"{name}: {each}" for each in found]
            rows[name] = f"{turn + 1} times" if not found else "no"
    box.remove()
    return figures("a study on a cluster", rows, problems, time.monotonic() - started)
