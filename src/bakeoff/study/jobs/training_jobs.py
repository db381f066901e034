"""A study's training as jobs: what each is given, how long it will take, how much memory.

The jobs are given the training and validation images, as files they map into memory. The test
images stay in this process.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bakeoff.data import DataSet
from bakeoff.data.folds import Folds
from bakeoff.data.split import Split
from bakeoff.errors import RecipeError
from bakeoff.recipe import ModelRecipe
from bakeoff.recipe.apply_setting import most
from bakeoff.recipe.architecture import describe, training_bytes
from bakeoff.storage import array_files, atomic, formats
from bakeoff.storage.search_folder import SearchFolder
from bakeoff.study.create import Prepared
from bakeoff.study.jobs import checkpoints
from bakeoff.study.jobs.baseline_job import BaselineJob
from bakeoff.study.jobs.development_data import write_development
from bakeoff.study.jobs.feature_jobs import FeatureJob, feature_jobs
from bakeoff.study.jobs.job import TrainJob
from bakeoff.study.planning.cost import baseline_seconds, trial_seconds
from bakeoff.utils.events import Planned

BASELINE_REPEAT = 0  # baselines have no seed: in cross-validation they are fitted to these folds
_OVERHEAD = 0.1  # seconds of starting a trial, for its share of the progress bar
_UNKNOWN = 20e-6  # seconds an image and epoch of a network that only Python knows


def train_job(
    prepared: Prepared, model: ModelRecipe, seed: int, fold: int | None, scratch: Path
) -> tuple[Planned, TrainJob]:
    """Return the job of a trial, or of one fold of it, and what a watcher is told of it."""
    split = prepared.split
    job = TrainJob(
        model=model.name,
        seed=seed,
        selection=prepared.recipe.selection,
        declared=model.model_copy(update={"search": None}).model_dump_json(),
        identity=trial_identity(prepared, model.name, seed, fold),
        checkpoint_seconds=checkpoints.CHECKPOINT_SECONDS,
        class_names=tuple(prepared.data.class_names),
        fold=fold,
        n_folds=split.n_folds if isinstance(split, Folds) and fold is not None else 0,
        builder=prepared.builders.get(model.name, ""),
        begun_with="" if model.search else prepared.identities[model.name],
        data=str(scratch if fold is None else _fold_folder(scratch, seed, fold)),
        **_common(prepared),
    )
    epochs, cost = model.training.epochs, _cost(prepared, model)
    return Planned(job.label, epochs, cost, job.selection, model=model.name), job


def baseline_job(prepared: Prepared, name: str, scratch: Path) -> tuple[Planned, BaselineJob]:
    """Return the job of a baseline, and what a watcher is told of it."""
    data: str | tuple[str, ...] = str(scratch)
    if isinstance(prepared.split, Folds):
        data = tuple(
            str(_fold_folder(scratch, BASELINE_REPEAT, fold))
            for fold in range(prepared.split.n_folds)
        )
    job = BaselineJob(name=name, data=data, **_common(prepared))
    fits = 1 if isinstance(data, str) else len(data)
    seconds = baseline_seconds(name, prepared.data, len(prepared.split.train), fits=fits)
    return Planned(job.label, 0, _OVERHEAD + seconds), job


def _common(prepared: Prepared) -> dict[str, Any]:
    return {
        "study": str(prepared.folder.path),
        "maximum": prepared.data.maximum,
        "n_classes": prepared.data.n_classes,
    }


def trial_identity(prepared: Prepared, model: str, seed: int, fold: int | None) -> str:
    """Return a hash of everything that a trial, or one fold of it, depends on."""
    split, of_fold = prepared.split, ""
    if isinstance(split, Folds) and fold is not None:
        split, of_fold = split.at(seed, fold), f" fold {fold}"
    parts = (prepared.identities[model], prepared.data.hash, split.hash, f"{seed}{of_fold}")
    return formats.sha256("\n".join(parts).encode())


def _cost(prepared: Prepared, model: ModelRecipe) -> float:
    data, split = prepared.data, prepared.split
    images = len(split.train)
    try:
        known = describe(model, data.input_shape, data.n_classes)
    except RecipeError:  # a Python builder: nobody knows before it has run
        return _OVERHEAD + _UNKNOWN * images * model.training.epochs
    return _OVERHEAD + trial_seconds(model, known, images=images, validation=len(split.validation))


def largest_trial(prepared: Prepared) -> int:
    """Return roughly the bytes that the largest trial takes; 0 for Python builders.

    Settings of searches that have not chosen yet are trials, too.
    """
    data = prepared.data

    def size(model: ModelRecipe) -> int:
        known = describe(model, data.input_shape, data.n_classes)
        return training_bytes(model, known, images=len(prepared.split.train))

    found = [0]
    for name, model in prepared.recipe.models.items():
        chosen = SearchFolder(prepared.folder.path, name).chosen()
        with suppress(RecipeError):
            found.append(size(model) if chosen else most(prepared.recipe, name, size))
    return max(found)


def missing_features(
    prepared: Prepared, models: Sequence[ModelRecipe], scratch: Path
) -> list[tuple[Planned, FeatureJob]]:
    """Return jobs for the features that the models' backbones lack; of all images, with folds."""
    if not any(model.frozen_backbone for model in models):
        return []
    validating = scratch / "validation_images.npy"  # seen as they are
    files = [scratch / "train_images.npy", validating]
    if isinstance(prepared.split, Folds):
        files = [scratch / "images.npy"]
        atomic.write_file(files[0], array_files.npy_bytes(prepared.data.images))
    maximum = prepared.data.maximum
    return [
        each
        for file in files
        for each in feature_jobs(models, file, maximum=maximum, changed=file != validating)
    ]


def write_images(
    prepared: Prepared,
    scratch: Path,
    wanted: set[tuple[int, int | None]],
    baselines: Sequence[str],
) -> None:
    """Write what jobs may see: the training and validation images, of every fold that is wanted.

    wanted : (seed, fold)
    """
    split = prepared.split
    if isinstance(split, Split):
        write_parts(prepared.data, split, scratch)
        return
    if baselines:
        wanted = wanted | {(BASELINE_REPEAT, fold) for fold in range(split.n_folds)}
    for seed, fold in sorted((seed, fold) for seed, fold in wanted if fold is not None):
        place = _fold_folder(scratch, seed, fold)
        with atomic.disk(place):
            place.mkdir()
        write_parts(prepared.data, split.at(seed, fold), place)


def _fold_folder(scratch: Path, seed: int, fold: int) -> Path:
    return scratch / f"{seed}-{fold}"


def write_parts(data: DataSet, split: Split, place: Path) -> None:
    """Write the training and validation images of a split into a folder for jobs."""
    arrays = {}
    for part, rows in (("train", split.train), ("validation", split.validation)):
        arrays[f"{part}_images"] = data.images[rows]
        arrays[f"{part}_labels"] = data.labels[rows]
    write_development(place, arrays)
