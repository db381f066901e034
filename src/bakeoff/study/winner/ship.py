"""The model that cross-validation ships: trained once more, on all images, after all were opened.

No fold's network is the one to use: each has seen only (K - 1)/K of the images. What is shipped has
seen them all, and trains as many epochs as the folds' networks in the median.
"""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from filelock import Timeout

from bakeoff.data.split import Split
from bakeoff.errors import StorageError
from bakeoff.storage import formats, written_folder
from bakeoff.storage.fold_folders import median_fold_epoch
from bakeoff.storage.scratch import scratch_folder
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.create import Prepared
from bakeoff.study.environment import environment_here
from bakeoff.study.executors.interface import Lost, RunJobs
from bakeoff.study.jobs.job import Busy, TrainJob
from bakeoff.study.jobs.training_jobs import train_job, write_parts
from bakeoff.utils.events import OnEpoch, Planned, Watcher

SEED = 0


@dataclass(frozen=True)
class ShipJob:
    """Train a model on all images, for `epochs`; writes shipped/<model>/ of the study."""

    training: TrainJob
    epochs: int

    @property
    def label(self) -> str:
        """What the job is called in messages."""
        return f"{self.training.model} on all images"

    @property
    def affinity(self) -> str:
        """Jobs of the same affinity share compiled programs."""
        return self.training.affinity

    @property
    def runs_user_code(self) -> bool:
        """Whether a Python builder makes its network."""
        return self.training.runs_user_code

    def run(self, on_epoch: OnEpoch) -> None:
        """Train and write the model; raise Busy if somebody else is at it."""
        with self.claimed() as todo:
            if todo:
                self._train(self.writes()[0], on_epoch)

    @contextmanager
    def claimed(self) -> Iterator[bool]:
        """Hold the model's lock and give whether it is to be trained."""
        job = self.training
        folder = StudyFolder(job.study)
        try:
            with folder.lock(f"shipped.{job.model}", timeout=0):
                yield not _is_shipped(folder, job.model, self.epochs)
        except Timeout as error:
            raise Busy from error

    def reads(self) -> list[Path]:
        """Return the files of the images or of their features."""
        return self.training.reads()

    def writes(self) -> list[Path]:
        """Return the model's folder."""
        return [StudyFolder(self.training.study).shipped(self.training.model)]

    def keeps(self) -> list[Path]:
        """Return nothing: it has no checkpoints."""
        return []

    def _train(self, target: Path, on_epoch: OnEpoch) -> None:
        job, started = self.training, time.monotonic()
        data = job.development()
        trainer = job.trainer(data)
        while not trainer.done and len(trainer.history) < self.epochs:
            on_epoch(trainer.epoch())
        seconds = time.monotonic() - started
        files = job.files(data, trainer.result(), seconds, environment_here())
        images = len(data.train_labels) // data.passes
        document = {**json.loads(files["trial.json"]), "images": images}
        files["trial.json"] = formats.canonical(document)
        shutil.rmtree(target, ignore_errors=True)  # of fewer repeats, with another median
        written_folder.write_folder(target, files, scratch=target.with_name(f"{job.model}.partial"))


def ship(
    prepared: Prepared,
    model: str,
    do: RunJobs,
    *,
    watcher: Watcher,
) -> list[Lost]:
    """Train `model` on all images, unless it is there; return the job if it was lost."""
    folder = prepared.folder
    epoch = median_fold_epoch(folder, model)
    if epoch is None or _is_shipped(folder, model, epoch + 1):
        return []
    none = np.zeros(0, dtype=np.int64)
    everything = Split(train=prepared.split.test, validation=none, test=none)
    with scratch_folder(folder.scratch.resolve()) as scratch:
        write_parts(prepared.data, everything, scratch)
        _, trial = train_job(prepared, prepared.recipe.models[model], SEED, None, scratch)
        # without validation images the last epoch counts
        job = ShipJob(replace(trial, selection="last"), epoch + 1)
        watcher.begin("training", [Planned(job.label, job.epochs, 1.0)])
        return do([job])


def _is_shipped(folder: StudyFolder, model: str, epochs: int) -> bool:
    """Say whether the model is there, whole, and was trained for so many epochs."""
    try:
        document = folder.read_shipped(model)
    except StorageError:
        return False
    return document["epochs_trained"] == epochs or document["diverged_epoch"] is not None
