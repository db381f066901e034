"""`bakeoff run` until its first epoch has ended, and how long each part of the way took, as JSON.

    python -m benchmarks.first_epoch STARTED RECIPE MODEL OUT

STARTED is the clock, time.monotonic(), of whoever started this process, before it did.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from typing import Any

from bakeoff import cli
from bakeoff.study.executors import fork_server
from bakeoff.utils.events import EpochResult, Watcher

TIMED = {  # functions of modules of bakeoff.study: what they are timed as, and what came before
    ("create.load_split", "load"): ("reading the images", "the recipe"),
    ("create.record", "twins"): ("images in two parts of it", "the split"),
    ("run", "largest_trial"): ("the study's folder", "the study's folder"),
}


class _Ended(BaseException):
    """The first epoch has ended."""


class _Clock(Watcher):
    """Takes the times of what a study tells, and those of the functions that it times."""

    def __init__(self, started: float) -> None:
        self._last = started
        self.parts: dict[str, float] = {}

    def took(self, part: str) -> None:
        """Say what the time since the last such word was for."""
        now = time.monotonic()
        self.parts[part] = self.parts.get(part, 0.0) + now - self._last
        self._last = now

    def timing(self, module: Any, name: str, part: str, before: str) -> None:
        """Time a function of a module as `part`; what came before it counts as `before`."""
        function: Callable[..., Any] = getattr(module, name)

        def timed(*values: Any, **named: Any) -> Any:
            self.took(before)
            result = function(*values, **named)
            self.took(part)
            return result

        setattr(module, name, timed)

    def started(self, label: str, where: str | None = None) -> None:
        self.took("files for the workers, and waiting for the server")

    def epoch(self, label: str, result: EpochResult) -> None:
        self.took("in a worker: the program, out of the cache, and the first epoch")
        raise _Ended


def main(started: float, recipe: str, model: str, out: str) -> None:
    """Run the command until its first epoch has ended; print the seconds of each part."""
    clock = _Clock(started)
    begun_early = fork_server.begun_early

    @contextmanager
    def watched() -> Iterator[Watcher]:
        yield clock

    @contextmanager
    def begun(*, wanted: bool) -> Iterator[None]:
        """Do as the command: what it needs is imported after the server has begun."""
        clock.took("Python and the command line")
        with begun_early(wanted=wanted):
            clock.took("starting the workers' server, which imports Keras and JAX meanwhile")
            from bakeoff.study import run  # noqa: F401
            from bakeoff.study.progress import terminal_progress

            clock.took("what a run imports")
            for (module, name), (part, before) in TIMED.items():
                clock.timing(import_module(f"bakeoff.study.{module}"), name, part, before)
            terminal_progress.progress = watched  # type: ignore[assignment]
            yield

    fork_server.begun_early = begun
    words = ["run", recipe, "--only", model, "--seeds", "1", "--keep-sealed", "--out", out]
    try:
        with redirect_stdout(sys.stderr):
            cli.main(words)
    except _Ended:
        sys.stdout.write(json.dumps(clock.parts) + "\n")
    else:
        sys.exit(f"{recipe}: expected an epoch, found none")


if __name__ == "__main__":
    main(float(sys.argv[1]), *sys.argv[2:])
