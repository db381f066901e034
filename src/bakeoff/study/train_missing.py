"""Training what a study lacks: trials and baselines become jobs, the longest first.

The jobs are given the training and validation images, as files they map into memory. The test
images stay in this process.
"""

import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import Timeout

from bakeoff.data import DataSet
from bakeoff.data.folds import Folds
from bakeoff.data.split import Split
from bakeoff.errors import RecipeError
from bakeoff.recipe import ModelRecipe
from bakeoff.recipe.apply_setting import most
from bakeoff.recipe.architecture import describe, training_bytes
from bakeoff.storage import array_files, atomic, formats, written_folder
from bakeoff.storage.race_looks import dropped_models
from bakeoff.storage.scratch import clear_scratch, scratch_folder
from bakeoff.storage.search_folder import SearchFolder
from bakeoff.storage.study_folder import StudyFolder, trial_lock
from bakeoff.storage.study_recipe import as_declared
from bakeoff.study.create import Prepared
from bakeoff.study.executors.interface import Lost, MovableJob, RunJobs
from bakeoff.study.jobs import checkpoints
from bakeoff.study.jobs.builder_jobs import builder_jobs
from bakeoff.study.jobs.development_data import write_development
from bakeoff.study.jobs.feature_jobs import FeatureJob, feature_jobs
from bakeoff.study.jobs.job import BaselineJob, TrainJob
from bakeoff.study.planning.cost import baseline_seconds, trial_seconds
from bakeoff.utils.events import Planned, Watcher

BASELINE_REPEAT = 0  # baselines have no seed: in cross-validation they are fitted to these folds
_OVERHEAD = 0.1  # seconds of starting a trial, for its share of the progress bar
_UNKNOWN = 20e-6  # seconds an image and epoch of a network that only Python knows


def train(
    prepared: Prepared,
    only: Sequence[str],
    do: RunJobs,
    *,
    seeds: Collection[int] | None = None,
    without: Sequence[tuple[str, int]] = (),
    watcher: Watcher,
) -> tuple[Lost, ...]:
    """Train the trials that are missing, of the models in `only` if it names any.

    seeds : those of this stage; None for all
    without : trials, (model, seed), that are not trained

    Returns
    -------
    The jobs that were lost.
    """
    folder, recipe = prepared.folder, prepared.recipe
    clear_scratch(folder.scratch)
    done = folder.finished()
    _clear_away(folder, done)
    _discard_folds(prepared, watcher)
    missing = [
        (recipe.models[name], seed, fold)
        for name, seed in missing_trials(prepared, seeds)
        if (not only or name in only) and (name, seed) not in without
        for fold in _unfinished(prepared, name, seed)
    ]
    baselines = [b for b in recipe.baselines if not only and not folder.baseline(b).exists()]
    if not missing and not baselines:
        return ()

    def run(title: str, planned: Sequence[tuple[Planned, MovableJob]]) -> tuple[Lost, ...]:
        if not planned:
            return ()
        watcher.begin(title, [plan for plan, _ in planned])
        return tuple(do([job for _, job in planned]))

    with scratch_folder(folder.scratch.resolve()) as scratch:
        _write_development(prepared, scratch, {each[1:] for each in missing}, baselines)
        models, data = [model for model, _, _ in missing], prepared.data
        # where a builder is lost, so are its trials: others go on
        run("builders", builder_jobs(models, data.input_shape, data.n_classes))
        if lost := run("features", missing_features(prepared, models, scratch)):
            return lost
        jobs: list[tuple[Planned, MovableJob]] = [
            *(train_job(prepared, *each, scratch) for each in missing),
            *(_baseline_job(prepared, name, scratch) for name in baselines),
        ]
        # the longest first, so that no worker is left with a long one
        return run("training", sorted(jobs, key=lambda each: -each[0].cost))


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


def _unfinished(prepared: Prepared, model: str, seed: int) -> list[int | None]:
    """Return the folds that are left to train of an unfinished trial; [None] without folds."""
    if not isinstance(prepared.split, Folds):
        return [None]
    last = prepared.split.n_folds - 1
    left = [k for k in range(last + 1) if not prepared.folder.fold(model, seed, k).exists()]
    return [*(left or [last])]  # where none is left, that one's job joins them


def _identity(prepared: Prepared, model: str, seed: int, fold: int | None) -> str:
    """Return a hash of everything that a trial, or one fold of it, depends on."""
    split, of_fold = prepared.split, ""
    if isinstance(split, Folds) and fold is not None:
        split, of_fold = split.at(seed, fold), f" fold {fold}"
    parts = (prepared.identities[model], prepared.data.hash, split.hash, f"{seed}{of_fold}")
    return formats.sha256("\n".join(parts).encode())


