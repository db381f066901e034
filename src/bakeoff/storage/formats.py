"""JSON documents as the bytes of a study's files, and back: canonical, some with their own hash.

What is read is checked: a file that holds something else is a StorageError of one line.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakeoff.errors import DamagedFile, StorageError
from bakeoff.storage.atomic import LARGEST, RESTORE, opened_file, read_file

LONGEST_TEXT = 1 << 26  # bytes of a file that is read as text
_TEXT = (".json", ".jsonl", ".csv", ".yaml")
_POINTER = b"version https://git-lfs.github.com/spec/"


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


def damaged(path: Path) -> DamagedFile:
    """Return the error for a file that is not what was written; it names the cause if it shows."""
    found = f"others: the file was changed or damaged; {RESTORE}"
    return DamagedFile(
        f"{path}: expected the bytes that were recorded, found {cause(path) or found}"
    )


def cause(path: Path) -> str | None:
    """Return what git or an editor made of a file, and what to do; None where nothing shows it."""
    is_text = path.suffix in _TEXT
    try:
        with opened_file(path, most=LONGEST_TEXT if is_text else LARGEST) as file:
            content = file.read() if is_text else file.read(len(_POINTER))
    except (OSError, StorageError):
        return None
    if content.startswith(_POINTER):
        return "a pointer of Git LFS instead: fetch the files themselves with `git lfs pull`"
    if not is_text:
        return None
    if re.search(rb"^(<<<<<<<|>>>>>>>) ", content, re.MULTILINE):
        return "a conflict of two versions as git marks it: check out one of them whole"
    if b"\r\n" in content and content.count(b"\r\n") == content.count(b"\n"):
        return (
            "the line ends of Windows, from git or an editor: restore it; for git, write `* -text` "
            "into a file .gitattributes in the study's folder, then delete and check out the rest"
        )
    return None


def exchanged(path: Path, wanted: str, found: str) -> DamagedFile:
    """Return the error for a folder that is whole, and another than its place says."""
    return DamagedFile(
        f"{path}: expected {wanted}, found {found}: the folder was exchanged; restore it, or "
        "delete it and run the study again"
    )


def missing(path: Path, why: str) -> DamagedFile:
    """Return the error for what should be there, and is not; `why`: how that is known."""
    return DamagedFile(
        f"{path}: missing, though {why}: restore it from a copy, or begin a new study with --out"
    )


def read_sealed_json(path: Path) -> dict[str, Any]:
    """Return the document in a file written by `sealed_json`; StorageError if it was changed."""
    return open_sealed_json(read_file(path, most=LONGEST_TEXT), path)
