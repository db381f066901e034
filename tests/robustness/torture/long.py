"""A study of hundreds of trials in one command: memory and files of its processes over time."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.robustness.torture.sandbox import Command, Sandbox, children
from tests.robustness.torture.say import figures

RECIPE = """\
name: long
data: digits
split: {{validation: {{first: 200}}, test: 0.5}}
seeds: {seeds}
baselines: [majority]
training: {{epochs: 2}}
models:
  one: {{layers: []}}
  two: {{layers: [{{dense: 16}}]}}
  three: {{layers: [{{conv2d: {{filters: 4, kernel_size: 3}}}}]}}
"""
GROWTH_MIB = 30.0  # that memory may grow between a quarter of the way and the end
OPENS_SECONDS = 2.0  # of a core: by the clock it depends on what else the machine does


@dataclass(frozen=True)
class Sample:
    """One look at a command: seconds since its start, trials done, by role memory and files."""

    seconds: float
    done: int
    memory: dict[str, float]  # MiB, resident
    files: dict[str, int]


def look(command: Command, started: float, study: Path) -> Sample:
    """Look once."""
    roles = {"parent": [command.pid], "server": [], "worker": []}
    for helper in children(command.pid):
        workers = children(helper)
        roles["worker"] += workers
        roles["server"] += [helper] if workers else []
    memory = {role: max(map(_resident, pids), default=0.0) for role, pids in roles.items()}
    files = {role: max(map(_files, pids), default=0) for role, pids in roles.items()}
    done = sum(1 for _ in study.glob("trials/*/seed-*/manifest.json"))
    return Sample(time.monotonic() - started, done, memory, files)


def _resident(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    found = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
    return found[0] / 1024 if found else 0.0


def _files(pid: int) -> int:
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0


def torture(folder: Path, cache: Path, *, trials: int, every: float = 0.5) -> bool:
    """Run it and print the figures; say whether everything stayed flat."""
    seeds = -(-trials // 3)
    box = Sandbox(folder / "long", cache, RECIPE.format(seeds=seeds)).prepare()
    started = time.monotonic()
    command = box.start(box.run, real=True)
    samples = []
    while not command.ended:
        samples.append(look(command, started, box.study))
        time.sleep(every)
    end = command.wait()
    seconds = time.monotonic() - started
    problems = [f"ended with {end.code}: {end.last_line}"] if end.code else []
    rows: dict[str, Any] = {
        "trials": f"{3 * seeds} in {seconds:.0f} s, {len(samples)} looks",
        "memory, MiB": "at 25 %, 50 %, 75 % and the end of the training",
    }
    for role in ("parent", "server", "worker"):
        memory, files = _quarters(samples, role, 3 * seeds)
        rows[f"  {role}"] = ", ".join(f"{each:.0f}" for each in memory)
        rows[f"  {role}, open files"] = ", ".join(str(each) for each in files)
        if memory[-1] - memory[0] > GROWTH_MIB:
            problems.append(f"{role} grew from {memory[0]:.0f} to {memory[-1]:.0f} MiB")
        if files[-1] > files[0] + 2:
            problems.append(f"{role} had {files[0]} files open and then {files[-1]}")
    for name in ("status", "compare"):
        box.do([name, str(box.study)], real=True)  # Python's own files are read from the disk once
        opened = box.do([name, str(box.study)], real=True)
        took = f"{opened.work:.2f} s of a core, {opened.seconds:.2f} s by the clock"
        rows[f"{name} afterwards"] = took
        if opened.code or opened.work > OPENS_SECONDS:
            problems.append(f"{name} took {took} and ended with {opened.code}")
    box.remove()
    return figures("a long run", rows, problems, time.monotonic() - started)


def _quarters(samples: list[Sample], role: str, trials: int) -> tuple[list[float], list[int]]:
    """Return memory and files around each quarter of the training, the largest of five looks."""
    memory, files = [], []
    for share in (0.25, 0.5, 0.75, 1.0):
        reached = [k for k, each in enumerate(samples) if each.done >= share * trials]
        place = reached[0] if reached else len(samples) - 1
        near = samples[max(0, place - 4) : place + 1]
        memory.append(max(each.memory[role] for each in near))
        files.append(max(each.files[role] for each in near))
    return memory, files
