"""The study folder: everything is written whole or not at all, read back checked, never rewritten.

A folder of results (a trial, a baseline, an opening) is assembled under a temporary name and then
renamed: if it exists, it is complete. Its manifest.json holds the SHA-256 of every file in it and
of itself. timing.json stays out of the manifest, so that two runs can be compared byte by byte; it
carries its own hash.
"""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff import recipe as recipes
from bakeoff.data.npz import read_arrays
from bakeoff.disk import LARGEST, sync
from bakeoff.disk import clear_temporary as clear_temporary
from bakeoff.disk import disk as disk
from bakeoff.disk import hash_file as hash_file
from bakeoff.disk import lock_file as lock_file
from bakeoff.disk import read_file as read_file
from bakeoff.disk import write_file as write_file
from bakeoff.documents import check_document
from bakeoff.errors import DamagedFile, DataError, RecipeError, StorageError, StudyError
from bakeoff.formats import HISTORY_COLUMNS as HISTORY_COLUMNS
from bakeoff.formats import LONGEST_HISTORY as LONGEST_HISTORY
from bakeoff.formats import canonical as canonical
from bakeoff.formats import damaged as damaged
from bakeoff.formats import history_csv as history_csv
from bakeoff.formats import npy_bytes as npy_bytes
from bakeoff.formats import open_sealed_json as open_sealed_json
from bakeoff.formats import read_history as read_history
from bakeoff.formats import read_npy as read_npy
from bakeoff.formats import read_weights as read_weights
from bakeoff.formats import sealed_json as sealed_json
from bakeoff.formats import sha256 as sha256
from bakeoff.formats import weights_bytes as weights_bytes
from bakeoff.recipe import Recipe

FORMAT = 1
MANIFEST = "manifest.json"
TIMING = "timing.json"
ROOMS = ("trials", "baselines", "openings")
SPLIT = ("train", "validation", "test", "validation_labels")
_TEXT = 1 << 26  # bytes of a file that is read as text


# ── one file, one folder ─────────────────────────────────────────────────────────────────────


def write_folder(path: Path, files: Mapping[str, bytes], *, scratch: Path) -> None:
    """Write a folder of files and its manifest whole or not at all.

    Parameters
    ----------
    path : the folder's final name; must not exist
    files : content by name, "/" between folders; timing.json is kept out of the manifest
    scratch : where it is assembled, on the same disk; emptied first, gone afterwards
    """
    hashes = {name: sha256(content) for name, content in files.items() if name != TIMING}
    with disk(path):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
    for name, content in {**files, MANIFEST: sealed_json({"files": hashes})}.items():
        write_file(scratch / name, content)
    with disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.rename(scratch, path)
        sync(path.parent)


