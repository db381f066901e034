"""The study folder: everything is written whole or not at all, read back checked, never rewritten.

A folder of results (a trial, a baseline, an opening) is assembled under a temporary name and then
renamed: if it exists, it is complete. Its manifest.json holds the SHA-256 of every file in it and
of itself. timing.json stays out of the manifest, so that two runs can be compared byte by byte; it
carries its own hash.
"""

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as parse_safetensors
from safetensors.numpy import save as format_safetensors

from bakeoff.disk import disk as disk
from bakeoff.disk import lock_file as lock_file
from bakeoff.disk import read_file as read_file
from bakeoff.disk import sync
from bakeoff.disk import write_file as write_file
from bakeoff.errors import StorageError, StudyError

FORMAT = 1
MANIFEST = "manifest.json"
TIMING = "timing.json"
HISTORY_COLUMNS = (
    "epoch",
    "loss",
    "accuracy",
    "val_loss",
    "val_cross_entropy",
    "val_accuracy",
    "learning_rate",
)


# ── bytes ────────────────────────────────────────────────────────────────────────────────────


def sha256(content: bytes) -> str:
    """Return the SHA-256 of `content` as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def canonical(document: Any) -> bytes:
    """Return a JSON document as bytes that depend on its content alone."""
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def sealed_json(document: Mapping[str, Any]) -> bytes:
    """Return canonical JSON that carries the SHA-256 of itself under "sha256"."""
    return canonical({**document, "sha256": sha256(canonical(document))})


def open_sealed_json(content: bytes, path: Path) -> dict[str, Any]:
    """Return a document written by `sealed_json`; raise StorageError if a byte differs."""
    try:
        document = json.loads(content)
        rest = {key: value for key, value in document.items() if key != "sha256"}
        whole = sealed_json(rest) == content
    except (ValueError, AttributeError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise damaged(path)
    return rest


def damaged(path: Path) -> StorageError:
    """Return the error for a file that is not what was written."""
    return StorageError(
        f"{path}: expected the bytes that were recorded, found others: the file was changed or "
        "damaged; restore it, or delete its folder and run the study again"
    )


def npy_bytes(array: NDArray[Any]) -> bytes:
    """Return an array in NumPy's npy format."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def read_npy(path: Path) -> NDArray[Any]:
    """Return the array in an npy file, memory-mapped; objects are refused."""
    with disk(path):
        try:
            array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, SyntaxError) as error:
            raise damaged(path) from error
    return array


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
    recorded = open_sealed_json(read_file(manifest), manifest).get("files")
    if not isinstance(recorded, dict):
        raise damaged(manifest)
    return recorded


def read_recorded(path: Path, name: str, recorded: Mapping[str, str]) -> bytes:
    """Return a file of a written folder; raise StorageError if it is not as recorded."""
    content = read_file(path / name)
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
            read_recorded(path, name, recorded)
        except StorageError as error:
            problems.append(str(error))
    timing = path / TIMING
    try:
        if timing.exists():
            open_sealed_json(read_file(timing), timing)
    except StorageError as error:
        problems.append(str(error))
    present = {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}
    strangers = present - set(recorded) - {MANIFEST, TIMING}
    return problems + [f"{path / name}: not written by Bakeoff" for name in sorted(strangers)]


# ── history and weights ──────────────────────────────────────────────────────────────────────


