"""The digits study whole: the seconds from the command to the report, first time and later."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from bakeoff.errors import BakeoffError
from benchmarks.contestants import BY_NAME
from benchmarks.journal import Journal
from benchmarks.speed import Say

TARGET_SECONDS = 20.0
STATES = ("cold", "warm")


def measure(journal: Journal, *, repeats: int, say: Say) -> None:
    """Run the study in fresh folders: with an empty cache of programs (cold), then with a full one.

    The cache is a folder of the repeat's own; Matplotlib's list of fonts, which is made once on a
    machine, stays where it is.
    """
    for repeat in range(repeats):
        if len(journal.lines("digits", repeat=repeat)) == len(STATES):
            continue
        with tempfile.TemporaryDirectory(prefix="bakeoff-bench-") as name:
            for state in STATES:
                seconds = _run(Path(name), out=Path(name) / state)
                say(f"digits  {state}  repeat {repeat + 1} of {repeats}  {seconds:.1f} s")
                if not journal.lines("digits", repeat=repeat, state=state):
                    journal.append("digits", repeat=repeat, state=state, seconds=seconds)


def bakeoff(*arguments: str) -> list[str]:
    """Return Bakeoff's command line with the interpreter that has only Bakeoff in it."""
    return [BY_NAME["bakeoff"].command()[0], "-m", "bakeoff", *arguments]


def _run(home: Path, *, out: Path) -> float:
    places = {
        "XDG_CACHE_HOME": str(home / "cache"),
        "BAKEOFF_HOME": str(home / "home"),
        "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR", str(Path.home() / ".cache" / "matplotlib")),
    }
    started = time.monotonic()
    done = subprocess.run(
        bakeoff("run", "digits", "--out", str(out), "--json"),
        capture_output=True,
        text=True,
        env={**os.environ, **places},
    )
    seconds = time.monotonic() - started
    if done.returncode or not (out / "report.html").is_file():
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise BakeoffError(f"bakeoff run digits ended with code {done.returncode}: {last}")
    return seconds
