"""A job that trains several trials of one model in one program, as suits a GPU."""

import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from filelock import Timeout

from bakeoff.recipe import ModelRecipe
from bakeoff.storage import written_folder
from bakeoff.storage.study_folder import StudyFolder, trial_lock
from bakeoff.study.jobs import Busy, OnEpoch, TrainJob, TrialInProgress
from bakeoff.utils.events import Resumed


@dataclass(frozen=True)
class MultiTrialJob:
    """Train several trials of one model in one program, as suits a GPU; each is its own folder.

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

    def run(self, on_epoch: OnEpoch) -> None:
        """Train what is left of the trials; raise Busy if somebody else is at one of them."""
        folder = StudyFolder(self.jobs[0].study)
        folder.require_in_place()
        try:
            with ExitStack() as locks:
                for job in self.jobs:
                    locks.enter_context(folder.lock(trial_lock(job.model, job.seed), timeout=0))
                todo = [job for job in self.jobs if not folder.trial(job.model, job.seed).exists()]
                if todo:
                    self._train(todo, on_epoch)
                for job in self.jobs:
                    written_folder.read_manifest(folder.trial(job.model, job.seed))
                    shutil.rmtree(folder.partial(job.model, job.seed), ignore_errors=True)
        except Timeout as error:
            raise Busy from error

    def _train(self, todo: Sequence[TrainJob], on_epoch: OnEpoch) -> None:
        from bakeoff.training import multi_trial

        first = todo[0]
        data = multi_trial.resident(first.development())
        first.remarks(data)  # refuses what would spoil the study before anything is trained
        recipe = ModelRecipe.model_validate_json(first.declared)
        lanes = multi_trial.fitting(recipe, data, self.lanes)
        for start in range(0, len(todo), lanes):
            running = [TrialInProgress(job, data) for job in todo[start : start + lanes]]
            before = min((each.trainer.history for each in running), key=len)
            if before:
                on_epoch(Resumed(before))
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
    """Train an epoch of each; what is told is the trial with the longest way to go."""
    from bakeoff.training import multi_trial

    started = time.monotonic()
    results = multi_trial.epoch([each.trainer for each in running], lanes=lanes)
    share = (time.monotonic() - started) / len(running)
    for each in running:
        each.spent(share)
    on_epoch(min(results, key=lambda result: result.epoch))
