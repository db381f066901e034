"""A study in a process of its own that prints what it hears, and may kill itself at a moment."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from bakeoff.study.jobs import checkpoints
from bakeoff.utils.events import EpochResult, Watcher
from tests.helpers import forked
from tests.helpers.small import carry_out


class _Mortal(Watcher):
    """Prints what it hears; kills its session, workers included, after so many events."""

    def __init__(self, events: int) -> None:
        self._left = events

    def _count(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        self._left -= 1
        if self._left == 0:
            os.killpg(0, signal.SIGKILL)

    def epoch(self, label: str, result: EpochResult) -> None:
        self._count(f"epoch {label} {result.epoch}")

    def finished(self, label: str) -> None:
        self._count(f"finished {label}")


def start(npz: Path, out: Path, printed: Path, *, events: int = 0) -> Any:
    """Start the small study with a checkpoint after every epoch, killed after `events` if any."""
    return forked.start(_run, (npz, out, events), output=printed)


def _run(npz: Path, out: Path, events: int) -> None:
    checkpoints.CHECKPOINT_SECONDS = 0.0  # of this process, which plans the trials
    carry_out(npz, out, watcher=_Mortal(events))
