"""A study whose test set has been opened, read back checked: what comparing needs, and no more.

Predictions are memory-mapped, not loaded. Every file that is read must have the SHA-256 that its
manifest recorded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import StudyError
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.storage import array_files, atomic, formats, written_folder
from bakeoff.storage.history import read_history
from bakeoff.storage.opened_weights import Changed, changed_trials
from bakeoff.storage.race_looks import dropped, read_looks
from bakeoff.storage.split_file import read_folds
from bakeoff.storage.study_folder import StudyFolder, to_go_on
from bakeoff.storage.study_recipe import as_declared, read_recipe
from bakeoff.utils.text import some

_HEADER = 10_000  # bytes before an array's values, at most
_ROUNDING = 0.01  # by which a probability may lie outside [0, 1]
_SHOWN = 5  # missing trials named in an error; the rest is counted


@dataclass(frozen=True, eq=False)
class Trial:
    """One trial of the opening: trial.json, its history, timing.json, its test predictions.

    `tested` says, in cross-validation, in which fold each image was tested; int64, (n_test,).
    """

    seed: int
    document: Mapping[str, Any]
    history: Mapping[str, NDArray[np.float64]]
    timing: Mapping[str, Any]
    environments: tuple[Mapping[str, Any], ...]  # the study's, where the trial has none of its own
    predictions: Path
    tested: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class OpenedStudy:
    """A study at its newest opening; `declared` holds the seeds that it should hold."""

    folder: StudyFolder
    document: Mapping[str, Any]  # study.json
    recipe: Recipe
    models: Mapping[str, tuple[Trial, ...]]
    prediction_timing: Mapping[str, Mapping[str, Any]]  # by model: how long predicting takes
    declared: Mapping[str, tuple[int, ...]]
    baselines: Mapping[str, tuple[Mapping[str, Any], Path]]  # baseline.json, predictions
    labels: NDArray[np.int64]
    ledger: tuple[Mapping[str, Any], ...]
    openings: int
    changed: tuple[Changed, ...]  # opened, and no longer what was opened: in `models` no more
    looks: tuple[Mapping[str, Any], ...] = ()  # of a race: race.json of each
    dropped: Mapping[str, tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...]] = field(
        default_factory=dict
    )  # by model that a race dropped: trial.json and timing.json of each trial

    @property
    def data(self) -> Mapping[str, Any]:
        """What study.json says of the data."""
        data: Mapping[str, Any] = self.document["data"]
        return data

    @property
    def missing(self) -> tuple[tuple[str, int], ...]:
        """Trials, (model, seed), that the recipe declares and the opening does not hold."""
        opened = {(name, trial.seed) for name, trials in self.models.items() for trial in trials}
        opened |= {(each.model, each.seed) for each in self.changed}
        declared = [(name, seed) for name, seeds in self.declared.items() for seed in seeds]
        return tuple(each for each in declared if each not in opened)


class Predictions(Mapping[str, NDArray[np.float32]]):
    """Test predictions by model, float32 (seeds, n_test, k), read each time they are asked for."""

    def __init__(self, files: Mapping[str, Sequence[Path]]) -> None:
        self._files = dict(files)

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return np.stack([array_files.read_npy(path) for path in self._files[name]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def read_opened(folder: StudyFolder) -> OpenedStudy:
    """Return the study in `folder` at its newest opening.

    Raises
    ------
    StudyError : no study, one of another format, or one whose test set is still sealed.
    StorageError : a file that is missing or not as it was recorded.
    """
    document = folder.read_study()
    recipe = read_recipe(folder, document)
    openings = folder.openings()
    if not openings:
        raise _sealed(folder, document, recipe)
    data = document["data"]
    opening = _Opening(openings[-1], (data["test"], len(data["class_names"])))
    folds = _folds(folder, document)
    labels = opening.labels()
    ledger = folder.read_ledger()
    changed = changed_trials(folder, opening.listing, ledger)
    models = _models(folder, document, recipe, opening, changed, folds)
    if not models:
        raise _nothing_left(folder, changed) if changed else _sealed(folder, document, recipe)
    looks = read_looks(folder)
    out = [name for name in dropped(looks) if name in recipe.models and name not in models]
    return OpenedStudy(
        folder=folder,
        document=document,
        recipe=recipe,
        models=models,
        prediction_timing={name: folder.read_prediction_timing(name) for name in models},
        declared=_declared_seeds(recipe, opening.listing, ledger, out),
        baselines={
            name: (_baseline(folder, name), opening.predictions(f"baselines/{name}.npy"))
            for name in opening.listing["baselines"]
        },
        labels=labels,
        ledger=tuple(ledger),
        openings=max(folder.times_opened(), int(opening.listing["opening"])),
        changed=tuple(changed),
        looks=tuple(looks),
        dropped={name: _known(folder, name) for name in out},
    )


class _Opening:
    """The folder of an opening, whose files are read back checked.

    shape : of one trial's predictions, (n_test, n_classes)
    """

    def __init__(self, path: Path, shape: tuple[int, int]) -> None:
        self.path, self._shape = path, shape
        self._recorded = written_folder.read_manifest(path)
        self.listing = written_folder.read_document(path, "opening.json", self._recorded)

    def labels(self) -> NDArray[np.int64]:
        """Return the labels of the test images."""
        n_test, n_classes = self._shape
        labels = np.array(self._array("labels.npy", (n_test,), np.int64))
        if labels.min() < 0 or labels.max() >= n_classes:
            raise formats.damaged(self.path / "labels.npy")
        return labels

    def predictions(self, name: str) -> Path:
        """Return the file of some predictions: probabilities, or not a number."""
        array = self._array(name, self._shape, np.float32)
        if ((array < -_ROUNDING) | (array > 1 + _ROUNDING)).any():
            raise formats.damaged(self.path / name)
        return self.path / name

    def _array(self, name: str, shape: tuple[int, ...], kind: type) -> NDArray[Any]:
        path = self.path / name
        with atomic.disk(path):
            size = path.stat().st_size - math.prod(shape) * np.dtype(kind).itemsize
        if not 0 < size <= _HEADER or atomic.hash_file(path) != self._recorded.get(name):
            raise formats.damaged(path)
        array = array_files.read_npy(path)
        if array.shape != shape or array.dtype != kind:
            raise formats.damaged(path)
        return array


def _models(
    folder: StudyFolder,
    study: Mapping[str, Any],
    recipe: Recipe,
    opening: _Opening,
    changed: Sequence[Changed],
    folds: NDArray[np.int64] | None,
) -> dict[str, tuple[Trial, ...]]:
    """Return the trials of every model that are still what was opened."""
    gone = {(each.model, each.seed) for each in changed}
    models = {}
    for name, seeds in opening.listing["models"].items():
        model = _declared(recipe, name, opening.path)
        trials = []
        for seed in sorted(seeds):
            if (name, seed) not in gone:
                file = opening.predictions(f"{name}/seed-{seed}.npy")
                trials.append(_trial(folder, study, model, recipe.selection, seed, file, folds))
        if trials:
            models[name] = tuple(trials)
    return models


def _nothing_left(folder: StudyFolder, changed: Sequence[Changed]) -> StudyError:
    return StudyError(
        f"{folder.path}: expected a trial that is still what was opened, found none: "
        f"{some([each.label for each in changed])}; restore them, or run the recipe again, "
        "which opens the test set again and says so"
    )


def _known(
    folder: StudyFolder, model: str
) -> tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...]:
    """Return what is known of a model that was dropped: each trial's trial.json and timing.json."""
    return tuple(
        (folder.read_trial(model, seed), _timing(folder, model, seed))
        for seed in folder.finished().get(model, ())
    )


