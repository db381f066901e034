"""A job that trains several trials of one model in one program, as suits a GPU."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bakeoff.study.jobs.job import TrainJob, TrialInProgress
from bakeoff.utils.events import OfTrial, OnEpoch, Resumed


@dataclass(frozen=True)
class MultiTrialJob:
    """Train several trials of one model in one program, as suits a GPU; each has its own folder.

    lanes : how many the program is made for, whatever is left to do; fewer if memory is short
    """

    jobs: tuple[TrainJob, ...]
    lanes: int

    @property
    def label(self) -> str:
        """What the job is called in messages."""
        seeds = [str(job.seed) for job in self.jobs]
        return f"{self.affinity} seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)}"

    @property
    def affinity(self) -> str:
        """Jobs of the same affinity share compiled programs."""
        return self.jobs[0].model

    @property
    def runs_user_code(self) -> bool:
        """Whether a Python builder makes its network."""
        return self.jobs[0].runs_user_code

    def run(self, on_epoch: OnEpoch) -> None:
        """Train what is left of the trials; raise Busy if somebody else is at one of them."""
        with ExitStack() as claims:
            todo = [job for job in self.jobs if claims.enter_context(job.claimed())]
            if todo:
                self._train(todo, on_epoch)

    @contextmanager
    def claimed(self) -> Iterator[bool]:
        """Hold the locks of all trials and give whether any is to be trained."""
        with ExitStack() as claims:
            yield any([claims.enter_context(job.claimed()) for job in self.jobs])

    def reads(self) -> list[Path]:
        """Return the files that the trials read."""
        return list(dict.fromkeys(path for job in self.jobs for path in job.reads()))

    def writes(self) -> list[Path]:
        """Return the folders of the finished trials."""
        return [path for job in self.jobs for path in job.writes()]

    def keeps(self) -> list[Path]:
        """Return the folders of the trials in progress."""
        return [path for job in self.jobs for path in job.keeps()]

    def _train(self, todo: Sequence[TrainJob], on_epoch: OnEpoch) -> None:
        from bakeoff.training import multi_trial

        first = todo[0]
        data = multi_trial.resident(first.development())
        first.remarks(data)  # refuses what would spoil the study before anything is trained
        lanes = multi_trial.fitting(first.recipe, data, self.lanes)
        for start in range(0, len(todo), lanes):
            running = [TrialInProgress(job, data) for job in todo[start : start + lanes]]
            for each in running:
                if each.trainer.history:
                    on_epoch(OfTrial(each.label, Resumed(each.trainer.history)))
            while running:
                running = _finished_written(running)
                if running:
                    _epoch_of_all(running, lanes, on_epoch)


def _finished_written(running: Sequence[TrialInProgress]) -> list[TrialInProgress]:
    """Write the trials that are done; return the others."""
    for each in running:
        if each.trainer.done:
            each.write()
    return [each for each in running if not each.trainer.done]


def _epoch_of_all(running: Sequence[TrialInProgress], lanes: int, on_epoch: OnEpoch) -> None:
    """Train an epoch of each, and tell it of each."""
    from bakeoff.training import multi_trial

    started = time.monotonic()
    results = multi_trial.epoch([each.trainer for each in running], lanes=lanes)
    share = (time.monotonic() - started) / len(running)
    for each, result in zip(running, results, strict=True):
        each.spent(share)
        on_epoch(OfTrial(each.label, result))
