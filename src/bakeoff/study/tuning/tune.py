"""`bakeoff tune`: the searches of a recipe alone; nothing else is trained, nothing is opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bakeoff.analysis.tuning import Searched, analysed, read_searches
from bakeoff.data import DataSet
from bakeoff.errors import RecipeError
from bakeoff.recipe import Recipe
from bakeoff.storage.study_folder import StudyFolder, place_of
from bakeoff.study.create import prepare
from bakeoff.study.executors.choose import executor
from bakeoff.study.executors.fork_server import warm_up
from bakeoff.study.executors.lanes import lanes_of
from bakeoff.study.jobs.training_jobs import largest_trial
from bakeoff.study.run import require_able_to_train, require_models
from bakeoff.study.tuning.samplers import limit
from bakeoff.study.tuning.search import search, searching
from bakeoff.utils.events import Watcher
from bakeoff.utils.machine import Device, default_device


def tune(
    recipe: Recipe,
    *,
    out: str | Path | None = None,
    only: Sequence[str] = (),
    workers: int | None = None,
    device: Device | None = None,
    data: DataSet | None = None,
    on: str | None = None,
    watcher: Watcher | None = None,
) -> tuple[Searched, ...]:
    """Find the settings of the models that leave choices open, on validation images alone.

    `run` with the same recipe and folder then trains the chosen settings with fresh seeds.

    Parameters
    ----------
    out : the study's folder; studies/<name> by default
    only : names of models to search; all by default
    workers : settings at a time; by default one for each core, one on a GPU
    on : "ray" or "ray://HOST:PORT" to train on a Ray cluster

    Raises
    ------
    UsageError, StudyError, StorageError
    """
    watcher = watcher or Watcher()
    require_able_to_train()
    require_models(recipe, only)
    _require_choices(recipe, only)
    folder = StudyFolder(place_of(recipe.name, out))
    if on is None and searching(recipe, folder.path, only):
        warm_up()  # its imports take as long as reading the images, and more
    with executor(
        on,
        home=folder.path,
        workers=workers,
        device=device,
        lanes=lanes_of(recipe),
        watcher=watcher,
    ) as place:
        prepared = prepare(
            recipe,
            folder,
            device=device or default_device(),
            data=data,
            trains_here=on is None,
        )
        for note in prepared.notes:
            watcher.note(note)
        left = searching(prepared.recipe, folder.path, only)
        settings = sum(limit(s) for name in left if (s := prepared.recipe.models[name].search))
        place.fit(largest_trial(prepared), trials=settings)
        folder.require_in_place()
        search(prepared, place, only=only, watcher=watcher)
    return tuple(analysed(each) for each in read_searches(folder, prepared.recipe))


def _require_choices(recipe: Recipe, only: Sequence[str]) -> None:
    """Refuse models that leave nothing open: nothing would be searched."""
    open_ones = [name for name, model in recipe.models.items() if model.search is not None]
    if not open_ones:
        raise RecipeError(
            "tune: expected a recipe with a choice, such as units: {choice: [64, 128]}, found "
            "none: bakeoff run trains its models as they are"
        )
    known = ", ".join(open_ones)
    for name in only:
        if name not in open_ones:
            raise RecipeError(
                f"tune: --only: expected a model that leaves a choice open ({known}), "
                f"found {name!r}, which leaves none open: name another, or leave --only out"
            )


def to_json(searches: Sequence[Searched]) -> list[dict[str, Any]]:
    """Return what `bakeoff tune --json` prints."""
    return [each.to_json() for each in searches]