def _timing(folder: StudyFolder, model: str, seed: int) -> Mapping[str, Any]:
    there = (folder.trial(model, seed) / written_folder.TIMING).exists()
    return folder.read_timing(model, seed) if there else {}


def _declared_seeds(
    recipe: Recipe,
    opening: Mapping[str, Any],
    ledger: Sequence[Mapping[str, Any]],
    out: Sequence[str],
) -> dict[str, tuple[int, ...]]:
    """Return the seeds that an opening should hold of each model; at a look, not those to come."""
    line = next((each for each in ledger if each["opening"] == opening["opening"]), {})
    names = [name for name in recipe.models if name not in out]
    if not line.get("looks"):
        return {name: tuple(recipe.seeds) for name in names}
    excused = [each.rpartition(":") for each in line["without"]]

    def at_look(name: str) -> tuple[int, ...]:
        if name not in opening["models"]:
            return tuple(line["seeds"])
        absent = {int(seed) for model, _, seed in excused if model == name}
        return tuple(sorted({*opening["models"][name], *absent}))

    return {name: at_look(name) for name in names}


def _sealed(folder: StudyFolder, document: Mapping[str, Any], recipe: Recipe) -> StudyError:
    done = folder.finished()
    lacking = [
        f"{name} seed {seed}"
        for name in recipe.models
        for seed in recipe.seeds
        if seed not in done.get(name, ())
    ]
    total = len(recipe.models) * len(recipe.seeds)
    found = f"all {total} trials trained, and none opened"
    if lacking:
        more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
        found = (
            f"{len(lacking)} of {total} trials missing ({', '.join(lacking[:_SHOWN])}{more}), "
            "and none opened"
        )
    return StudyError(
        f"{folder.path}: expected a study whose test set has been opened, found {found}: "
        f"run `{to_go_on(folder, document)}`"
    )


