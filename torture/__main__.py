"""`python -m torture [PART …]`: attack Bakeoff and print the figures of docs/reliability.md."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from torture.say import say

PARTS = ("crash",)


def main() -> int:
    """Do the parts that are named, or all; 0 if nothing went wrong."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--moments", type=int, default=200, help="kills at random moments")
    parser.add_argument("--real", type=int, default=12, help="of them by the real command line")
    parser.add_argument(
        "--boundaries", type=int, help="kills at so many boundaries; all by default"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--folder", type=Path, default=None, help="where to work; memory by default"
    )
    given = parser.parse_args()
    unknown = [part for part in given.parts if part not in PARTS]
    if unknown:
        parser.error(f"expected parts of {', '.join(PARTS)}, found {unknown[0]}")
    memory = Path("/dev/shm")
    place = given.folder or (memory if os.access(memory, os.W_OK) else None)
    folder = Path(tempfile.mkdtemp(prefix="bakeoff-torture-", dir=place))
    started = time.monotonic()
    try:
        good = _all(given, given.parts or PARTS, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    end = "nothing went wrong" if good else "SOMETHING WENT WRONG"
    say(f"\n{end} ({time.monotonic() - started:.0f} s in all)")
    return 0 if good else 1


def _all(given: argparse.Namespace, parts: "list[str] | tuple[str, ...]", folder: Path) -> bool:
    _import_everything()
    cache = folder / "cache"
    good = True
    if "crash" in parts:
        from torture import crash

        good = (
            crash.torture(
                folder,
                cache,
                number=given.moments,
                real=given.real,
                sample=given.boundaries,
                seed=given.seed,
                jobs=given.jobs,
            )
            and good
        )
    return good


def _import_everything() -> None:
    """Import what a command imports; forked from here it starts at once."""
    import matplotlib.figure
    import sklearn.linear_model

    import bakeoff.cli
    import bakeoff.engine
    import bakeoff.progress
    import bakeoff.report.page
    import bakeoff.report.terminal
    import bakeoff.standing
    import bakeoff.study
    import bakeoff.trial

    assert matplotlib.figure and sklearn.linear_model and bakeoff.trial
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("expected one thread, so that commands can be forked")


if __name__ == "__main__":
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # read when NumPy is imported
    sys.exit(main())
