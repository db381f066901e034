"""Trains a finished trial once more, in a folder of its own, and compares every file."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import DataSet
from bakeoff.data.folds import Folds
from bakeoff.data.split import Split
from bakeoff.errors import BakeoffError, StudyError, TrialLost
from bakeoff.recipe import Recipe
from bakeoff.storage import array_files, atomic, formats, written_folder
from bakeoff.storage.history import read_history
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import recorded_recipe
from bakeoff.study.create import Prepared, load_split
from bakeoff.study.create.begun_split import as_begun
from bakeoff.study.create.load_split import require_data
from bakeoff.study.environment import environment
from bakeoff.study.executors.fork_server import warm_up
from bakeoff.study.executors.interface import Job, Lost
from bakeoff.study.executors.lanes import lanes_of
from bakeoff.study.executors.local_processes import run_jobs
from bakeoff.study.jobs.model_identity import identity
from bakeoff.study.train_missing import train
from bakeoff.utils.events import Watcher
from bakeoff.utils.machine import Device, default_device, lacks


@dataclass(frozen=True)
class Repeat:
    """A trial beside the same trial trained again.

    files : those that differ, timing and environment left out
    weight_difference : the largest, absolute; None where the weights have other shapes
    accuracies : then and now, of the validation part, or of the training part without one
    environment : what has changed since, such as "jax 0.10.2, now 0.10.3"
    """

    label: str
    files: tuple[str, ...]
    weight_difference: float | None
    accuracies: tuple[float, float]
    environment: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What came out, with its numbers."""
        if not self.files:
            return f"{self.label}, trained again: every byte the same"
        apart = "weights of other shapes"
        if self.weight_difference is not None:
            apart = f"weights up to {self.weight_difference:.2g} apart"
        before, now = (f"{100 * accuracy:.2f} %" for accuracy in self.accuracies)
        since = f"; then {', '.join(self.environment)}" if self.environment else ""
        return (
            f"{self.label}, trained again: {', '.join(self.files)} differ; {apart}; accuracy "
            f"{before} then, {now} now{since}"
        )


def retrain(folder: StudyFolder, wanted: str, *, watcher: Watcher) -> Repeat:
    """Train a finished trial again, in a folder of its own, and compare every file.

    Parameters
    ----------
    wanted : "MODEL:SEED"

    Raises
    ------
    StudyError : no such trial is finished, code builds it, or its data are not what they were
    DataError : the data cannot be found
    TrialLost : it could not be trained
    """
    if lacking := lacks():
        raise StudyError(lacking)
    study = folder.read_study()
    recipe = recorded_recipe(folder, study)
    name, seed = _trial(folder, recipe, wanted)
    device = _device(study["environment"])
    parts = _parts(folder, study, recipe, name, seed)
    warm_up()
    with tempfile.TemporaryDirectory(prefix="bakeoff-") as place:
        again = StudyFolder(Path(place) / "study")

        def do(jobs: Sequence[Job]) -> list[Lost]:
            # without a cache of compiled programs: that is part of what is repeated
            lanes = lanes_of(recipe)
            return run_jobs(
                jobs, workers=1, device=device, cache=None, lanes=lanes, watcher=watcher
            )

        lost = train(Prepared(again, *parts, builders={}, notes=()), [name], do, watcher=watcher)
        if lost:
            raise TrialLost(f"{lost[0].label} could not be trained again: {lost[0].reason}")
        recorded = (folder.read_environments(name, seed) or [study["environment"]])[-1]
        return _compare(folder, again, name, seed, _changes(recorded, device))


def require_finished(folder: StudyFolder, wanted: str) -> None:
    """Raise StudyError unless `wanted`, "MODEL:SEED", is a finished trial; StorageError: damage."""
    _trial(folder, recorded_recipe(folder, folder.read_study()), wanted)


