"""Kills: a real study, killed at random moments and before every change of a file, then repeated.

After each kill the same command must finish; nothing finished may be lost or trained twice, nothing
half-written be taken for whole, and the result must be that of a run that was not disturbed.
"""

import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.robustness.torture import faults, state
from tests.robustness.torture.faults import Plan
from tests.robustness.torture.parallel import shared
from tests.robustness.torture.sandbox import Command, Sandbox
from tests.robustness.torture.say import figures, say

RECIPE = """\
name: tiny
data: digits
split: {validation: {first: 200}, test: 0.5}
seeds: 2
baselines: [majority]
models:
  long: {layers: [], training: {epochs: 5, batch_size: 64}}
  short: {layers: [], training: {epochs: 2, batch_size: 128}}
"""
SMALL = """\
name: tiny
data: digits
split: {validation: {first: 200}, test: 0.5}
seeds: 2
baselines: [majority]
models:
  long: {layers: [], training: {epochs: 4, batch_size: 64}}
"""  # where something is done before each change: one model, one worker, two trials
EPOCHS = {RECIPE: 14, SMALL: 8}
WHO = ("parent", "worker", "both")
ACTS = {"parent": "kill parent", "worker": "kill", "both": "kill all"}


@dataclass(frozen=True)
class Kill:
    """One kill: after `seconds`, or before the change number `change`.

    patient : wait until the orphans are gone before the same command is given again
    """

    who: str
    seconds: float | None = None
    change: int | None = None
    checkpoint_seconds: float = 0.0
    patient: bool = True
    real: bool = False
    workers: int = 2


@dataclass(frozen=True)
class Reference:
    """The run that was not disturbed: its time, its changes of files, its result.

    seconds : of two workers; real_seconds of a command that starts Python itself, where it was run
    changes : of one worker, and by_workers the numbers of those that it made itself
    """

    recipe: str
    seconds: float
    real_seconds: float
    changes: tuple[str, ...]
    by_workers: tuple[int, ...]
    content: dict[str, str]


def reference(folder: Path, cache: Path, recipe: str = RECIPE, *, real: bool) -> Reference:
    """Run a study undisturbed: with one worker, with two, and by the real command."""
    seconds, contents = [], []
    changes: tuple[tuple[str, ...], tuple[int, ...]] = ((), ())
    for workers in (1, 2):  # the first fills the cache of programs, the second is timed
        box = Sandbox(folder / f"reference-{workers}", cache, recipe).prepare()
        plan = Plan(str(box.root), str(box.notes), checkpoint_seconds=0, plain=True)
        done = box.do([*box.run, "--workers", str(workers)], plan=plan)
        if done.code:
            raise RuntimeError(f"the undisturbed run failed: {done.errors}")
        problems = state.broken(box.study) + state.leftovers(box.study)
        if problems:
            raise RuntimeError(f"the undisturbed run left {problems}")
        seconds.append(done.seconds)
        contents.append(state.content(box.study))
        if workers == 1:
            changes = (tuple(faults.changes(box.notes)), tuple(faults.by_workers(box.notes)))
        box.remove()
    if real:
        box = Sandbox(folder / "reference-real", cache, recipe).prepare()
        seconds.append(box.do(box.run, real=True).seconds)
        contents.append(state.content(box.study))
        box.remove()
    if any(content != contents[0] for content in contents):
        raise RuntimeError("two undisturbed runs differ")
    return Reference(recipe, seconds[1], seconds[-1], *changes, contents[0])


def moments(known: Reference, number: int, seed: int, *, real: int) -> list[Kill]:
    """Return kills at random moments, of parent, worker and both in turn; `real` truly started."""
    chance = random.Random(seed)
    kills = []
    for position in range(number):
        truly = position < real
        kills.append(
            Kill(
                who=WHO[position % 3],
                seconds=chance.uniform(0, known.real_seconds if truly else known.seconds),
                checkpoint_seconds=chance.choice([0.0, 5.0]),
                patient=chance.random() < 0.5,
                real=truly,
            )
        )
    return kills


def boundaries(known: Reference, sample: int | None, seed: int) -> list[Kill]:
    """Return kills before every change of a file, or before `sample` of them.

    Everything dies at once. Before each third change the command also dies alone, and its worker
    notices or is still at it when the same command is given again; before each third change that
    a worker makes, the worker dies alone, and the command must go on by itself.
    """
    number = len(known.changes)
    chosen = list(range(1, number + 1))
    if sample is not None:
        chosen = sorted(random.Random(seed).sample(chosen, min(sample, number)))
    kills = [Kill("both", change=k, workers=1) for k in chosen]
    for turn, k in enumerate(chosen[::3]):
        kills.append(Kill("parent", change=k, workers=1, patient=turn % 2 == 0))
    alone = [k for k in chosen if k in known.by_workers]
    return kills + [Kill("worker", change=k, workers=1) for k in alone[::3]]


