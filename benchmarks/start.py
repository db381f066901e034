"""How long one waits: for the short commands, and from `bakeoff run` on MNIST to the first epoch.

Warm: everything is done once before it is timed, with caches and ledgers that hold nothing else:
`compare` reads all ledgers of its user. The first epoch is a whole one, of 60,000 images.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bakeoff.errors import BakeoffError
from benchmarks.comparing import timed
from benchmarks.contestants import REPOSITORY
from benchmarks.digits import bakeoff
from benchmarks.journal import Journal
from benchmarks.speed import Say
from tests.helpers import fake_study

RECIPE, MODEL = "notebook-001", "dense"
MODELS, SEEDS, IMAGES = 3, 5, 10_000  # of the study that status and compare are asked about
TARGETS = {"--help": 0.3, "status": 0.3, "compare": 0.7}
FIRST_EPOCH_TARGET = 4.0


def measure(journal: Journal, *, repeats: int, say: Say) -> None:
    """Time what is missing, every command in turn."""
    if len(journal.lines("waits")) >= repeats:
        return
    with tempfile.TemporaryDirectory(prefix="bakeoff-bench-") as name:
        folder = Path(name)
        study = _study(folder / "study")
        for repeat in range(-1, repeats):  # the first fills the caches
            taken = {verb: _command(verb, study, folder=folder) for verb in TARGETS}
            run = _first_epoch(folder / f"run {repeat}", cache=folder / "cache")
            if repeat >= 0 and not journal.lines("waits", repeat=repeat):
                journal.append("waits", repeat=repeat, commands=taken, run=run)
                shown = ", ".join(f"{verb} {seconds:.2f} s" for verb, seconds in taken.items())
                first = sum(run.values())
                say(f"start  repeat {repeat + 1} of {repeats}  {shown}, first epoch {first:.2f} s")


def _study(folder: Path) -> Path:
    models = {
        f"model-{m}": fake_study.FakeModel(
            accuracy=[0.97 + 0.002 * m + 0.0003 * s for s in range(SEEDS)],
            parameters=10_000 * (m + 1),
            units=16 * (m + 1),
        )
        for m in range(MODELS)
    }
    fake_study.write_study(folder, models, seeds=range(SEEDS), n_test=IMAGES)
    return folder


def _command(verb: str, study: Path, *, folder: Path) -> float:
    words = [verb] if verb == "--help" else [verb, str(study)]
    home = {"BAKEOFF_HOME": str(folder / "home")}
    return float(timed(bakeoff(*words), log=folder / "log", environment=home)["seconds"])


def _first_epoch(out: Path, *, cache: Path) -> dict[str, float]:
    """Return the seconds of each part of the way to the first epoch's end, in order."""
    started = time.monotonic()
    python = bakeoff()[0]
    done = subprocess.run(
        [python, "-m", "benchmarks.first_epoch", str(started), RECIPE, MODEL, str(out)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "XDG_CACHE_HOME": str(cache), "BAKEOFF_HOME": str(cache / "home")},
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise BakeoffError(f"bakeoff run {RECIPE} ended with code {done.returncode}: {last}")
    parts: dict[str, Any] = json.loads(done.stdout)
    return parts


def table(journal: Journal) -> dict[str, Any] | None:
    """Return the medians of what was timed, as plain data; None where nothing was."""
    lines = journal.lines("waits")
    if not lines:
        return None
    whole = [sum(line["run"].values()) for line in lines]
    return {
        "repeats": len(lines),
        "commands": {verb: _row([line["commands"][verb] for line in lines], target)
                     for verb, target in TARGETS.items()},
        "first_epoch": _row(whole, FIRST_EPOCH_TARGET),
        "parts": {part: median(line["run"][part] for line in lines) for part in lines[-1]["run"]},
        "study": {"models": MODELS, "seeds": SEEDS, "images": IMAGES},
        "run": f"{RECIPE} --only {MODEL}",
    }  # fmt: skip


def _row(seconds: Sequence[float], target: float) -> dict[str, Any]:
    middle = median(seconds)
    return {
        "seconds": middle,
        "range": [min(seconds), max(seconds)],
        "target": target,
        "met": middle < target,
    }


def missed(found: Mapping[str, Any] | None) -> list[str]:
    """Return a line for each target that was missed."""
    if found is None:
        return []
    rows = {f"`bakeoff {verb}`": row for verb, row in found["commands"].items()}
    rows["from `bakeoff run` on MNIST to the first epoch"] = found["first_epoch"]
    return [
        f"{name}: {row['seconds']:.2f} s, where less than {row['target']:g} s was wanted"
        for name, row in rows.items()
        if not row["met"]
    ]
