"""Jobs that behave badly, for tests of the workers; a worker imports them from here."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.errors import StudyError, TrialLost
from bakeoff.utils.events import EpochResult, OnEpoch, Planned, Watcher


class Listener(Watcher):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def begin(self, title: str, jobs: Sequence[Planned]) -> None:
        self.heard.append(("begin", title, [job.label for job in jobs]))

    def started(self, label: str, where: str | None = None) -> None:
        self.heard.append(("started", label))

    def epoch(self, label: str, result: EpochResult) -> None:
        self.heard.append(("epoch", label, result))

    def finished(self, label: str) -> None:
        self.heard.append(("finished", label))

    def note(self, text: str) -> None:
        self.heard.append(("note", text))

    def of(self, kind: str) -> list[Any]:
        return [event[1] for event in self.heard if event[0] == kind]


class Killed(Exception):
    """Stands for a kill where jobs are done in the test's own process."""


class Killer(Listener):
    """Kills the study when so many epochs or jobs have ended, an epoch before its checkpoint."""

    def __init__(self, *, epochs: int = 0, jobs: int = 0) -> None:
        super().__init__()
        self._after = {"epoch": epochs, "finished": jobs}

    def _count(self, kind: str) -> None:
        if len(self.of(kind)) == self._after[kind]:
            raise Killed

    def epoch(self, label: str, result: EpochResult) -> None:
        super().epoch(label, result)
        self._count("epoch")

    def finished(self, label: str) -> None:
        super().finished(label)
        self._count("finished")


@dataclass(frozen=True)
class Act:
    """Does one thing; leaves a line in folder/label each time it is begun."""

    label: str
    action: str
    folder: str
    affinity: str = "affinity"
    times: int = 10  # the action is done so many times, then the job is well
    runs_user_code: bool = False

    def run(self, on_epoch: OnEpoch) -> None:
        diary = Path(self.folder) / self.label
        with diary.open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        if len(diary.read_text().splitlines()) <= self.times:
            getattr(self, self.action)(on_epoch)

    def nothing(self, on_epoch: OnEpoch) -> None:
        pass

    def report(self, on_epoch: OnEpoch) -> None:
        for number in range(3):
            on_epoch(EpochResult(number, 0.5, 0.5, None, None, None, 0.1))

    def exit(self, on_epoch: OnEpoch) -> None:
        os._exit(7)

    def be_killed(self, on_epoch: OnEpoch) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def be_stopped(self, on_epoch: OnEpoch) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)

    def crash(self, on_epoch: OnEpoch) -> None:
        os.kill(os.getpid(), signal.SIGABRT)

    def fail(self, on_epoch: OnEpoch) -> None:
        raise ZeroDivisionError("nothing\nto divide by")

    def leave(self, on_epoch: OnEpoch) -> None:
        raise SystemExit(3)

    def accuse_user(self, on_epoch: OnEpoch) -> None:
        raise StudyError("expected something else")

    def lose(self, on_epoch: OnEpoch) -> None:
        raise TrialLost("lost it")

    def be_busy(self, on_epoch: OnEpoch) -> None:
        from bakeoff.study.jobs.job import Busy

        raise Busy

    def write_to_standard_output(self, on_epoch: OnEpoch) -> None:
        print("printed by a builder", flush=True)  # noqa: T201
        os.write(1, b"written by a library\n")

    def wait_for_go(self, on_epoch: OnEpoch) -> None:
        while not (Path(self.folder) / "go").exists():
            time.sleep(0.01)

    def sleep(self, on_epoch: OnEpoch) -> None:
        time.sleep(120)
