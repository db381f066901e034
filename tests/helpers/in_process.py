"""Jobs done in the test's own process, one after the other, with the programs of earlier tests.

For tests of what a study does with the results of its jobs: starting workers, and compiling in each
of them what another has compiled, is most of a small study's time. Real workers have the tests of
executors, and those of runs and commands that are about workers, kills and full disks.
"""

from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import pytest

from bakeoff.errors import BakeoffError, StorageError, UsageError
from bakeoff.study.executors.interface import Job, Lost, More, labels
from bakeoff.study.jobs.job import Busy
from bakeoff.training import epoch_program, predict, trainer
from bakeoff.utils.events import Watcher

ATTEMPTS = 2
PROGRAM = lru_cache(maxsize=64)(epoch_program.program_of.__wrapped__)
PREDICTOR = lru_cache(maxsize=64)(predict._predictor.__wrapped__)


def keep_programs(patched: pytest.MonkeyPatch) -> None:
    """Keep the programs of many models."""
    patched.setattr(trainer, "program_of", PROGRAM)
    patched.setattr(predict, "_predictor", PREDICTOR)


def run_jobs(
    jobs: Sequence[Job], *, watcher: Watcher, more: More | None = None, **_: Any
) -> list[Lost]:
    """Do all jobs here, as the executors' `run_jobs` does, and return those that were lost."""
    waiting, lost = deque(jobs), []
    while waiting:
        job = waiting.popleft()
        if (found := _done(job, watcher)) is not None:
            lost.append(found)
        if more is not None:
            waiting.extend(more(job.label, found))
    return lost


def _done(job: Job, watcher: Watcher) -> Lost | None:
    reason = ""
    for _ in range(ATTEMPTS):
        for label in labels(job):
            watcher.started(label)
        try:
            job.run(lambda event: watcher.told(job.label, event))
        except (UsageError, StorageError, Busy):
            raise
        except BakeoffError as error:
            reason = str(error)
            continue
        for label in labels(job):
            watcher.finished(label)
        return None
    watcher.lost(job.label)
    return Lost(job.label, reason)
