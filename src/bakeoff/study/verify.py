"""Checks that every byte of a study is what was recorded, and that no part of it is gone.

Hashes are recorded beside what they are of: damage is detected, and so is tampering unless every
hash was recomputed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.errors import StorageError, printable
from bakeoff.recipe import Recipe
from bakeoff.storage import atomic, formats, study_folder, written_folder
from bakeoff.storage.opened_weights import baseline_key, changed_trials, weights_of
from bakeoff.storage.race_looks import dropped, look_folders, read_looks
from bakeoff.storage.search_folder import SearchFolder, Tried
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import as_declared, recorded_recipe
from bakeoff.utils import text
from bakeoff.utils.clutter import is_clutter

DERIVED = (
    "comparison.json",
    "report.html",
    "MODEL_CARD.md",
    "pictures.npz",
    "training_profile.npz",
    "exports",
)
_TIMED = ("trials/*/seed-*", "baselines/*", "shipped/*", "search/*/trials/*/seed-*")
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
    timed = [path for pattern in _TIMED for path in _finished(folder, pattern)]
    others = [*look_folders(folder), *_finished(folder, "search/*/chosen"), *folder.openings()]
    for path in timed:
        differences += written_folder.check_folder(path)
        if not (path / written_folder.TIMING).is_file():
            differences.append(f"{path / written_folder.TIMING}: missing: restore it")
    for path in others:
        differences += written_folder.check_folder(path)
    if study is not None:
        differences += _check_declared(folder, study)
        differences += _check_openings(folder, study)
        differences += _check_race(folder)
    return Verification(
        len(timed) + len(others),
        tuple(dict.fromkeys(printable(each) for each in differences)),
        tuple(printable(each) for each in _leftovers(folder)),
    )


def _finished(folder: StudyFolder, pattern: str) -> list[Path]:
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
    yield from _check_trials(folder, recipe)
    for path in _finished(folder, "shipped/*"):
        try:
            folder.read_shipped(path.name)
        except StorageError as error:
            yield str(error)
    yield from _check_searches(folder, recipe)


def _check_trials(folder: StudyFolder, recipe: Recipe) -> Iterator[str]:
    """Yield the trials that are none of the study's, or not as its recipe declares them."""
    declared = {
        folder.trial(name, seed): (name, seed) for name in recipe.models for seed in recipe.seeds
    }
    for path in _finished(folder, "trials/*/seed-*"):
        if path not in declared:
            yield f"{path}: no trial of this study: its recipe does not declare it; move it away"
            continue
        name, seed = declared[path]
        try:
            trial = folder.read_trial(name, seed)
        except StorageError as error:
            yield str(error)
            continue
        if not as_declared(trial, recipe.models[name], recipe.selection):
            wanted = f"{name} with seed {seed} as the recipe declares it"
            yield str(formats.exchanged(path, wanted, "one of other settings"))


def _check_searches(folder: StudyFolder, recipe: Recipe) -> Iterator[str]:
    """Yield what of searches is gone: the choice, the journal, the trials that it names."""
    try:
        lines = [line for line in folder.read_ledger() if not line.get("restored")]
    except StorageError:  # told with the openings
        lines = []
    known = {name: each for line in lines for name, each in (line.get("searches") or {}).items()}
    for name, model in recipe.models.items():
        if model.search is None:
            continue
        search = SearchFolder(folder.path, name)
        try:
            if name in known:
                search.require_chosen(f"the ledger knows that {name} was searched for")
            tried = search.tried(model.search.dimensions)
        except StorageError as error:
            yield str(error)
        else:
            yield from _check_tried(search, tried)


def _check_tried(search: SearchFolder, tried: Iterable[Tried]) -> Iterator[str]:
    """Yield what is gone of the settings that a search's journal names, or damaged."""
    for each in tried:
        place = search.trial(each.number)
        if place.is_dir():
            try:
                search.read_trial(each.number)
            except StorageError as error:
                yield str(error)
        elif each.state in ("done", "pruned", "diverged"):
            yield str(formats.missing(place, "the search's journal names it"))


def _check_race(folder: StudyFolder) -> Iterator[str]:
    """Yield what is gone of a race: a look, or trials of models that it dropped."""
    try:
        looks = read_looks(folder)
    except StorageError as error:
        yield str(error)
        return
    for name, look in dropped(looks).items():
        seeds = next(each["seeds"] for each in look["standings"] if each["model"] == name)
        for place in (folder.trial(name, seed) for seed in seeds):
            if not place.is_dir():
                yield f"{place}: missing, though the race's look {look['look']} used it: restore it"


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
            yield from _check_baselines(folder, opening)
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


def _check_baselines(folder: StudyFolder, opening: Mapping[str, Any]) -> Iterator[str]:
    """Yield the baselines that are no longer what was opened."""
    recorded = opening.get("weights") or {}
    for name in opening["baselines"]:
        place, key, found = folder.baseline(name), baseline_key(name), None
        if not place.is_dir():
            found = "missing"
        elif key in recorded:
            with suppress(StorageError):  # told with the folders
                if weights_of(folder, {}, [name])[key] != recorded[key]:
                    found = "another baseline"
        if found:
            yield f"{place}: {found}, though opening {opening['opening']} used it: restore it"


def _same(line: Mapping[str, Any], opening: Mapping[str, Any]) -> bool:
    keys = [key for key in ("opening", "models", "test", "weights") if line.get(key)]
    return all(line[key] == opening.get(key) for key in keys)


def _leftovers(folder: StudyFolder) -> Iterator[str]:
    """Yield what is there and is no part of the record."""
    known = {folder.recipe_file, folder.study_file, folder.split_file, folder.ledger_file}
    known |= {folder.path / name for name in (*DERIVED, *study_folder.FOLDERS)}
    places: list[tuple[Path, re.Pattern[str] | None]] = [(folder.path, None)]
    places.append((folder.path / "openings", _NUMBER))
    models = sorted(path for path in folder.path.glob("trials/*") if path.is_dir())
    places += [(path, _SEED) for path in models if not is_clutter(path.name)]
    for place, ours in places:
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            if path in known or (ours is not None and ours.fullmatch(path.name)):
                continue
            if path.name.startswith(".") or is_clutter(path.name):
                continue
            if path.suffix == ".partial":
                yield f"{path}: begun and not finished; the next run goes on with it"
            else:
                yield f"{path}: no part of the study"
