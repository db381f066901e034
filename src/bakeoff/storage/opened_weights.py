"""An opening belongs to weights: which trials are still what was opened, and which are not.

An opening, and its line in the ledgers, hold the SHA-256 of the manifest of every trial and
baseline that was opened; a manifest holds those of all the files beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bakeoff.errors import StorageError
from bakeoff.storage.atomic import hash_file
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.written_folder import MANIFEST, read_manifest

BASELINES = "baselines/"  # what the keys of baselines begin with in an opening


@dataclass(frozen=True)
class Changed:
    """An opened trial that is no longer there, or no longer with the weights that were opened."""

    model: str
    seed: int
    how: Literal["replaced", "removed"]

    @property
    def label(self) -> str:
        """What it is called in messages: "cnn seed 3 (replaced)"."""
        return f"{self.model} seed {self.seed} ({self.how})"


def weights_of(
    folder: StudyFolder, models: Mapping[str, Sequence[int]], baselines: Iterable[str]
) -> dict[str, str]:
    """Return the SHA-256 of the manifests by what their predictions are called in an opening.

    Raises StorageError where a manifest cannot be read or was changed.
    """
    places = places_of(folder, models, baselines)
    return {key: _fingerprint(place) for key, place in places.items()}


def places_of(
    folder: StudyFolder, models: Mapping[str, Sequence[int]], baselines: Iterable[str]
) -> dict[str, Path]:
    """Return the folders by what their predictions are called in an opening."""
    places = {
        trial_key(name, seed): folder.trial(name, seed)
        for name, seeds in models.items()
        for seed in seeds
    }
    return places | {baseline_key(name): folder.baseline(name) for name in baselines}


def trial_key(model: str, seed: int) -> str:
    """Return what a trial is called in an opening; its predictions are this and ".npy"."""
    return f"{model}/seed-{seed}"


def baseline_key(name: str) -> str:
    """Return what a baseline is called in an opening."""
    return f"{BASELINES}{name}"


def changed_trials(
    folder: StudyFolder, opening: Mapping[str, Any], ledger: Sequence[Mapping[str, Any]]
) -> list[Changed]:
    """Return the trials of an opening that are no longer what was opened.

    An opening by version 0.1.0 has no hashes: there, a trial that was finished after the ledger's
    line was written has been replaced.

    Raises StorageError where a trial is there and its manifest was changed.
    """
    recorded = opening.get("weights") or {}
    lines = [line for line in ledger if line["opening"] == opening["opening"]]
    changed = []
    for name, seeds in opening["models"].items():
        for seed in seeds:
            place, key = folder.trial(name, seed), trial_key(name, seed)
            if not place.exists():
                changed.append(Changed(name, seed, "removed"))
                continue
            if key in recorded:
                replaced = _fingerprint(place) != recorded[key]
            else:
                replaced = any(_finished_later(folder, name, seed, line) for line in lines)
            if replaced:
                changed.append(Changed(name, seed, "replaced"))
    return changed


def seen_trials(lines: Iterable[Mapping[str, Any]]) -> dict[str, set[int]]:
    """Return the seeds of every model that a study's ledger names: those that were opened."""
    seen: dict[str, set[int]] = {}
    for line in lines:
        if line.get("restored"):
            continue
        for name, seeds in line["models"].items():
            seen.setdefault(name, set()).update(seeds)
    return seen


def _fingerprint(place: Path) -> str:
    read_manifest(place)  # or it was changed
    return hash_file(place / MANIFEST)


def _finished_later(folder: StudyFolder, name: str, seed: int, line: Mapping[str, Any]) -> bool:
    finished = ""
    with suppress(StorageError):
        finished = str(folder.read_timing(name, seed).get("finished", ""))
    return bool(line["time"]) and finished > line["time"]
