"""Checks that every byte of a study is what was recorded, and trains a trial once more to compare.

Hashes are recorded beside what they are of: damage is detected, and so is tampering unless every
hash was recomputed.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import DataSet
from bakeoff.data.folds import Folds
from bakeoff.data.split import Split
from bakeoff.errors import BakeoffError, StorageError, StudyError, TrialLost, printable
from bakeoff.recipe import Recipe
from bakeoff.storage import array_files, atomic, formats, study_folder, written_folder
from bakeoff.storage.history import read_history
from bakeoff.storage.opened_weights import changed_trials
from bakeoff.storage.race_looks import look_folders
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import as_declared, recorded_recipe
from bakeoff.study.create import Prepared, identity, load_split
from bakeoff.study.environment import environment
from bakeoff.study.executors.fork_server import warm_up
from bakeoff.study.executors.interface import Job, Lost
from bakeoff.study.executors.local_processes import run_jobs
from bakeoff.study.extend import require_data
from bakeoff.study.train_missing import lanes_of, train
from bakeoff.utils import text
from bakeoff.utils.events import Watcher
from bakeoff.utils.machine import Device, default_device

DERIVED = (
    *("comparison.json", "report.html", "MODEL_CARD.md", "pictures.npz", "training_profile.npz"),
    "exports",
)
_SEED = re.compile(r"seed-(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[1-9][0-9]*")


@dataclass(frozen=True)
class Verification:
    """What was checked; `differences` and `notes` are sentences, and only the former are wrong."""

    folders: int  # trials, baselines and openings
    differences: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def summary(self) -> str:
        """What came out, in a sentence."""
        checked = f"checked {text.counted(self.folders, 'folder')} of trials, baselines, openings"
        if not self.differences:
            return f"{checked}: every byte is what was recorded"
        return f"{checked}: {text.counted(len(self.differences), 'difference')}"


def verify(folder: StudyFolder) -> Verification:
    """Check every file of a study that is not derived from others.

    Raises StudyError if there is no study, or one of another format.
    """
    folder.require()
    differences: list[str] = []
    study: Mapping[str, Any] | None = None
    try:
        study = folder.read_study()
    except StorageError as error:
        differences.append(str(error))
    folders = [*_numbered(folder, "trials/*/seed-*"), *_numbered(folder, "baselines/*")]
    folders += _numbered(folder, "shipped/*")
    folders += _numbered(folder, "search/*/trials/*/seed-*")
    folders += [*look_folders(folder), *_numbered(folder, "search/*/chosen")]
    clocked = {path for path in folders if path.name.startswith("seed-")}
    clocked |= {*_numbered(folder, "baselines/*"), *_numbered(folder, "shipped/*")}
    for path in [*folders, *folder.openings()]:
        differences += written_folder.check_folder(path)
        if path in clocked and not (path / written_folder.TIMING).is_file():
            differences.append(f"{path / written_folder.TIMING}: missing: restore it")
    if study is not None:
        differences += _check_declared(folder, study)
        differences += _check_openings(folder, study)
    return Verification(
        len(folders) + len(folder.openings()),
        tuple(dict.fromkeys(printable(each) for each in differences)),
        tuple(printable(each) for each in _leftovers(folder)),
    )


def _numbered(folder: StudyFolder, pattern: str) -> list[Path]:
    """Return the finished folders of a kind: those whose names do not say otherwise."""
    found = sorted(folder.path.glob(pattern))
    return [path for path in found if path.is_dir() and path.suffix != ".partial"]


def _check_declared(folder: StudyFolder, study: Mapping[str, Any]) -> Iterator[str]:
    """Yield what of recipe, split and trials is not what study.json says."""
    for path, key in ((folder.recipe_file, "recipe"), (folder.split_file, "split_file")):
        try:
            if atomic.hash_file(path) != study[key]:
                yield str(formats.damaged(path))
        except StorageError as error:
            yield str(error)
    try:
        recipe = recorded_recipe(folder, study)
    except StorageError as error:
        yield str(error)
        return
    declared = {
        folder.trial(name, seed): (name, seed) for name in recipe.models for seed in recipe.seeds
    }
    for path in _numbered(folder, "trials/*/seed-*"):
        if path not in declared:
            yield f"{path}: no trial of this study: its recipe does not declare it; move it away"
            continue
        name, seed = declared[path]
        try:
            trial = folder.read_trial(name, seed)
        except StorageError as error:
            yield str(error)
            continue
        if not _is(trial, name, seed, recipe):
            yield (
                f"{path}: expected {name} with seed {seed} as the recipe declares it, found "
                f"{trial.get('model')} with seed {trial.get('seed')}: the folder was exchanged; "
                "restore it"
            )


def _is(trial: Mapping[str, Any], name: str, seed: int, recipe: Recipe) -> bool:
    """Say whether a trial.json is of this model, seed, settings and selection."""
    same = (trial.get("model"), trial.get("seed")) == (name, seed)
    return same and as_declared(trial, recipe.models[name], recipe.selection)


def _check_openings(folder: StudyFolder, study: Mapping[str, Any]) -> Iterator[str]:
    """Yield where openings, ledger and trials do not agree."""
    try:
        ledger = folder.read_ledger()
    except StorageError as error:
        yield str(error)
        ledger = None
    numbers = [int(path.name) for path in folder.openings()]
    for path in folder.openings():
        number = int(path.name)
        try:
            opening = folder.read_opening(path)
        except StorageError as error:
            yield str(error)
            continue
        if opening.get("test") != study["data"]["test_hash"] or opening.get("opening") != number:
            yield f"{path}: an opening of another test set or number: restore it"
        if ledger is not None and not any(_same(line, opening) for line in ledger):
            yield f"{folder.ledger_file}: opening {number} is not in it: restore the line"
        if number == max(numbers):  # what an older one held may have been opened again since
            yield from _check_weights(folder, opening, ledger or [])
    own = {int(line["opening"]) for line in ledger or () if not line.get("restored")}
    for number in sorted(own - set(numbers)):
        path = folder.path / "openings" / str(number)
        begun = path.with_name(f"{number}.partial").exists()
        if not begun:
            yield (
                f"{path}: missing, though the ledger has it: restore it, or run the study again: "
                "the same trials are opened under the same number, others count as another opening"
            )


def _check_weights(
    folder: StudyFolder, opening: Mapping[str, Any], ledger: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Yield the trials that are no longer what was opened."""
    try:
        changed = changed_trials(folder, opening, ledger)
    except StorageError as error:
        yield str(error)
        return
    for each in changed:
        path = folder.trial(each.model, each.seed)
        found = "missing" if each.how == "removed" else "another trial"
        yield f"{path}: {found}, though opening {opening['opening']} used it: restore it"


