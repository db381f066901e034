"""The unit of work: a job is a frozen value, and doing it writes one folder or one file.

It names every file it needs, and nothing it needs is in memory, so that it can be done on another
machine. Training jobs are given the training and validation images; only a PredictJob, made when
the study opens its test set, is given test images.

The engine is imported when a job is done, so that making jobs loads neither Keras nor JAX.
"""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import Timeout

from bakeoff.analysis import metrics
from bakeoff.analysis.statistics import unit_of
from bakeoff.recipe import ModelRecipe
from bakeoff.recipe.kept_paths import without_folders
from bakeoff.recipe.vocabulary.backbones import BACKBONES
from bakeoff.storage import array_files, formats, history, written_folder
from bakeoff.storage.fold_folders import join_folds
from bakeoff.storage.study_folder import StudyFolder, trial_lock
from bakeoff.study.environment import environment_here
from bakeoff.study.jobs.checkpoint_names import newest_first
from bakeoff.study.jobs.checkpoints import Checkpoints
from bakeoff.study.jobs.development_data import (
    development_files,
    feature_files,
    read_development,
    with_features,
)
from bakeoff.study.jobs.model_identity import (
    require_as_planned,
    require_same_builder,
    require_still_declared,
)
from bakeoff.utils.events import EpochResult, OnEpoch, Resumed

if TYPE_CHECKING:
    from bakeoff.training.trainer import Development, Trained, Trainer


class Busy(Exception):
    """Another process is doing this job at this moment."""