def history_csv(rows: Sequence[Mapping[str, float | int | None]]) -> bytes:
    """Return a training history as CSV; a value that does not exist is left empty."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, HISTORY_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: "" if row[key] is None else repr(row[key]) for key in row})
    return buffer.getvalue().encode()


def read_history(path: Path) -> dict[str, NDArray[np.float64]]:
    """Return a history's columns as float64 arrays of shape (epochs,); missing values are NaN."""
    try:
        rows = list(csv.DictReader(io.StringIO(read_file(path).decode())))
        return {
            name: np.array([float(row[name] or "nan") for row in rows]) for name in HISTORY_COLUMNS
        }
    except (UnicodeDecodeError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise damaged(path) from error


def weights_bytes(weights: Mapping[str, NDArray[Any]]) -> bytes:
    """Return named weights in the safetensors format."""
    content: bytes = format_safetensors(  # not ascontiguousarray: it gives scalars a dimension
        {name: np.asarray(array, order="C") for name, array in weights.items()}
    )
    return content


def read_weights(path: Path, content: bytes | None = None) -> dict[str, NDArray[Any]]:
    """Return the weights in a safetensors file by name; raise StorageError if it is broken.

    content : the file's, where the caller has read it already
    """
    try:
        weights: dict[str, NDArray[Any]] = parse_safetensors(content or read_file(path))
    except (SafetensorError, ValueError, KeyError) as error:
        raise damaged(path) from error
    return weights


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
            suffix = folder.name.removeprefix("seed-")
            if suffix.isdecimal() and (folder / MANIFEST).is_file():
                done.setdefault(folder.parent.name, []).append(int(suffix))
        return {model: sorted(seeds) for model, seeds in done.items()}

    def openings(self) -> list[Path]:
        """Return the folders of the openings, the first one first."""
        found = [p for p in self.path.glob("openings/*") if p.name.isdecimal()]
        return sorted(found, key=lambda path: int(path.name))

    def read_study(self) -> dict[str, Any]:
        """Return study.json; raise if it was changed or comes from another format."""
        self.require()
        document = open_sealed_json(read_file(self.study_file), self.study_file)
        if document.get("format") != FORMAT:
            raise StudyError(
                f"{self.study_file}: expected format {FORMAT}, found {document.get('format')}: "
                "this study was written by another version of Bakeoff; run it with that version"
            )
        return document

    def read_split(self) -> dict[str, NDArray[np.int64]]:
        """Return the arrays of split.npz: train, validation, test, validation_labels."""
        with disk(self.split_file):
            try:
                with np.load(self.split_file, allow_pickle=False) as arrays:
                    return {name: arrays[name] for name in arrays.files}
            except (ValueError, EOFError, KeyError, OSError) as error:
                if isinstance(error, OSError) and error.errno:
                    raise
                raise damaged(self.split_file) from error

    def read_trial(self, model: str, seed: int) -> dict[str, Any]:
        """Return a finished trial's trial.json; raise StorageError if it was changed."""
        return _recorded_json(self.trial(model, seed), "trial.json")

    def read_timing(self, model: str, seed: int) -> dict[str, Any]:
        """Return a finished trial's clocks."""
        path = self.trial(model, seed) / TIMING
        return open_sealed_json(read_file(path), path)

    def read_opening(self, folder: Path) -> dict[str, Any]:
        """Return an opening's opening.json; raise StorageError if it was changed."""
        return _recorded_json(folder, "opening.json")

    def read_ledger(self) -> list[dict[str, Any]]:
        """Return the openings' ledger lines, the first one first."""
        return read_ledger(self.ledger_file)

    def lock(self, name: str, *, timeout: float = -1) -> AbstractContextManager[None]:
        """Return a lock between processes, freed by the system when its holder dies."""
        return lock_file(self.path / ".locks" / f"{name}.lock", timeout=timeout)


def _recorded_json(folder: Path, name: str) -> dict[str, Any]:
    try:
        document = json.loads(read_recorded(folder, name, read_manifest(folder)))
    except (ValueError, RecursionError) as error:
        raise damaged(folder / name) from error
    if not isinstance(document, dict):
        raise damaged(folder / name)
    return document


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
    content = read_file(path)
    try:
        for text in content.decode().splitlines():
            line = json.loads(text)
            body = {key: value for key, value in line.items() if key != "sha256"}
            if line["before"] != before or line["sha256"] != sha256(canonical(body)):
                raise _altered(path)
            before = line["sha256"]
            lines.append(line)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise _altered(path) from error
    if b"".join(_ledger_line(line) for line in lines) != content:
        raise _altered(path)
    return lines


def _altered(path: Path) -> StorageError:
    return StorageError(
        f"{path}: expected a ledger in which every line follows from the one before, found one "
        "that was changed: restore it, or move it away and run the study again"
    )


def _ledger_line(line: Mapping[str, Any]) -> bytes:
    return (json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n").encode()
