"""Training what a study lacks: trials and baselines become jobs, the longest first."""

import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import Timeout

from bakeoff.data.folds import Folds
from bakeoff.storage import written_folder
from bakeoff.storage.race_looks import dropped_models
from bakeoff.storage.scratch import clear_scratch, scratch_folder
from bakeoff.storage.study_folder import StudyFolder, trial_lock
from bakeoff.storage.study_recipe import as_declared
from bakeoff.study.create import Prepared
from bakeoff.study.executors.interface import Lost, MovableJob, RunJobs
from bakeoff.study.jobs.builder_jobs import builder_jobs
from bakeoff.study.jobs.training_jobs import (
    baseline_job,
    missing_features,
    train_job,
    trial_identity,
    write_images,
)
from bakeoff.utils.events import Planned, Watcher


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
        write_images(prepared, scratch, {each[1:] for each in missing}, baselines)
        models, data = [model for model, _, _ in missing], prepared.data
        # where a builder is lost, so are its trials: others go on
        run("builders", builder_jobs(models, data.input_shape, data.n_classes))
        if lost := run("features", missing_features(prepared, models, scratch)):
            return lost
        jobs: list[tuple[Planned, MovableJob]] = [
            *(train_job(prepared, *each, scratch) for each in missing),
            *(baseline_job(prepared, name, scratch) for name in baselines),
        ]
        # the longest first, so that no worker is left with a long one
        return run("training", sorted(jobs, key=lambda each: -each[0].cost))


def _unfinished(prepared: Prepared, model: str, seed: int) -> list[int | None]:
    """Return the folds that are left to train of an unfinished trial; [None] without folds."""
    if not isinstance(prepared.split, Folds):
        return [None]
    last = prepared.split.n_folds - 1
    left = [k for k in range(last + 1) if not prepared.folder.fold(model, seed, k).exists()]
    return [*(left or [last])]  # where none is left, that one's job joins them


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
        return bool(document["identity"] == trial_identity(prepared, model, seed, fold))
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
