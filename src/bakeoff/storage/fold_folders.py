"""A trial of cross-validation: the folders of its folds become one, once all of them are there.

The trial's own trial.json and history.csv speak of the folds together; fold-<k>/ holds what each of
them wrote.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median_low
from typing import Any

import numpy as np

from bakeoff.errors import StorageError
from bakeoff.storage import atomic, formats, written_folder
from bakeoff.storage.history import HISTORY_COLUMNS, history_csv, read_history
from bakeoff.storage.study_folder import StudyFolder, trial_lock


def join_folds(folder: StudyFolder, model: str, seed: int, n_folds: int) -> None:
    """Write a trial's folder if all of its folds are done and nobody has written it yet."""
    target, partial = folder.trial(model, seed), folder.partial(model, seed)
    places = [folder.fold(model, seed, fold) for fold in range(n_folds)]
    with folder.lock(trial_lock(model, seed)):
        if not target.exists() and all(place.exists() for place in places):
            files = _joined(places)
            written_folder.write_folder(target, files, scratch=partial / "finished")
        if target.exists():
            shutil.rmtree(partial, ignore_errors=True)


def _joined(places: Sequence[Path]) -> dict[str, bytes]:
    """Return the files of a trial: those of its folds, and what they come to together."""
    files: dict[str, bytes] = {}
    documents, histories, timings = [], [], []
    for place in places:
        recorded = written_folder.read_manifest(place)
        own = {name: written_folder.read_recorded(place, name, recorded) for name in recorded}
        own[written_folder.ENVIRONMENT] = atomic.read_file(place / written_folder.ENVIRONMENT)
        files |= {f"{place.name}/{name}": content for name, content in own.items()}
        documents.append(json.loads(own["trial.json"]))
        histories.append(read_history(place / "history.csv", own["history.csv"]))
        timings.append(formats.read_sealed_json(place / written_folder.TIMING))
    files["trial.json"] = formats.canonical(_together(documents))
    files["history.csv"] = history_csv(_mean(histories))
    files[written_folder.TIMING] = formats.sealed_json(_timing(timings))
    return files


def median_epoch(documents: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the (lower) median of the selected epochs; None where no epoch was selected."""
    epochs = [each["selected_epoch"] for each in documents if each["selected_epoch"] is not None]
    return median_low(epochs) if epochs else None


def median_fold_epoch(folder: StudyFolder, model: str) -> int | None:
    """Return the median of the epochs that the folds of a model's finished trials selected."""
    seeds = folder.finished().get(model, [])
    return median_epoch([fold for s in seeds for fold in folder.read_trial(model, s)["folds"]])


def _together(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the trial.json of a whole repeat; every fold's own epochs stand in `folds`."""
    diverged = [d["diverged_epoch"] for d in documents if d["diverged_epoch"] is not None]
    trained = max(document["epochs_trained"] for document in documents)
    keys = ("epochs_trained", "selected_epoch", "diverged_epoch", "validation")
    apart = (*keys, "fold", "network_seed", "identity")
    common = {key: value for key, value in documents[0].items() if key not in apart}
    return {
        **common,
        "epochs_trained": trained,
        "selected_epoch": median_epoch(documents),
        "diverged_epoch": min(diverged) if diverged else None,
        "validation": _validation([document["validation"] for document in documents]),
        "folds": [{key: document[key] for key in keys} for document in documents],
    }


def _validation(parts: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    there = [part for part in parts if part is not None]
    if not there:
        return None
    images = [part["images"] for part in there]
    entropies = [part["cross_entropy"] for part in there]
    known = all(entropy is not None for entropy in entropies)
    return {
        "images": sum(images),
        "accuracy": float(np.average([part["accuracy"] for part in there], weights=images)),
        "cross_entropy": float(np.average(entropies, weights=images)) if known else None,
    }


def _mean(histories: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the mean history: of every epoch, over the folds that got so far."""
    longest = max(histories, key=lambda history: len(history["epoch"]))
    rows = []
    for epoch in range(len(longest["epoch"])):
        reached = [history for history in histories if epoch < len(history["epoch"])]
        row: dict[str, Any] = {"epoch": int(longest["epoch"][epoch])}
        for name in HISTORY_COLUMNS[1:]:
            value = float(np.mean([history[name][epoch] for history in reached]))
            row[name] = None if np.isnan(value) else value
        rows.append(row)
    return rows


def _timing(timings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {"seconds": round(sum(float(each["seconds"]) for each in timings), 3)}
    with suppress(KeyError, StorageError):
        found["finished"] = max(str(each["finished"]) for each in timings)
    return found