def _same(line: Mapping[str, Any], opening: Mapping[str, Any]) -> bool:
    keys = [key for key in ("opening", "models", "test", "weights") if line.get(key)]
    return all(line[key] == opening.get(key) for key in keys)


def _leftovers(folder: StudyFolder) -> Iterator[str]:
    """Yield what is there and is no part of the record."""
    known = {folder.recipe_file, folder.study_file, folder.split_file, folder.ledger_file}
    known |= {folder.path / name for name in (*DERIVED, *study_folder.FOLDERS)}
    folders = [(folder.path, re.compile(r"(?!)")), (folder.path / "openings", _NUMBER)]
    folders += [(path, _SEED) for path in sorted(folder.path.glob("trials/*")) if path.is_dir()]
    for each, name in folders:
        for path in sorted(each.iterdir()) if each.is_dir() else ():
            if path.name.startswith(".") or path in known or name.fullmatch(path.name):
                continue
            if path.suffix == ".partial":
                yield f"{path}: begun and not finished; the next run goes on with it"
            else:
                yield f"{path}: no part of the study"


# ── once more ────────────────────────────────────────────────────────────────────────────────


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

        lost = train(Prepared(again, *parts, ()), [name], do, watcher=watcher)
        if lost:
            raise TrialLost(f"{lost[0].label} could not be trained again: {lost[0].reason}")
        recorded = (folder.read_environments(name, seed) or [study["environment"]])[-1]
        return _compare(folder, again, name, seed, _changes(recorded, device))


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