@dataclass(frozen=True)
class TrainJob:
    """Train `model` with `seed`; writes trials/<model>/seed-<seed>/ of the study.

    declared : ModelRecipe as JSON
    identity : hash of everything the trial depends on; a checkpoint of another is not used
    data : folder with the arrays DEVELOPMENT as npy files
    checkpoint_seconds : how long at most until the work is saved; it is saved at the ends of epochs
    fold : which of `n_folds` is left out, in cross-validation; the last fold that is done writes
        the trial's folder, from those of all
    called : its label, where it is a setting of a search
    thresholds : by epoch, below which best validation accuracy so far it is stopped; () for none
    builder : hash of the Python builder that makes its network; "" where there is none
    begun_with : the model's identity in study.json as long as it trains; "" where a search chooses
    """

    study: str
    model: str
    seed: int
    selection: str
    declared: str
    identity: str
    data: str
    maximum: float
    n_classes: int
    checkpoint_seconds: float
    class_names: tuple[str, ...] = ()
    fold: int | None = None
    n_folds: int = 0
    called: str = ""
    thresholds: tuple[float | None, ...] = ()
    builder: str = ""
    begun_with: str = ""

    @property
    def label(self) -> str:
        """What the job is called in messages."""
        fold = "" if self.fold is None else f" fold {self.fold}"
        unit = unit_of(folded=self.fold is not None)
        return self.called or f"{self.model} {unit} {self.seed}{fold}"

    @property
    def affinity(self) -> str:
        """Jobs of the same affinity share compiled programs."""
        return self.model

    @property
    def runs_user_code(self) -> bool:
        """Whether a Python builder makes its network."""
        return self.recipe.python is not None

    @property
    def network_seed(self) -> int:
        """What fixes initial weights and shuffling; no two folds of a study share one.

        With one seed for all folds of a repeat, a lucky initialization would be lucky in all of
        them, and the means of folds would show too little of what networks differ by.
        """
        return self.seed if self.fold is None else self.seed * self.n_folds + self.fold

    @property
    def recipe(self) -> ModelRecipe:
        """The declared model."""
        return ModelRecipe.model_validate_json(self.declared)

    def run(self, on_epoch: OnEpoch) -> None:
        """Train what is left of the trial and write it; raise Busy if somebody else is at it."""
        with self.claimed() as todo:
            if todo:
                self._train(on_epoch)

    @contextmanager
    def claimed(self) -> Iterator[bool]:
        """Hold the trial's lock and give whether it is to be trained; tidy up once it is there."""
        folder = StudyFolder(self.study)
        folder.require_in_place()
        trial, (target, partial) = folder.trial(self.model, self.seed), self.places(folder)
        try:
            with folder.lock(trial_lock(self.model, self.seed, self.fold), timeout=0):
                require_still_declared(folder, self.model, self.begun_with)
                yield not trial.exists() and not target.exists()
                done = trial if trial.exists() else target
                written_folder.read_manifest(done)  # or it is a folder that somebody changed
                shutil.rmtree(partial, ignore_errors=True)
        except Timeout as error:
            raise Busy from error
        if self.fold is not None:
            join_folds(folder, self.model, self.seed, self.n_folds)

    def reads(self) -> list[Path]:
        """Return the files of its images or of their features, and its newest checkpoint."""
        recipe, files = self.recipe, development_files(Path(self.data))
        backbone = None if recipe.frozen_backbone is None else recipe.backbone
        if backbone is not None:
            files += feature_files(backbone, tuple(files[::2]), self.maximum)
        return files + newest_first(self.keeps()[0])[:1]

    def writes(self) -> list[Path]:
        """Return the folder of the finished trial or fold."""
        return [self.places(StudyFolder(self.study))[0]]

    def keeps(self) -> list[Path]:
        """Return the folder of the trial or fold in progress."""
        return [self.places(StudyFolder(self.study))[1]]

    def places(self, folder: StudyFolder) -> tuple[Path, Path]:
        """Return where the finished trial or fold goes, and where it is while it is trained."""
        if self.fold is None:
            return folder.trial(self.model, self.seed), folder.partial(self.model, self.seed)
        target = folder.fold(self.model, self.seed, self.fold)
        return target, target.with_name(f"{target.name}.partial")

    def development(self) -> "Development":
        """Return the images that it may see, or their features where it has a backbone."""
        images = read_development(
            Path(self.data),
            maximum=self.maximum,
            n_classes=self.n_classes,
            class_names=self.class_names,
        )
        recipe = self.recipe
        if recipe.frozen_backbone is None or recipe.backbone is None:
            return images
        return with_features(recipe.backbone, images)

    def _train(self, on_epoch: OnEpoch) -> None:
        data = self.development()
        self.remarks(data)  # refuses what would spoil the study before anything is trained
        trial = TrialInProgress(self, data)
        if trial.trainer.history:
            on_epoch(Resumed(trial.trainer.history))
        while not trial.trainer.done and not self.is_hopeless(trial.trainer.history):
            started = time.monotonic()
            on_epoch(trial.trainer.epoch())
            trial.spent(time.monotonic() - started)
        trial.write()

    def trainer(self, data: "Development") -> "Trainer":
        """Return what trains it, from the start; RecipeError where it is not what was planned."""
        from bakeoff.training.trainer import Trainer

        recipe = self.recipe
        made = Trainer(recipe, data, seed=self.network_seed, selection=self.selection)
        require_same_builder(recipe, self.builder)  # not before: it may be changed while it is read
        require_as_planned(recipe, data.input_shape, data.n_classes, made.parameters)
        return made

    def is_hopeless(self, history: Sequence[EpochResult]) -> bool:
        """Whether its best validation accuracy so far is below the threshold of the last epoch."""
        if not 0 < len(history) <= len(self.thresholds):
            return False
        threshold = self.thresholds[len(history) - 1]
        best = max((each.val_accuracy or 0.0 for each in history), default=0.0)
        return threshold is not None and best < threshold

    def remarks(self, data: "Development") -> list[str]:
        """Return codes of what is strange about a Python builder; RecipeError if it is bad."""
        python = self.recipe.python
        if python is None:
            return []
        from bakeoff.training.builders import builder_checks

        return list(builder_checks.remarks(python, data.input_shape, data.n_classes))

    def files(
        self,
        data: "Development",
        trained: "Trained",
        seconds: float,
        environment: Mapping[str, Any],
    ) -> dict[str, bytes]:
        """Return the content of the finished trial's folder, the manifest left out."""
        files = {
            "trial.json": formats.canonical(self._document(data, trained)),
            "history.csv": history.history_csv([asdict(each) for each in trained.history]),
            written_folder.WEIGHTS: array_files.weights_bytes(trained.weights),
            written_folder.TIMING: formats.sealed_json(timing_now(seconds)),
            written_folder.ENVIRONMENT: formats.sealed_json(environment),
        }
        if trained.validation is not None:
            files[written_folder.VALIDATION] = array_files.npy_bytes(trained.validation)
        return files

    def _document(self, data: "Development", trained: "Trained") -> dict[str, Any]:
        """Return trial.json."""
        recipe = self.recipe
        kept = recipe.frozen_backbone
        frozen = 0 if kept is None else BACKBONES[kept].parameters
        document: dict[str, Any] = {
            "model": self.model,
            "seed": self.seed,
            "selection": self.selection,
            "settings": without_folders(recipe.resolved()),
            "input_shape": list(data.image_shape or data.input_shape),
            "n_classes": data.n_classes,
            "parameters": trained.parameters + frozen,
            "trainable_parameters": trained.trainable_parameters,
            "epochs_trained": len(trained.history),
            "selected_epoch": trained.selected_epoch,
            "diverged_epoch": trained.diverged_epoch,
            "validation": None,
        }
        if self.fold is not None:  # its identity, to know it by before the trial is complete
            document["fold"] = self.fold
            document["network_seed"], document["identity"] = self.network_seed, self.identity
        left = len(trained.history) < recipe.training.epochs
        if left and self.is_hopeless(trained.history):
            document["pruned"] = True
        if remarks := self.remarks(data):
            document["remarks"] = remarks
        if trained.validation is not None:
            labels = data.validation_labels
            document["validation"] = {
                "images": len(labels),
                "accuracy": float(metrics.correct(trained.validation, labels).mean()),
                "cross_entropy": float(metrics.cross_entropy(trained.validation, labels).mean()),
            }
        return document


