"""Carries a recipe out: trains what is missing, opens the test set once, compares, reports.

So the same command again goes on where it was stopped, and on a finished study it opens nothing.
What a recipe may change meanwhile: create/extend.py.
"""

import multiprocessing as mp
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bakeoff.data import DataSet
from bakeoff.data.folds import Folds
from bakeoff.errors import RecipeError, StudyError
from bakeoff.recipe import Recipe
from bakeoff.recipe.parsing.parse_split import SEED_COUNT
from bakeoff.recipe.types import Race
from bakeoff.storage.study_folder import StudyFolder, place_of
from bakeoff.study import arguments
from bakeoff.study.compare import compare
from bakeoff.study.create import Prepared, prepare
from bakeoff.study.executors.choose import executor
from bakeoff.study.executors.fork_server import WORKER, warm_up
from bakeoff.study.executors.interface import Lost, RunJobs
from bakeoff.study.executors.lanes import lanes_of
from bakeoff.study.jobs.training_jobs import largest_trial
from bakeoff.study.opening.looks import needed, of_stage, still_open
from bakeoff.study.opening.open_test_set import open_test_set
from bakeoff.study.planning.stages import Stage, stages_left
from bakeoff.study.race import take_look
from bakeoff.study.result import Result
from bakeoff.study.train_missing import missing_trials, train
from bakeoff.study.tuning.search import search, searching
from bakeoff.study.winner.ship import ship
from bakeoff.study.winner.training_profile import write_profile
from bakeoff.utils.events import Watcher
from bakeoff.utils.machine import Device, default_device, lacks


@dataclass(frozen=True)
class _Asked:
    """What a run was asked for.

    only : the models to train; () for all
    opens : whether the test set is to be opened in the end
    excused : trials, (model, seed), without which it is opened if they are missing
    of_looks : how many looks the declared race has, of which --seeds may leave out the last
    """

    only: tuple[str, ...]
    opens: bool
    excused: tuple[tuple[str, int], ...]
    of_looks: int


def run(
    recipe: Recipe,
    *,
    out: str | Path | None = None,
    seeds: int | None = None,
    only: Sequence[str] = (),
    workers: int | None = None,
    device: Device | None = None,
    keep_sealed: bool = False,
    data: DataSet | None = None,
    open_without: Sequence[str] = (),
    on: str | None = None,
    watcher: Watcher | None = None,
) -> Result:
    """Train what is missing, open the test set, compare, write the report.

    Where the recipe declares looks, the test set is opened at each of them until every pair is
    settled, and only models of pairs that are not are trained further.

    Parameters
    ----------
    out : the study's folder; studies/<name> by default
    seeds : how many seeds (0, 1, …) instead of the recipe's
    only : names of models to train; with any, nothing is opened
    workers : trials at a time; by default one for each core, one on a GPU
    device : "cpu" or "gpu"; by default a GPU where Bakeoff's gpu extra is installed
    keep_sealed : train everything, open nothing
    data : the data set, where the recipe names arrays that were given in Python
    open_without : trials, "MODEL:SEED", that are not trained if they are missing, and without which
        the test set is opened; the ledger keeps them. Any other trial that is lost keeps it sealed.
    on : "ray" for a Ray cluster, the one that RAY_ADDRESS names or one on this machine;
        "ray://HOST:PORT" for another; None for processes of this machine

    Raises
    ------
    UsageError, StorageError
    """
    watcher = watcher or Watcher()
    seeds = None if seeds is None else arguments.whole(seeds, "seeds")
    workers = None if workers is None else arguments.whole(workers, "workers")
    only = arguments.names(only, "only")
    open_without = arguments.names(open_without, "open_without")
    keep_sealed, device = arguments.flag(keep_sealed, "keep_sealed"), arguments.a_device(device)
    if out is not None:
        out = arguments.a_path(out, "out")
    require_able_to_train()
    of_looks = len(recipe.race.after) if recipe.race else 0
    recipe = _with_seeds(recipe, seeds)
    require_models(recipe, only)
    asked = _Asked(
        only=only,
        opens=not only and not keep_sealed,
        excused=tuple(_trial(each, recipe) for each in open_without),
        of_looks=of_looks,
    )
    folder = StudyFolder(place_of(recipe.name, out))
    prepared_now = partial(
        prepare,
        recipe,
        folder,
        device=device or default_device(),
        opens=asked.opens,
        accepted=warm_up if on is None else None,
        trains_here=on is None,
    )
    with executor(
        on,
        home=folder.path,
        workers=workers,
        device=device,
        lanes=lanes_of(recipe),
        watcher=watcher,
    ) as executing:
        prepared = prepared_now(data=data)
        for note in (*prepared.notes, *_notes_on(asked.excused, folder)):
            watcher.note(note)
        executing.fit(largest_trial(prepared), trials=len(missing_trials(prepared)))
        folder.require_in_place()
        if searching(prepared.recipe, folder.path, only):
            search(prepared, executing, only=only, watcher=watcher)
            prepared = prepared_now(data=prepared.data)
            executing.fit(largest_trial(prepared), trials=len(missing_trials(prepared)))
        return _carry_out(prepared, executing.run_jobs, asked, watcher=watcher)


