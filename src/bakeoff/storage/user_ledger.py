"""The user's own ledgers: who has opened which test set, over all studies of this user."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bakeoff.errors import StorageError
from bakeoff.storage.ledger import read_ledger

_HASH = re.compile(r"[0-9a-f]{64}")


def user_ledger(test_hash: str) -> Path:
    """Return the file that records this user's openings of a test set; it need not exist.

    It lies in the folder ledger/ of $BAKEOFF_HOME or, where that is not set, of the place that
    the operating system has for a user's data. `test_hash` is study.json's, 64 hexadecimal digits.
    """
    if not _HASH.fullmatch(test_hash):
        raise ValueError(f"expected a test set's SHA-256 of 64 digits, got {test_hash!r}")
    home = os.environ.get("BAKEOFF_HOME")
    if not home:
        from platformdirs import user_data_dir  # only where it is asked

        home = user_data_dir("bakeoff")
    return Path(home) / "ledger" / f"{test_hash}.jsonl"


def openings_elsewhere(test_hash: str, own: Iterable[Mapping[str, Any]]) -> int | None:
    """Count this user's openings of a test set by other studies than those whose lines are `own`.

    None where the user's ledger cannot be read or was changed: then nobody knows.
    """
    mine = {_key(line) for line in own}
    try:
        lines = read_ledger(user_ledger(test_hash))
    except StorageError:
        return None
    return sum(_key(line) not in mine for line in lines)


def _key(line: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what an opening is known by, wherever the study's folder was moved since."""
    return tuple(line.get(name) for name in ("study", "recipe", "opening", "time"))
