"""A study whose test set has been opened, read back checked: what comparing needs, and no more.

Predictions are memory-mapped, not loaded. Every file that is read must have the SHA-256 that its
manifest recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff import recipe as recipes
from bakeoff import store
from bakeoff.errors import StudyError
from bakeoff.recipe import Recipe
from bakeoff.store import StudyFolder

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SHOWN = 5  # missing trials named in an error; the rest is counted


@dataclass(frozen=True, eq=False)
class Trial:
    """One trial of the opening: trial.json, its history, its clocks, its test predictions."""

    seed: int
    document: Mapping[str, Any]
    history: Mapping[str, NDArray[np.float64]]
    timing: Mapping[str, Any]
    predictions: Path


@dataclass(frozen=True, eq=False)
class OpenedStudy:
    """A study at its newest opening; `declared` holds the seeds that the recipe wants."""

    folder: StudyFolder
    document: Mapping[str, Any]  # study.json
    recipe: Recipe
    models: Mapping[str, tuple[Trial, ...]]
    declared: Mapping[str, tuple[int, ...]]
    baselines: Mapping[str, tuple[Mapping[str, Any], Path]]  # baseline.json, predictions
    labels: NDArray[np.int64]
    ledger: tuple[Mapping[str, Any], ...]
    openings: int

    @property
    def data(self) -> Mapping[str, Any]:
        """What study.json says of the data."""
        data: Mapping[str, Any] = self.document["data"]
        return data

    @property
    def missing(self) -> tuple[tuple[str, int], ...]:
        """Trials, (model, seed), that the recipe declares and the opening does not hold."""
        opened = {name: {trial.seed for trial in trials} for name, trials in self.models.items()}
        return tuple(
            (name, seed)
            for name, seeds in self.declared.items()
            for seed in seeds
            if seed not in opened.get(name, ())
        )


class Predictions(Mapping[str, NDArray[np.float32]]):
    """Test predictions by model, float32 (seeds, n_test, k), read each time they are asked for."""

    def __init__(self, files: Mapping[str, Sequence[Path]]) -> None:
        self._files = dict(files)

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return np.stack([store.read_npy(path) for path in self._files[name]])

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
    recipe = recipes.load(folder.recipe_file)
    openings = folder.openings()
    if not openings:
        raise _sealed(folder, recipe)
    opening = openings[-1]
    recorded = _recorded(opening)
    listing = json.loads(_checked(opening, "opening.json", recorded))
    shape = (int(document["data"]["test"]), len(document["data"]["class_names"]))
    labels = _array(opening, "labels.npy", recorded, shape[:1], np.int64)
    models = {
        name: tuple(
            _trial(
                folder,
                _known_name(name, opening),
                int(seed),
                _predictions(opening, f"{name}/seed-{int(seed)}.npy", recorded, shape),
            )
            for seed in sorted(seeds)
        )
        for name, seeds in listing["models"].items()
        if seeds
    }
    if not models:
        raise _sealed(folder, recipe)
    return OpenedStudy(
        folder=folder,
        document=document,
        recipe=recipe,
        models=models,
        declared={name: tuple(recipe.seeds) for name in recipe.models},
        baselines={
            name: (
                _baseline(folder, _known_name(name, opening)),
                _predictions(opening, f"baselines/{name}.npy", recorded, shape),
            )
            for name in listing["baselines"]
        },
        labels=np.array(labels),
        ledger=(ledger := tuple(folder.read_ledger())),
        openings=max(len(openings), len(ledger)),
    )


def _sealed(folder: StudyFolder, recipe: Recipe) -> StudyError:
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
        f"run `bakeoff run {folder.recipe_file} --out {folder.path}`"
    )


def _recorded(folder: Path) -> Mapping[str, str]:
    path = folder / store.MANIFEST
    files: Mapping[str, str] = store.open_sealed_json(store.read_file(path), path)["files"]
    return files


def _checked(folder: Path, name: str, recorded: Mapping[str, str]) -> bytes:
    content = store.read_file(folder / name)
    if store.sha256(content) != recorded.get(name):
        raise store.damaged(folder / name)
    return content


def _array(
    folder: Path, name: str, recorded: Mapping[str, str], shape: tuple[int, ...], kind: type
) -> NDArray[Any]:
    _checked(folder, name, recorded)
    array = store.read_npy(folder / name)
    if array.shape != shape or array.dtype != kind:
        raise store.damaged(folder / name)
    return array


def _predictions(
    opening: Path, name: str, recorded: Mapping[str, str], shape: tuple[int, ...]
) -> Path:
    _array(opening, name, recorded, shape, np.float32)
    return opening / name


def _trial(folder: StudyFolder, name: str, seed: int, predictions: Path) -> Trial:
    place = folder.trial(name, seed)
    recorded = _recorded(place)
    document = json.loads(_checked(place, "trial.json", recorded))
    _checked(place, "history.csv", recorded)
    clocks = (place / store.TIMING).exists()
    return Trial(
        seed=seed,
        document=document,
        history=store.read_history(place / "history.csv"),
        timing=folder.read_timing(name, seed) if clocks else {},
        predictions=predictions,
    )


def _baseline(folder: StudyFolder, name: str) -> Mapping[str, Any]:
    place = folder.baseline(name)
    document: Mapping[str, Any] = json.loads(_checked(place, "baseline.json", _recorded(place)))
    return document


def _known_name(name: str, opening: Path) -> str:
    """Return `name` if it can be a model's: what is joined to a path must not lead out of it."""
    if not _NAME.fullmatch(name):
        raise store.damaged(opening / "opening.json")
    return name