def read_manifest(path: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a written folder by name; raise if it was changed."""
    manifest = path / MANIFEST
    recorded: dict[str, str] = check_document(_sealed(manifest), manifest)["files"]
    return recorded


def read_recorded(
    path: Path, name: str, recorded: Mapping[str, str], *, most: int = LARGEST
) -> bytes:
    """Return a file of a written folder; raise StorageError if it is not as recorded."""
    content = read_file(path / name, most=most)
    if sha256(content) != recorded.get(name):
        raise damaged(path / name)
    return content


def check_folder(path: Path) -> list[str]:
    """Return one sentence for every file of a written folder that is not as recorded."""
    problems = []
    try:
        recorded = read_manifest(path)
    except StorageError as error:
        return [str(error)]
    for name in recorded:
        try:
            if hash_file(path / name) != recorded[name]:
                raise damaged(path / name)
        except StorageError as error:
            problems.append(str(error))
    timing = path / TIMING
    try:
        if timing.exists():
            _sealed(timing)
    except StorageError as error:
        problems.append(str(error))
    present = {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}
    strangers = present - set(recorded) - {MANIFEST, TIMING}
    return problems + [f"{path / name}: not written by Bakeoff" for name in sorted(strangers)]


# ── the study ────────────────────────────────────────────────────────────────────────────────


class StudyFolder:
    """Names and reads what is in a study's folder; the layout is DESIGN's section 4."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.recipe_file = self.path / "recipe.yaml"
        self.study_file = self.path / "study.json"
        self.split_file = self.path / "split.npz"
        self.ledger_file = self.path / "ledger.jsonl"
        self.comparison_file = self.path / "comparison.json"
        self.report_file = self.path / "report.html"
        self.card_file = self.path / "MODEL_CARD.md"
        self.pictures_file = self.path / "pictures.npz"

    def exists(self) -> bool:
        """Say whether a study lives here."""
        return self.study_file.is_file()

    def require(self) -> None:
        """Raise StudyError unless a study lives here."""
        if not self.exists():
            raise StudyError(
                f"{self.path}: expected a study's folder, found no study.json in it: "
                "name the folder that `bakeoff run` printed, for instance studies/digits"
            )

    def trial(self, model: str, seed: int) -> Path:
        """Return the folder of a finished trial."""
        return self.path / "trials" / model / f"seed-{seed}"

    def partial(self, model: str, seed: int) -> Path:
        """Return the folder of a trial in progress."""
        return self.path / "trials" / model / f"seed-{seed}.partial"

    def baseline(self, name: str) -> Path:
        """Return the folder of a fitted baseline."""
        return self.path / "baselines" / name

    def finished(self) -> dict[str, list[int]]:
        """Return the seeds of the finished trials of every model, ascending."""
        done: dict[str, list[int]] = {}
        for folder in sorted(self.path.glob("trials/*/seed-*")):
            seed = _number(folder.name.removeprefix("seed-"))
            if seed is not None and (folder / MANIFEST).is_file():
                done.setdefault(folder.parent.name, []).append(seed)
        return {model: sorted(seeds) for model, seeds in done.items()}

    def openings(self) -> list[Path]:
        """Return the folders of the openings, the first one first."""
        found = [p for p in self.path.glob("openings/*") if _number(p.name)]
        return sorted(found, key=lambda path: int(path.name))

    def read_study(self) -> dict[str, Any]:
        """Return study.json; raise if it was changed or comes from another format."""
        self.require()
        document = _sealed(self.study_file)
        if document.get("format") != FORMAT:
            raise StudyError(
                f"{self.study_file}: expected format {FORMAT}, found {document.get('format')}: "
                "this study was written by another version of Bakeoff; run it with that version"
            )
        return check_document(document, self.study_file)

    def read_recipe(self, study: Mapping[str, Any]) -> Recipe:
        """Return the recipe in its own order; StorageError if its file is not as recorded."""
        content = read_file(self.recipe_file, most=recipes.MAX_BYTES)
        if sha256(content) != study["recipe"]:
            raise damaged(self.recipe_file)
        place = self.path.resolve()
        return recipes.read(content, origin=str(self.recipe_file), folder=place)

    def recorded_recipe(self, study: Mapping[str, Any]) -> Recipe:
        """Return the recipe that study.json holds; its models are in alphabetical order."""
        place = self.path.resolve()
        try:
            recipe = recipes.parse(study["resolved"], origin=str(self.study_file), folder=place)
        except RecipeError as error:
            raise damaged(self.study_file) from error
        if recipe.models.keys() != study["identities"].keys():
            raise damaged(self.study_file)
        return recipe

    def read_split(self) -> dict[str, NDArray[np.int64]]:
        """Return the arrays of split.npz: train, validation, test, validation_labels."""
        try:
            return read_arrays(self.split_file, SPLIT, limit=_TEXT)
        except DataError as error:
            raise damaged(self.split_file) from error

    def read_trial(self, model: str, seed: int) -> dict[str, Any]:
        """Return a finished trial's trial.json; raise StorageError if it was changed."""
        path = self.trial(model, seed)
        return read_document(path, "trial.json", read_manifest(path))

    def read_timing(self, model: str, seed: int) -> dict[str, Any]:
        """Return a finished trial's clocks."""
        path = self.trial(model, seed) / TIMING
        return check_document(_sealed(path), path)

    def read_opening(self, folder: Path) -> dict[str, Any]:
        """Return an opening's opening.json; raise StorageError if it was changed."""
        return read_document(folder, "opening.json", read_manifest(folder))

    def read_ledger(self) -> list[dict[str, Any]]:
        """Return the openings' ledger lines, the first one first."""
        return read_ledger(self.ledger_file)

    def lock(self, name: str, *, timeout: float = -1) -> AbstractContextManager[None]:
        """Return a lock between processes, freed by the system when its holder dies."""
        return lock_file(self.path / ".locks" / f"{name}.lock", timeout=timeout)


def read_document(folder: Path, name: str, recorded: Mapping[str, str]) -> dict[str, Any]:
    """Return a JSON document of a written folder; StorageError if it is not as recorded."""
    try:
        document = json.loads(read_recorded(folder, name, recorded, most=_TEXT))
    except (ValueError, RecursionError) as error:
        raise damaged(folder / name) from error
    return check_document(document, folder / name)


def _number(text: str) -> int | None:
    """Return the number that `text` is as Bakeoff writes it: not 007, not ７."""
    known = text.isascii() and text.isdecimal() and (text == "0" or text[0] != "0")
    return int(text) if known else None


def _sealed(path: Path) -> dict[str, Any]:
    return open_sealed_json(read_file(path, most=_TEXT), path)


# ── ledger ───────────────────────────────────────────────────────────────────────────────────


def append_ledger(path: Path, entry: Mapping[str, Any]) -> None:
    """Append a line to a ledger; each line carries a hash of itself and of the line before."""
    lines = read_ledger(path) if path.exists() else []
    before = lines[-1]["sha256"] if lines else ""
    body = {**entry, "before": before}
    line = {**body, "sha256": sha256(canonical(body))}
    content = b"".join(_ledger_line(old) for old in [*lines, line])
    write_file(path, content)


def read_ledger(path: Path) -> list[dict[str, Any]]:
    """Return a ledger's lines; raise StorageError if one was changed or taken out."""
    if not path.exists():
        return []
    lines: list[dict[str, Any]] = []
    before = ""
    content = read_file(path, most=_TEXT)
    try:
        for text in content.decode().removesuffix("\n").split("\n"):
            line = json.loads(text)
            body = {key: value for key, value in line.items() if key != "sha256"}
            if line["before"] != before or line["sha256"] != sha256(canonical(body)):
                raise _altered(path)
            before = line["sha256"]
            lines.append(check_document(line, path, "ledger.jsonl"))
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise _altered(path) from error
    if b"".join(_ledger_line(line) for line in lines) != content:
        raise _altered(path)
    return lines


def _altered(path: Path) -> DamagedFile:
    return DamagedFile(
        f"{path}: expected a ledger in which every line follows from the one before, found one "
        "that was changed: restore it, or move it away and run the study again"
    )


def _ledger_line(line: Mapping[str, Any]) -> bytes:
    return (json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n").encode()
