"""How far one trial is, and who is at it: told by its folder, its checkpoints and its locks."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.errors import StorageError, printable
from bakeoff.storage import atomic, formats
from bakeoff.storage.study_folder import StudyFolder, trial_lock
from bakeoff.study.jobs.checkpoint_names import PLACE, epochs_saved

STATES = ("finished", "running", "begun", "missing")


@dataclass(frozen=True)
class TrialStatus:
    """One trial; `epochs` have been saved, `document` is trial.json where it is finished.

    In cross-validation `folds` is how many of its folds are done, else None. `nodes` are those of a
    cluster that are at it.
    """

    model: str
    seed: int
    state: str  # one of STATES
    epochs: int
    document: Mapping[str, Any] | None
    seconds: float | None
    folds: int | None = None
    nodes: tuple[str, ...] = ()


def trial_status(
    folder: StudyFolder,
    model: str,
    seed: int,
    *,
    n_folds: int | None,
    finished: bool,
    validated: bool,
) -> TrialStatus:
    """Return how far a trial is.

    n_folds : of cross-validation; None without it
    finished : whether its folder is there
    validated : whether the study has validation images

    Raises StorageError where a finished trial has scores of validation, and the study none, or the
    other way round.
    """
    if finished:
        document = folder.read_trial(model, seed)
        if (document["validation"] is None) is validated:
            raise formats.damaged(folder.trial(model, seed) / "trial.json")
        seconds = None
        with suppress(StorageError):
            seconds = folder.read_timing(model, seed).get("seconds")
        epochs = int(document["epochs_trained"])
        return TrialStatus(model, seed, "finished", epochs, document, seconds, n_folds)
    partial = folder.partial(model, seed)
    state = "begun" if partial.exists() else "missing"
    folds = range(n_folds) if n_folds else (None,)
    if any(_locked(folder, model, seed, fold) for fold in folds):
        state = "running"
    done = None
    if n_folds:
        done = sum(folder.fold(model, seed, fold).exists() for fold in range(n_folds))
    nodes = _nodes(partial) if state == "running" else ()
    return TrialStatus(model, seed, state, epochs_saved(partial), None, None, done, nodes)


def _nodes(partial: Path) -> tuple[str, ...]:
    """Return the cluster's nodes that are at a trial in progress, or at its folds."""
    found = []
    for path in sorted([partial / PLACE, *partial.glob(f"fold-*.partial/{PLACE}")]):
        with suppress(StorageError, ValueError, KeyError, TypeError):
            found.append(printable(str(json.loads(atomic.read_file(path, most=1 << 16))["node"])))
    return tuple(dict.fromkeys(found))


def _locked(folder: StudyFolder, model: str, seed: int, fold: int | None) -> bool:
    """Whether another process holds the lock of the trial, or of one of its folds."""
    try:
        return folder.is_locked(trial_lock(model, seed, fold))
    except (StorageError, OSError):  # somebody else's folder: it cannot be asked
        return False