def _discard_folds(prepared: Prepared, watcher: Watcher) -> None:
    """Remove finished folds of unfinished trials that were trained as is declared no more.

    A model may be changed as long as no trial of it is complete; folds of two networks would make
    one trial.
    """
    if not isinstance(prepared.split, Folds):
        return
    for model, seed in missing_trials(prepared):
        for fold in range(prepared.split.n_folds):
            place = prepared.folder.fold(model, seed, fold)
            if place.exists() and not _is_as_declared(prepared, place, model, seed, fold):
                watcher.note(f"{model} repeat {seed} fold {fold}: was trained otherwise; once more")
                gone = place.with_name(f"{place.name}.discarded")
                place.rename(gone)  # first, so that it is never there in part
                shutil.rmtree(gone, ignore_errors=True)


def _is_as_declared(prepared: Prepared, place: Path, model: str, seed: int, fold: int) -> bool:
    """Say whether a finished fold was trained as is declared now; its identity is new in 0.2."""
    document = written_folder.read_document(place, "trial.json")
    if "identity" in document:
        return bool(document["identity"] == _identity(prepared, model, seed, fold))
    declared = prepared.recipe.models[model]
    return declared.python is None and as_declared(document, declared, prepared.recipe.selection)


def missing_trials(
    prepared: Prepared, seeds: Collection[int] | None = None
) -> list[tuple[str, int]]:
    """Return the trials, (model, seed), that the recipe declares and nobody has finished.

    Models that a race has dropped have none. `seeds`: those to look at; None for all.
    """
    done, out = prepared.folder.finished(), dropped_models(prepared.folder)
    return [
        (name, seed)
        for name in prepared.recipe.models
        for seed in prepared.recipe.seeds
        if seed not in done.get(name, []) and name not in out and (seeds is None or seed in seeds)
    ]


def _clear_away(folder: StudyFolder, done: Mapping[str, Sequence[int]]) -> None:
    """Remove the checkpoints of trials that were finished just before their process was killed."""
    for model, seeds in done.items():
        for seed in seeds:
            partial = folder.partial(model, seed)
            if partial.exists():
                with suppress(Timeout), folder.lock(trial_lock(model, seed), timeout=0):
                    shutil.rmtree(partial, ignore_errors=True)


def _common(prepared: Prepared) -> dict[str, Any]:
    return {
        "study": str(prepared.folder.path),
        "maximum": prepared.data.maximum,
        "n_classes": prepared.data.n_classes,
    }


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
        identity=_identity(prepared, model.name, seed, fold),
        checkpoint_seconds=checkpoints.CHECKPOINT_SECONDS,
        class_names=tuple(prepared.data.class_names),
        fold=fold,
        n_folds=split.n_folds if isinstance(split, Folds) and fold is not None else 0,
        builder=prepared.builders.get(model.name, ""),
        begun_with="" if model.search else prepared.identities[model.name],
        data=str(scratch if fold is None else _of_fold(scratch, seed, fold)),
        **_common(prepared),
    )
    cost = _cost(prepared, model)
    return Planned(job.label, model.training.epochs, cost, job.selection), job


def whole_job(prepared: Prepared, model: str, seed: int, place: Path) -> TrainJob:
    """Return a job for a model on images without validation, whose last epoch counts."""
    _, job = train_job(prepared, prepared.recipe.models[model], seed, None, place)
    return replace(job, selection="last")


def _baseline_job(prepared: Prepared, name: str, scratch: Path) -> tuple[Planned, MovableJob]:
    data: str | tuple[str, ...] = str(scratch)
    if isinstance(prepared.split, Folds):
        data = tuple(
            str(_of_fold(scratch, BASELINE_REPEAT, fold)) for fold in range(prepared.split.n_folds)
        )
    job = BaselineJob(name=name, data=data, **_common(prepared))
    fits = 1 if isinstance(data, str) else len(data)
    seconds = baseline_seconds(name, prepared.data, len(prepared.split.train), fits=fits)
    return Planned(job.label, 0, _OVERHEAD + seconds), job


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


def _write_development(
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
        place = _of_fold(scratch, seed, fold)
        with atomic.disk(place):
            place.mkdir()
        write_parts(prepared.data, split.at(seed, fold), place)


def _of_fold(scratch: Path, seed: int, fold: int) -> Path:
    return scratch / f"{seed}-{fold}"


def write_parts(data: DataSet, split: Split, place: Path) -> None:
    """Write the training and validation images of a split into a folder for jobs."""
    arrays = {}
    for part, rows in (("train", split.train), ("validation", split.validation)):
        arrays[f"{part}_images"] = data.images[rows]
        arrays[f"{part}_labels"] = data.labels[rows]
    write_development(place, arrays)
