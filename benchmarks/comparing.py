"""Comparing and reporting a finished study of 10 models × 10 seeds × 10,000 test images.

The study is made up: its probabilities are drawn, not trained; its folder is what a real run
writes, through the same store.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakeoff.errors import BakeoffError
from benchmarks.contestants import REPOSITORY
from benchmarks.digits import bakeoff
from benchmarks.journal import Journal
from benchmarks.speed import Say
from tests.helpers import fake_study

MODELS, SEEDS, IMAGES = 10, 10, 10_000
VERBS = ("compare", "report")
TARGET_SECONDS, TARGET_BYTES = 5.0, 500e6  # of both together
REPORT_SECONDS = 4.0


def measure(journal: Journal, *, repeats: int, say: Say, images: int = IMAGES) -> None:
    """Run both commands on the study, from the command to its end, so many times."""
    if len(journal.lines("comparing", images=images)) >= repeats * len(VERBS):
        return
    with tempfile.TemporaryDirectory(prefix="bakeoff-bench-") as name:
        study = write(Path(name) / "study", images=images)
        for repeat in range(repeats):
            for verb in VERBS:
                where = {"verb": verb, "repeat": repeat, "images": images}
                if not journal.lines("comparing", **where):
                    took = timed(bakeoff(verb, str(study)), log=Path(name) / "log")
                    journal.append("comparing", **where, **took)
                    shown = f"{took['seconds']:.2f} s, {took['peak_bytes'] / 1e6:.0f} MB"
                    say(f"comparing  {verb}  repeat {repeat + 1} of {repeats}  {shown}")


def write(folder: Path, *, images: int = IMAGES) -> Path:
    """Write the study: models from 97 to 98.8 % correct, a little apart from seed to seed."""
    models = {
        f"model-{m}": fake_study.FakeModel(
            accuracy=[0.97 + 0.002 * m + 0.0003 * (s % 4) for s in range(SEEDS)],
            parameters=10_000 * (m + 1),
            units=16 * (m + 1),
        )
        for m in range(MODELS)
    }
    fake_study.write_study(folder, models, seeds=range(SEEDS), n_test=images)
    return folder


def timed(
    command: list[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run a command; return its seconds, and the most memory that one of its processes held.

    environment : what it finds in its environment beside that of this process
    """
    measured = [sys.executable, "-m", "benchmarks.measured", str(log), *command]
    known = {**os.environ, **(environment or {})}
    done = subprocess.run(measured, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY, env=known)
    if done.returncode:
        last = (log.read_text(errors="replace").strip().splitlines() or ["it printed nothing"])[-1]
        raise BakeoffError(f"{' '.join(command[2:4])} ended badly: {last}")
    took: dict[str, Any] = json.loads(done.stdout)
    return took