def _carry_out(prepared: Prepared, do: RunJobs, asked: _Asked, *, watcher: Watcher) -> Result:
    folder = prepared.folder
    lost: tuple[Lost, ...] = ()
    ledger = folder.read_ledger()
    left = stages_left(prepared.recipe, ledger)
    result, names = None, asked.only or needed(prepared, left[0], ledger)
    for stage in left:
        lost += train(
            prepared, names, do, seeds=stage.seeds, without=asked.excused, watcher=watcher
        )
        waiting = _waiting(prepared, stage, () if asked.only else names, asked.excused)
        if waiting:
            return Result(folder, None, lost, waiting if asked.opens else ())
        if stage.race:
            take_look(prepared, stage.seeds, of_looks=asked.of_looks, watcher=watcher)
        if not stage.opens:
            continue
        if not asked.opens or not folder.finished():  # what a later look needs, this one would tell
            return Result(folder, None, lost)
        result = _opened(prepared, stage, do, asked, lost=lost, watcher=watcher)
        names = still_open(prepared, stage, result.comparison, watcher=watcher)
        if not names:
            break
    if result is None:
        return Result(folder, None, lost)
    recommended = result.comparison.recommended
    if isinstance(prepared.split, Folds) and recommended and recommended.model:
        unshipped = ship(prepared, recommended.model, do, watcher=watcher)
        result = replace(result, lost=(*result.lost, *unshipped))
    return result


def _waiting(
    prepared: Prepared, stage: Stage, names: Sequence[str], excused: Sequence[tuple[str, int]]
) -> tuple[str, ...]:
    """Return the trials of a stage, "MODEL:SEED", that are missing and that nobody has excused.

    names : the models to look at; () for all
    """
    known = {e for line in prepared.folder.read_ledger() for e in line.get("without", ())}
    known |= {f"{name}:{seed}" for name, seed in excused}
    missing = [
        f"{name}:{seed}"
        for name, seed in missing_trials(prepared, stage.seeds)
        if not names or name in names
    ]
    return tuple(each for each in missing if each not in known)


def _opened(
    prepared: Prepared,
    stage: Stage,
    do: RunJobs,
    asked: _Asked,
    *,
    lost: Sequence[Lost],
    watcher: Watcher,
) -> Result:
    """Open the test set for a stage's models, compare them, and write what came out."""
    open_test_set(of_stage(prepared, stage), do, without=asked.excused, watcher=watcher)
    folder = prepared.folder
    with folder.lock("study"):
        result = compare([folder], lost=lost).illustrated(prepared.data)
        result.write()
        write_profile(folder, prepared.data)
    return result


# ── parts of run ─────────────────────────────────────────────────────────────────────────────


def _with_seeds(recipe: Recipe, seeds: int | None) -> Recipe:
    if seeds is None:
        return recipe
    if seeds < 1:
        raise RecipeError(f"--seeds: expected at least 1, found {seeds}")
    if seeds > SEED_COUNT.high:
        raise RecipeError(f"--seeds: expected at most {SEED_COUNT.high:,}, found {seeds:,}")
    race = recipe.race
    if race is not None:
        after = tuple(each for each in race.after if each < seeds)
        race = Race(after=after) if after else None
    update = {"seeds": tuple(range(seeds)), "race": race, "looks": ()}
    return recipe.model_copy(update=update)


def require_able_to_train() -> None:
    """Refuse a process that may not start workers, and a machine that lacks what they need."""
    _require_outside_workers()
    if lacking := lacks():
        raise StudyError(lacking)


def _require_outside_workers() -> None:
    """Refuse to run a study in a worker, which imports the file that a builder is in."""
    here = mp.current_process()
    if here.daemon and here.name != WORKER:
        raise StudyError(
            "expected a process that may start others, found one of a multiprocessing.Pool, which "
            "may not: run the study in the main process, a thread, or a ProcessPoolExecutor"
        )
    if here.daemon:
        raise StudyError(
            "expected a builder's file that only defines things, found one that runs a study when "
            "it is imported: put `if __name__ == '__main__':` before the run, or the builder into "
            "another file"
        )


def _trial(wanted: str, recipe: Recipe) -> tuple[str, int]:
    """Return the model and the seed that "MODEL:SEED" names."""
    name, _, seed = wanted.rpartition(":")
    if name not in recipe.models or not seed.isdecimal() or int(seed) not in recipe.seeds:
        first = f"{next(iter(recipe.models))}:{recipe.seeds[0]}"
        raise RecipeError(
            f"--open-without: expected MODEL:SEED of a trial of the recipe, such as {first}, found "
            f"{wanted!r}"
        )
    return name, int(seed)


def _notes_on(excused: Sequence[tuple[str, int]], folder: StudyFolder) -> Iterator[str]:
    """Yield what becomes of each trial that is excused: one that is there counts all the same."""
    done = folder.finished()
    for name, seed in excused:
        there = seed in done.get(name, ())
        what = "there, and counts" if there else "not trained; the test set is opened without it"
        yield f"{name} seed {seed}, of --open-without, is {what}"


def require_models(recipe: Recipe, only: Sequence[str]) -> None:
    """Refuse names that are not models of the recipe."""
    for name in only:
        if name not in recipe.models:
            known = ", ".join(recipe.models)
            raise RecipeError(f"--only: expected a model of the recipe ({known}), found {name!r}")