def experiment(kill: Kill, box: Sandbox, known: Reference) -> dict[str, Any]:
    """Kill once, look, give the same command again, look."""
    box.prepare()
    act = ACTS[kill.who] if kill.change else "count"
    plan = Plan(
        str(box.root),
        str(box.notes),
        act=act,
        at=kill.change or 0,
        checkpoint_seconds=kill.checkpoint_seconds,
        plain=True,
    )
    words = [*box.run, "--workers", str(kill.workers)]
    command = box.start(words, plan=plan, real=kill.real)
    hit = _strike(kill, command) if kill.seconds is not None else True
    first = command.wait()
    problems = []
    if kill.patient and not command.wait_for_helpers():
        problems.append("its helpers outlived the command by a minute")
    if kill.change and kill.who != "worker":
        hit = first.code < 0
    problems += [f"after the kill: {each}" for each in state.broken(box.study)]
    before = state.finished(box.study)
    trained = faults.epochs(box.notes)
    if kill.who == "worker" and first.code != 0:
        problems.append(f"the command did not go on alone: {first.code}: {first.last_line}")

    again = Plan(
        str(box.root), str(box.notes), checkpoint_seconds=kill.checkpoint_seconds, plain=True
    )
    second = box.do(words, plan=again)
    if second.code != 0:
        problems.append(f"the same command ended with {second.code}: {second.last_line}")
    command.wait_for_helpers()
    after = state.finished(box.study)
    lost = [name for name in before if after.get(name) != before[name]]
    problems += [f"at the end: {each}" for each in state.broken(box.study)]
    problems += [f"left behind: {each}" for each in state.leftovers(box.study)]
    differ = state.differences(state.content(box.study), known.content)
    later = faults.epochs(box.notes)[len(trained) :]
    twice = sorted(
        {name for name, _ in later if "trials/" + name.replace(" seed ", "/seed-") in before}
    )
    redone = len(faults.epochs(box.notes)) - EPOCHS[known.recipe]
    if kill.checkpoint_seconds == 0 and redone > kill.workers:
        problems.append(f"{redone} epochs trained again with a checkpoint after every epoch")
    return {
        **asdict(kill),
        "hit": hit,
        "finished_before": len(before),
        "lost": lost,
        "twice": twice,
        "differ": differ,
        "problems": problems,
        "repeated": redone,
    }


def _strike(kill: Kill, command: Command) -> bool:
    """Kill at the moment; say whether there was something alive to kill."""
    assert kill.seconds is not None
    time.sleep(kill.seconds)
    if kill.who == "worker":
        while not command.ended:
            workers = command.workers()
            if workers:
                try:
                    os.kill(random.choice(workers), signal.SIGKILL)
                    return True
                except ProcessLookupError:
                    continue
            time.sleep(0.002)
        return False
    if command.ended:
        return False
    command.kill() if kill.who == "both" else command.kill_parent()
    return True


def report(results: Sequence[dict[str, Any]], title: str, seconds: float) -> bool:
    """Print the figures; say whether nothing went wrong."""
    hits = [each for each in results if each["hit"]]
    saved = [each["repeated"] for each in hits if each["checkpoint_seconds"] == 0]
    rows = {
        "kills": len(hits),
        **{f"  of {who}": sum(each["who"] == who for each in hits) for who in WHO},
        "moments when nothing was left to kill": len(results) - len(hits),
        "folders finished at the kill": sum(each["finished_before"] for each in hits),
        "  of them lost or changed": sum(len(each["lost"]) for each in results),
        "  of them trained again": sum(len(each["twice"]) for each in results),
        "studies that differ from the undisturbed one": sum(bool(e["differ"]) for e in results),
        "epochs trained again after a kill, at most": max(saved, default=0),
    }
    bad = [e for e in results if e["lost"] or e["twice"] or e["differ"] or e["problems"]]
    return figures(title, rows, bad, seconds)


def torture(
    folder: Path,
    cache: Path,
    known: Reference,
    small: Reference,
    *,
    number: int,
    real: int,
    sample: int | None,
    seed: int,
    **sharing: Any,
) -> bool:
    """Do all of it and print the figures; say whether nothing went wrong."""
    say(
        f"undisturbed: four trials in {known.seconds:.1f} s; two in {small.seconds:.1f} s with "
        f"{len(small.changes)} changes of files"
    )
    good = True
    plans = [
        ("kills at random moments", known, moments(known, number, seed, real=real)),
        ("kills before changes of files", small, boundaries(small, sample, seed)),
    ]
    for title, undisturbed, kills in plans:
        if not kills:
            continue
        started = time.monotonic()

        def run(job: int, kill: Kill, undisturbed: Reference = undisturbed) -> dict[str, Any]:
            box = Sandbox(folder / f"job-{job}", cache, undisturbed.recipe)
            return experiment(kill, box, undisturbed)

        results = shared(run, kills, folder=folder, **sharing)
        good = report(results, title, time.monotonic() - started) and good
    return good
