"""Prints what all cases took, and the slowest as commands: `python -m tests.robustness.hostile`."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.robustness.hostile import folder, idx, npz, recipes, run, studies
from tests.robustness.hostile.case import Case

SLOWEST = 5


def main() -> None:
    """Carry out all cases in forks, then the slowest with a Python of their own."""
    kinds = (recipes, idx, npz, folder, studies)
    known = {case.name: case for kind in kinds for case in kind.cases()}
    base = Path(tempfile.mkdtemp(prefix="bakeoff-hostile-"))
    try:
        found = run.outcomes(list(known.values()), base)
        slow = sorted(found, key=lambda name: -found[name]["cpu"])[:SLOWEST]
        greedy = max(found, key=lambda name: found[name]["mib"])
        _say(f"{len(found)} cases, in forks of a process that has imported Bakeoff:")
        _say(f"  exit codes: {_counts(each['code'] for each in found.values())}")
        _say(f"  most memory: {found[greedy]['mib']:.0f} MiB ({greedy})")
        for name in slow:
            _say(f"  {found[name]['cpu']:.2f} s of a core: {name}")
        _say("the slowest by commands of their own, Python's start and imports included:")
        for name in slow:
            seconds, work, mib = alone(known[name], base / "alone")
            _say(f"  {seconds:.2f} s, {work:.2f} s of a core, {mib:.0f} MiB: {name}")
    finally:
        shutil.rmtree(base)


def alone(case: Case, place: Path) -> tuple[float, float, float]:
    """Return seconds by the clock, seconds of a core and MiB of a command, Python and all."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    words = [sys.executable, "-m", "bakeoff", *case.make(place)]
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.chdir(place)
        quiet = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(quiet, number)
        os.environ.update(case.environment, BAKEOFF_HOME=str(place / "home"))
        os.execv(words[0], words)
    _, status, used = os.wait4(pid, 0)
    assert os.waitstatus_to_exitcode(status) == case.code, case.name
    return time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def _counts(found: Iterable[int]) -> str:
    codes = list(found)
    return ", ".join(f"{codes.count(code)} of {code}" for code in sorted(set(codes)))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