class TrialInProgress:
    """A trial that is being trained: where it stood, its checkpoints, its end."""

    def __init__(self, job: TrainJob, data: "Development") -> None:
        self.trainer = job.trainer(data)
        self.label = job.label
        self._job, self._data = job, data
        self._folder = StudyFolder(job.study)
        self._target, self._partial = job.places(self._folder)
        self._environment = environment_here()
        self._checkpoints = Checkpoints(
            self._partial, identity=job.identity, environment=self._environment
        )
        self._seconds, self._saved = self._checkpoints.restore(self.trainer), time.monotonic()

    def spent(self, seconds: float) -> None:
        """Count the time of an epoch; save the work if the last checkpoint is old enough."""
        self._seconds += seconds
        now = time.monotonic()
        if now - self._saved >= self._job.checkpoint_seconds and not self.trainer.done:
            self._folder.require_in_place()
            self._checkpoints.save(self.trainer, seconds=self._seconds)
            self._saved = now

    def write(self) -> None:
        """Write the finished trial."""
        started = time.monotonic()
        trained = self.trainer.result()
        seconds = self._seconds + time.monotonic() - started
        earlier = self._checkpoints.earlier
        environment = {**self._environment, **({"earlier": earlier} if earlier else {})}
        files = self._job.files(self._data, trained, seconds, environment)
        self._folder.require_in_place()
        written_folder.write_folder(self._target, files, scratch=self._partial / "finished")


def timing_now(seconds: float) -> dict[str, Any]:
    """Return the content of a timing.json: how long something took that ends now."""
    return {"seconds": round(seconds, 3), "finished": datetime.now(UTC).isoformat("T", "seconds")}
