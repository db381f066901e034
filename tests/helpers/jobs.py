"""Jobs that behave badly, for tests of the workers; a worker imports them from here."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from bakeoff.errors import StudyError, TrialLost
from bakeoff.utils.events import EpochResult, Watcher


class Listener(Watcher):
    """Writes down what it hears."""

    def __init__(self):
        self.heard = []

    def begin(self, title, jobs):
        self.heard.append(("begin", title, [job.label for job in jobs]))

    def started(self, label):
        self.heard.append(("started", label))

    def epoch(self, label, result):
        self.heard.append(("epoch", label, result))

    def finished(self, label):
        self.heard.append(("finished", label))

    def note(self, text):
        self.heard.append(("note", text))

    def of(self, kind):
        return [event[1] for event in self.heard if event[0] == kind]


@dataclass(frozen=True)
class Act:
    """Does one thing; leaves a line in folder/label each time it is begun."""

    label: str
    action: str
    folder: str
    group: str = "group"
    times: int = 10  # the action is done so many times, then the job is well

    def run(self, on_epoch):
        diary = Path(self.folder) / self.label
        with diary.open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        if len(diary.read_text().splitlines()) <= self.times:
            getattr(self, self.action)(on_epoch)

    def nothing(self, on_epoch):
        pass

    def report(self, on_epoch):
        for number in range(3):
            on_epoch(EpochResult(number, 0.5, 0.5, None, None, None, 0.1))

    def exit(self, on_epoch):
        os._exit(7)

    def be_killed(self, on_epoch):
        os.kill(os.getpid(), signal.SIGKILL)

    def crash(self, on_epoch):
        os.kill(os.getpid(), signal.SIGABRT)

    def fail(self, on_epoch):
        raise ZeroDivisionError("nothing\nto divide by")

    def leave(self, on_epoch):
        raise SystemExit(3)

    def accuse_user(self, on_epoch):
        raise StudyError("expected something else")

    def lose(self, on_epoch):
        raise TrialLost("lost it")

    def be_busy(self, on_epoch):
        from bakeoff.study.jobs import Busy

        raise Busy

    def write_to_standard_output(self, on_epoch):
        print("printed by a builder", flush=True)  # noqa: T201
        os.write(1, b"written by a library\n")

    def sleep(self, on_epoch):
        time.sleep(120)