def _folds(folder: StudyFolder, document: Mapping[str, Any]) -> NDArray[np.int64] | None:
    """Return in which fold each image was tested, (repeats, n_test); None without folds."""
    data = document["data"]
    if not data.get("folds"):
        return None
    if atomic.hash_file(folder.split_file) != document["split_file"]:
        raise formats.damaged(folder.split_file)
    folds = read_folds(folder)
    shape = (data.get("repeats"), data["test"])
    if folds.shape != shape or folds.dtype != np.int64 or not 0 <= folds.min() <= folds.max():
        raise formats.damaged(folder.split_file)
    return folds


def _trial(
    folder: StudyFolder,
    study: Mapping[str, Any],
    model: ModelRecipe,
    selection: str,
    seed: int,
    predictions: Path,
    folds: NDArray[np.int64] | None,
) -> Trial:
    place = folder.trial(model.name, seed)
    recorded = written_folder.read_manifest(place)
    document = written_folder.read_document(place, "trial.json", recorded)
    content = written_folder.read_recorded(
        place, "history.csv", recorded, most=formats.LONGEST_TEXT
    )
    history = read_history(place / "history.csv", content)
    _require_consistent(place, document, study, model, selection, seed)
    if len(history["epoch"]) != document["epochs_trained"]:
        raise formats.damaged(place / "history.csv")
    return Trial(
        seed=seed,
        document=document,
        history=history,
        timing=_timing(folder, model.name, seed),
        environments=tuple(folder.read_environments(model.name, seed) or [study["environment"]]),
        predictions=predictions,
        tested=None if folds is None else folds[seed],
    )


def _require_consistent(
    place: Path,
    document: Mapping[str, Any],
    study: Mapping[str, Any],
    model: ModelRecipe,
    selection: str,
    seed: int,
) -> None:
    """Refuse a trial that is another one than its place says, or says what cannot be."""
    data = study["data"]
    found = [document[key] for key in ("model", "seed", "input_shape", "n_classes")]
    wanted = [model.name, seed, data["input_shape"], len(data["class_names"])]
    epochs = [document[key] for key in ("selected_epoch", "diverged_epoch")]
    impossible = document["trainable_parameters"] > document["parameters"] or any(
        each is not None and each >= document["epochs_trained"] for each in epochs
    )
    if found != wanted or not as_declared(document, model, selection) or impossible:
        raise formats.damaged(place / "trial.json")


def _baseline(folder: StudyFolder, name: str) -> Mapping[str, Any]:
    place = folder.baseline(name)
    document = written_folder.read_document(place, "baseline.json")
    if document["name"] != name:
        raise formats.exchanged(place, f"the baseline {name}", f"{document['name']}")
    return document


def _declared(recipe: Recipe, name: str, opening: Path) -> ModelRecipe:
    """Return the model called `name`; what is joined to a path must be a model's name."""
    if name not in recipe.models:
        raise formats.damaged(opening / "opening.json")
    return recipe.models[name]
