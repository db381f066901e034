"""A folder of results, written whole or not at all, with the SHA-256 of every file in its manifest.

It is assembled under a temporary name and then renamed: if it exists, it is complete. Clocks and
versions, timing.json and environment.json, stay out of the manifest, so that two runs can be
compared byte by byte; each has a hash of its own, and the manifest has their names. In a folder
inside they are kept apart, too.
"""

import json
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from bakeoff.errors import StorageError
from bakeoff.storage.atomic import LARGEST, disk, hash_file, read_file, sync, write_file
from bakeoff.storage.formats import LONGEST_TEXT, damaged, read_sealed_json, sealed_json, sha256
from bakeoff.storage.schemas import check_document
from bakeoff.utils.clutter import is_clutter

MANIFEST = "manifest.json"
TIMING = "timing.json"
WEIGHTS = "weights.safetensors"  # of a trial, or of each fold
VALIDATION = "validation.npy"
ENVIRONMENT = "environment.json"
APART = (TIMING, ENVIRONMENT)


def write_folder(path: Path, files: Mapping[str, bytes], *, scratch: Path) -> None:
    """Write a folder of files and its manifest whole or not at all.

    Parameters
    ----------
    path : the folder's final name; must not exist
    files : content by name, "/" between folders; of APART the manifest has only the names
    scratch : where it is assembled, on the same disk; emptied first, gone afterwards
    """
    manifest = {
        "files": {name: sha256(files[name]) for name in files if not kept_apart(name)},
        "apart": sorted(name for name in files if kept_apart(name)),
    }
    with disk(path):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
    for name, content in {**files, MANIFEST: sealed_json(manifest)}.items():
        write_file(scratch / name, content)
    with disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.rename(scratch, path)
        sync(path.parent)


def kept_apart(name: str) -> bool:
    """Say whether a file stays out of the manifest: times, versions, what systems leave."""
    return name.rpartition("/")[2] in APART or _left_there(name)


def _left_there(name: str) -> bool:
    """Say whether a system or a tool leaves such a file wherever somebody looks at a folder."""
    return any(map(is_clutter, name.split("/")))


def read_manifest(path: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a written folder by name; raise if it was changed."""
    manifest = path / MANIFEST
    recorded: dict[str, str] = check_document(read_sealed_json(manifest), manifest)["files"]
    return recorded


def _apart(path: Path) -> set[str]:
    """Return the names of the files that were kept apart; version 0.1.0 did not say."""
    return set(read_sealed_json(path / MANIFEST).get("apart", []))


def read_recorded(
    folder: Path, name: str, recorded: Mapping[str, str] | None = None, *, most: int = LARGEST
) -> bytes:
    """Return a file of a written folder; raise StorageError if it is not as recorded.

    recorded : what `read_manifest` gives, where the caller has read it already
    """
    recorded = read_manifest(folder) if recorded is None else recorded
    content = read_file(folder / name, most=most)
    if sha256(content) != recorded.get(name):
        raise damaged(folder / name)
    return content


def read_document(
    folder: Path, name: str, recorded: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a JSON document of a written folder; otherwise as `read_recorded`."""
    try:
        document = json.loads(read_recorded(folder, name, recorded, most=LONGEST_TEXT))
    except (ValueError, RecursionError) as error:
        raise damaged(folder / name) from error
    return check_document(document, folder / name)


def unlike_manifest(files: Mapping[str, bytes]) -> list[str]:
    """Return the names of a written folder's files, given by name, that are not as it recorded."""
    try:
        recorded = json.loads(files[MANIFEST])["files"]
        there = {name: sha256(content) for name, content in files.items()}
    except (ValueError, KeyError, TypeError):
        return [MANIFEST]
    changed = [name for name in recorded if there.get(name) != recorded[name]]
    beside = (n for n in there if n not in recorded and n != MANIFEST and not kept_apart(n))
    return [*changed, *beside]


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
    present = {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}
    apart = _apart(path) | (present & set(APART))
    for name in sorted(apart):
        try:
            read_sealed_json(path / name)
        except StorageError as error:
            problems.append(str(error))
    strangers = sorted(present - set(recorded) - {MANIFEST, *apart})
    return problems + [
        f"{path / name}: not written by Bakeoff" for name in strangers if not _left_there(name)
    ]


def require_whole(path: Path, *, but: Collection[str] = ()) -> None:
    """Raise StorageError where a file of a written folder is gone, or not as it was recorded.

    but : names of files, in whatever folder inside, that need not be there
    """
    recorded = read_manifest(path)
    for name in recorded:
        if Path(name).name not in but and hash_file(path / name) != recorded[name]:
            raise damaged(path / name)
    for name in sorted(_apart(path)):
        if (path / name).exists():  # without clocks and versions one can do
            read_sealed_json(path / name)
