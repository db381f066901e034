"""A study as it stands, for the page that shows it while it trains: trials, curves, time left."""

import math
from itertools import zip_longest
from pathlib import Path
from typing import Any

from bakeoff.analysis.statistics import unit_of
from bakeoff.recipe import Recipe
from bakeoff.storage.history import read_history
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import read_recipe
from bakeoff.study.jobs.checkpoints import history_saved
from bakeoff.study.progress.trial_status import TrialStatus
from bakeoff.study.status import StudyStatus, status
from bakeoff.utils.numbers import mean_of_known
from bakeoff.utils.text import listed

_POINTS = 200  # of a curve, at most


class Live:
    """Reads a study's folder again and again; what cannot change any more is kept."""

    def __init__(self, folder: StudyFolder) -> None:
        self._folder = folder
        self._finished: dict[tuple[str, int], dict[str, Any]] = {}

    def picture(self) -> dict[str, Any]:
        """Return the study as the page draws it."""
        now = status(self._folder.path)
        recipe = read_recipe(self._folder, now.study)
        folds = now.outline.folds
        unit = unit_of(folded=folds is not None)
        trials = [self._trial(each, recipe, folds) for each in now.trials]
        done = sum(each["state"] == "finished" for each in trials)
        return {
            "study": recipe.name,
            "title": recipe.title or recipe.name,
            "opened": now.openings > 0,
            "finished": done,
            "declared": len(trials),
            "running": [
                f"{each['model']} {unit} {each['seed']}{_on(each['nodes'])}"
                for each in trials
                if each["state"] == "running"
            ],
            "seconds_left": _seconds_left(trials, now),
            "unit": unit,
            "measured": "validation" if now.study["data"]["validation"] else "training",
            "class_names": list(now.study["data"]["class_names"]),
            "trials": trials,
            "command": now.command,
        }

    def _trial(self, trial: TrialStatus, recipe: Recipe, folds: int | None) -> dict[str, Any]:
        key = (trial.model, trial.seed)
        if key in self._finished:
            return self._finished[key]
        if trial.state == "finished":
            epochs, columns = trial.epochs, _columns(self._folder.trial(*key))
        elif folds:
            epochs, columns = _of_folds(self._folder, *key, folds)
        else:
            epochs, columns = trial.epochs, _saved(self._folder.partial(*key))
        told = {
            "model": trial.model,
            "seed": trial.seed,
            "state": trial.state,
            "epochs": epochs,
            "of": recipe.models[trial.model].training.epochs,
            "seconds": trial.seconds,
            "accuracy": _selected(trial),
            "curves": {name: _thinned(values) for name, values in columns.items()},
            "reached": len(columns["fit"]),
            "nodes": list(trial.nodes),
        }
        if trial.state == "finished":
            self._finished[key] = told
        return told


_COLUMNS = (("accuracy", "val_accuracy"), ("loss", "val_cross_entropy"), ("fit", "accuracy"))
_Columns = dict[str, list[Any]]  # one value an epoch


def _columns(place: Path) -> _Columns:
    """Return what a finished trial or fold has of its epochs."""
    history = read_history(place / "history.csv")
    return {name: history[column].tolist() for name, column in _COLUMNS}


def _saved(partial: Path) -> _Columns:
    """Return what has been saved of a trial or fold in progress."""
    rows = history_saved(partial)
    return {name: [row.get(column) for row in rows] for name, column in _COLUMNS}


def _of_folds(folder: StudyFolder, model: str, seed: int, folds: int) -> tuple[int, _Columns]:
    """Return the epochs of an average fold of a trial in progress, and their means over folds."""
    each = []
    for fold in range(folds):
        place = folder.fold(model, seed, fold)
        partial = place.with_name(f"{place.name}.partial")
        each.append(_columns(place) if place.exists() else _saved(partial))
    means = {}
    for name, _ in _COLUMNS:
        epochs = zip_longest(*(columns[name] for columns in each))  # None where a fold has ended
        means[name] = [mean_of_known(values) for values in epochs]
    return sum(len(columns["fit"]) for columns in each) // folds, means


def _selected(trial: TrialStatus) -> float | None:
    """Return the validation accuracy of the selected epoch, which is the trial's score."""
    scores = (trial.document or {}).get("validation")
    return None if scores is None else float(scores["accuracy"])


def _on(nodes: list[str]) -> str:
    return f" on {listed(nodes)}" if nodes else ""


def _thinned(values: list[Any]) -> list[float | None]:
    """Return finite numbers, at most _POINTS of them evenly spread, the last included."""
    step = max(1, -(-len(values) // _POINTS))
    kept = values[::-step][::-1]
    return [
        round(float(each), 5) if each is not None and math.isfinite(each) else None for each in kept
    ]


def _seconds_left(trials: list[dict[str, Any]], now: StudyStatus) -> float | None:
    """Guess from finished trials of the same model; None before the first one."""
    means: dict[str, float] = {}
    for model in now.outline.models:
        mean = mean_of_known([each["seconds"] for each in trials if each["model"] == model])
        if mean is not None:
            means[model] = mean
    if not means:
        return None
    usual = sum(means.values()) / len(means)
    at_once = max(1, sum(each["state"] == "running" for each in trials))
    left = sum(
        means.get(each["model"], usual) * (1 - each["epochs"] / max(1, each["of"]))
        for each in trials
        if each["state"] != "finished"
    )
    return float(left / at_once)


def page_file(name: str) -> bytes:
    """Return a file of the pages that come with Bakeoff."""
    return (Path(__file__).parent / "pages" / name).read_bytes()