def _trial(folder: StudyFolder, recipe: Recipe, wanted: str) -> tuple[str, int]:
    name, _, number = wanted.rpartition(":")
    if name not in recipe.models or not number.isdecimal():
        raise StudyError(
            f"--retrain: expected MODEL:SEED with a model of the study "
            f"({', '.join(recipe.models)}), such as {next(iter(recipe.models))}:0, found {wanted!r}"
        )
    if int(number) not in folder.finished().get(name, []):
        done = ", ".join(map(str, folder.finished().get(name, []))) or "none"
        raise StudyError(
            f"--retrain: expected a finished trial, found {name} seed {number}, which is not; "
            f"finished seeds of {name}: {done}"
        )
    return name, int(number)


def _device(recorded: Mapping[str, Any]) -> Device:
    return "gpu" if recorded.get("device") == "gpu" and default_device() == "gpu" else "cpu"


def _parts(
    folder: StudyFolder, study: Mapping[str, Any], recipe: Recipe, name: str, seed: int
) -> tuple[Recipe, DataSet, Split | Folds, Mapping[str, str]]:
    """Return what one trial needs to be trained; StudyError if the data have changed."""
    require_data(folder, recipe)
    data, split = load_split(recipe)
    split = as_begun(folder, recipe, data, split)
    found = {"images": data.hash, "split": split.hash}
    for what, before in (("images", study["data"]["hash"]), ("split", study["split"])):
        if found[what] != before:
            raise StudyError(
                f"{folder.path}: expected the {what} it was trained with (SHA-256 {before[:12]}…), "
                f"found others ({found[what][:12]}…): restore the data to train a trial again"
            )
    model = recipe.models[name]
    if model.python is not None:
        raise StudyError(
            f"--retrain: expected a model of declared layers, found {name}, which Python code "
            "builds: a Python builder runs only where the recipe lists it; run that recipe with "
            "another --out, and compare the two studies"
        )
    identities = {name: identity(model, recipe)}
    if identities[name] != study["identities"][name]:
        raise formats.damaged(folder.study_file)
    one = recipe.model_copy(update={"seeds": (seed,), "models": {name: model}, "baselines": ()})
    return one, data, split, identities


def _compare(
    folder: StudyFolder, again: StudyFolder, name: str, seed: int, changes: tuple[str, ...]
) -> Repeat:
    before, now = folder.trial(name, seed), again.trial(name, seed)
    there = {
        str(path.relative_to(place))
        for place in (before, now)
        for path in place.rglob("*")
        if path.is_file()
    }
    names = sorted(
        name for name in there - {written_folder.MANIFEST} if not written_folder.kept_apart(name)
    )
    files = tuple(each for each in names if _content(before / each) != _content(now / each))
    accuracies = (_accuracy(folder, name, seed), _accuracy(again, name, seed))
    return Repeat(f"{name} seed {seed}", files, _apart(before, now), accuracies, changes)


def _content(path: Path) -> bytes | None:
    return atomic.read_file(path) if path.is_file() else None


def _apart(before: Path, now: Path) -> float | None:
    try:
        old, new = (_weights(path) for path in (before, now))
    except BakeoffError:
        return None
    if {k: v.shape for k, v in old.items()} != {k: v.shape for k, v in new.items()}:
        return None
    wide = [(old[key].astype(np.float64), new[key].astype(np.float64)) for key in old]
    return max((float(np.abs(a - b).max()) for a, b in wide if a.size), default=0.0)


def _weights(place: Path) -> dict[str, NDArray[Any]]:
    """Return the weights of a trial, or of all its folds."""
    return {
        f"{path.parent.name}/{name}" if path.parent != place else name: array
        for path in sorted(place.rglob(written_folder.WEIGHTS))
        for name, array in array_files.read_weights(path).items()
    }


def _accuracy(folder: StudyFolder, name: str, seed: int) -> float:
    validation = folder.read_trial(name, seed).get("validation")
    if validation:
        return float(validation["accuracy"])
    history = read_history(folder.trial(name, seed) / "history.csv")
    return float(history["accuracy"][-1])


def _changes(recorded: Mapping[str, Any], device: Device) -> tuple[str, ...]:
    now = environment(device)
    return tuple(
        f"{key} {recorded[key]}, now {now[key]}"
        for key in recorded
        if key in now and recorded[key] != now[key]
    )
