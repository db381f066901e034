"""The user's own ledgers: who has opened which test set, over all studies of this user."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.data.source_images import shared_images
from bakeoff.errors import StorageError, UsageError
from bakeoff.storage.atomic import clear_temporary, disk, flush
from bakeoff.storage.ledger import append_ledger, read_ledger
from bakeoff.storage.locks import lock_file
from bakeoff.utils.user_paths import named_folder

_NOTABLE = 0.01  # of the images: fewer may be copies that turn up in many data sets
_LINE = 1 << 15  # bytes; the line of ten models with ten seeds takes about half of it
_HASH = re.compile(r"[0-9a-f]{64}")


def user_ledger(test_hash: str) -> Path:
    """Return the file that records this user's openings of a test set; it need not exist.

    It lies in the folder ledger/ of $BAKEOFF_HOME or, where that is not set, of the place that
    the operating system has for a user's data. `test_hash` is study.json's, 64 hexadecimal digits.

    Raises StorageError where this user has no such place.
    """
    if not _HASH.fullmatch(test_hash):
        raise ValueError(f"expected a test set's SHA-256 of 64 digits, got {test_hash!r}")
    return _home() / "ledger" / f"{test_hash}.jsonl"


def _home() -> Path:
    home = named_folder("BAKEOFF_HOME")
    if home is not None:
        return home
    from platformdirs import user_data_path  # only where it is asked

    try:
        found = user_data_path("bakeoff")
    except RuntimeError:  # no HOME, and a user that the system does not know
        found = Path()
    if not found.is_absolute():
        raise StorageError(
            "expected a home folder for the ledger of your openings, found none: set HOME, or "
            "BAKEOFF_HOME to a folder of yours"
        )
    return found


def read_user_ledger(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file that `user_ledger` names; StorageError if one was changed."""
    advice = "restore it from a copy, or move it away, which forgets the openings in it"
    return read_ledger(path, advice=advice)


def require_user_ledger(test_hash: str) -> None:
    """Raise unless a line can be written into the user's ledger of a test set.

    StorageError where the disk is in the way; UsageError where there can be no such place.
    """
    with _with_advice():
        own = user_ledger(test_hash)
        with lock_file(own.with_suffix(".lock")):
            read_user_ledger(own)
            with disk(own):
                _write_as_much(own)


def _write_as_much(own: Path) -> None:
    """Write as much beside a ledger as the next opening will, and delete it; OSError if it fails.

    A full disk still takes an empty file, and one that compresses still takes zeros.
    """
    trial = own.with_name(f".{own.name}.{os.getpid()}.tmp")
    size = _LINE + (own.stat().st_size if own.exists() else 0)  # a ledger is written anew
    trial.unlink(missing_ok=True)
    try:
        with trial.open("xb") as stream:
            stream.write(os.urandom(size))
            stream.flush()
            flush(stream.fileno())
    finally:
        trial.unlink(missing_ok=True)


@contextmanager
def _with_advice() -> Iterator[None]:
    """Let errors of the user's ledger say where one may put it instead."""
    try:
        yield
    except (StorageError, UsageError) as error:
        text = str(error)
        if "BAKEOFF_HOME" in text:
            raise
        advice = "(BAKEOFF_HOME names the folder of your own ledgers)"
        raise type(error)(f"{text} {advice}") from error


def tell_user(entry: Mapping[str, Any], folder: Path) -> None:
    """Write an opening's line into the user's ledger of its test set, unless it is there."""
    own = user_ledger(entry["test"])
    with _with_advice(), lock_file(own.with_suffix(".lock")):
        clear_temporary(own.parent)
        known = any(
            all(line.get(key) == value for key, value in entry.items())
            for line in read_user_ledger(own)
        )
        if not known:
            append_ledger(own, {**entry, "folder": str(folder.resolve())})


def forgotten_lines(
    test_hash: str, study: str, folder: Path, own: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return what this user's ledger has of a study in a folder, and the study's own has not.

    Each is marked as restored: the study may be a new one of the same name in the same place.
    """
    mine, place = {_key(line) for line in own}, str(folder.resolve())
    numbers = {line["opening"] for line in own}
    added = ("before", "sha256", "folder")
    with _with_advice():
        lines = read_user_ledger(user_ledger(test_hash))
    return [
        {**{key: value for key, value in line.items() if key not in added}, "restored": True}
        for line in lines
        if (line.get("study"), line.get("folder")) == (study, place)
        and _key(line) not in mine
        and line["opening"] not in numbers
    ]


@dataclass(frozen=True)
class Elsewhere:
    """How often other studies of this user opened a test set, or one that shares images with it.

    share : the largest part of these test images that any of them opened, in [0, 1]
    partly : whether any of them opened only a part
    """

    times: int
    share: float
    partly: bool = False


def openings_elsewhere(test_hash: str, own: Sequence[Mapping[str, Any]]) -> Elsewhere | None:
    """Count this user's openings of a test set by other studies than those whose lines are `own`.

    A test set of other sizes, names or splits counts where a hundredth of the images are shared.
    None where a ledger of the user's cannot be read or was changed: then nobody knows.
    """
    try:
        shares = [share for share in _shares_elsewhere(test_hash, own) if share >= _NOTABLE]
    except StorageError:
        return None
    return Elsewhere(len(shares), max(shares, default=0.0), any(share < 1 for share in shares))


def _shares_elsewhere(test_hash: str, own: Sequence[Mapping[str, Any]]) -> Iterator[float]:
    """Yield which part of a study's test images each opening by another study opened."""
    mine = {_key(line) for line in own}
    keys: Sequence[str] = next((line["images"] for line in reversed(own) if line.get("images")), [])
    same = user_ledger(test_hash)
    for path in sorted({same, *same.parent.glob("*.jsonl")}):
        for line in read_user_ledger(path):
            if _key(line) not in mine:
                yield 1.0 if path == same else shared_images(keys, line.get("images", []))


def _key(line: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the key that identifies an opening wherever its study is moved."""
    return tuple(line.get(name) for name in ("study", "recipe", "opening", "time"))
