"""`make torture ARGS="PART …"`: attack Bakeoff and print the figures of docs/reliability.md."""

import argparse
import codecs
import gc
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.robustness.torture.say import say

PARTS = ("crash", "disks", "damage", "crowd", "cluster", "long", "environments")


def main(words: list[str] | None = None) -> int:
    """Do the parts that the words of the command line name, or all; 0 if nothing went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.robustness.torture", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--moments", type=int, default=200, help="kills at random moments")
    parser.add_argument("--real", type=int, default=12, help="of them by the real command line")
    parser.add_argument(
        "--boundaries", type=int, help="kills at so many boundaries; all by default"
    )
    parser.add_argument("--faults", type=int, default=20, help="of each kind of disk error")
    parser.add_argument(
        "--damages", type=int, help="so many damaged files given to commands; all by default"
    )
    parser.add_argument("--turns", type=int, default=5, help="of each scene with several processes")
    parser.add_argument("--trials", type=int, default=300, help="of the long run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--share", type=_share, default=(1, 1), help="2/3: the second third of the experiments"
    )
    parser.add_argument(
        "--folder", type=Path, default=None, help="where to work; memory by default"
    )
    parser.add_argument(
        "--cache", type=Path, default=None, help="a user's cache, with programs; none by default"
    )
    given = parser.parse_args(words)
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


def be_command(words: list[str]) -> None:
    """Do the same in a process that is forked for it, and end it."""
    raise SystemExit(main(words))


def _all(given: argparse.Namespace, parts: "list[str] | tuple[str, ...]", folder: Path) -> bool:
    _import_everything()
    from tests.robustness.torture import cluster, crash, crowd, damage, disks, environments, long

    cache = given.cache or folder / "cache"
    references: dict[str, crash.Reference] = {}

    def known(recipe: str, *, real: bool = False) -> crash.Reference:
        if recipe not in references:
            references[recipe] = crash.reference(folder, cache, recipe, real=real)
        return references[recipe]

    common: dict[str, Any] = {"seed": given.seed, "jobs": given.jobs, "share": given.share}
    doing: dict[str, Callable[[], bool]] = {
        "crash": lambda: crash.torture(
            folder,
            cache,
            known(crash.RECIPE, real=given.moments > 0 and given.real > 0),
            known(crash.SMALL),
            number=given.moments,
            real=given.real,
            sample=given.boundaries,
            **common,
        ),
        "disks": lambda: disks.torture(
            folder, cache, known(crash.RECIPE), known(crash.SMALL), number=given.faults, **common
        ),
        "damage": lambda: damage.torture(
            folder, cache, known(crash.SMALL), number=given.damages, **common
        ),
        "crowd": lambda: crowd.torture(
            folder, cache, known(crash.RECIPE), number=given.turns, seed=given.seed
        ),
        "cluster": lambda: cluster.torture(folder, cache, number=given.turns, seed=given.seed),
        "long": lambda: long.torture(folder, cache, trials=given.trials),
        "environments": lambda: environments.torture(folder, cache),
    }
    return all([doing[part]() for part in PARTS if part in parts])


def _share(text: str) -> tuple[int, int]:
    """Read 2/3."""
    mine, _, shares = text.partition("/")
    found = int(mine), int(shares)
    if not 1 <= found[0] <= found[1]:
        raise ValueError(text)
    return found


def _import_everything() -> None:
    """Import what a command imports; forked from here it starts at once."""
    import sklearn.linear_model
    import vl_convert

    import bakeoff.cli
    import bakeoff.report.page.html_page
    import bakeoff.report.terminal
    import bakeoff.study.jobs.job
    import bakeoff.study.progress.terminal_progress
    import bakeoff.study.run
    import bakeoff.study.status
    import bakeoff.training.trainer

    bakeoff.cli.command_line()
    codecs.lookup("ascii")  # another user may not be able to read it later
    gc.freeze()  # so that no fork looks through all this for garbage
    assert vl_convert and sklearn.linear_model and bakeoff.study.jobs.job
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("expected one thread, so that commands can be forked")


if __name__ == "__main__":
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # read when NumPy is imported
    os.environ["JE_ARROW_MALLOC_CONF"] = "background_thread:false"  # pandas may import pyarrow
    sys.exit(main())
