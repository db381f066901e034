"""Folders for what processes share for a while: locked as long as they are used, then removed.

One whose owner was killed stays; it is not locked, so that the next one clears it away.
"""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import Timeout

from bakeoff.errors import StorageError
from bakeoff.storage import atomic
from bakeoff.storage.locks import lock_file


@contextmanager
def scratch_folder(place: Path, *, prefix: str = "") -> Iterator[Path]:
    """Make a folder in `place`, which only this user may read; it is locked before it is there.

    What killed processes left there goes first.
    """
    clear_scratch(place, prefix=prefix)
    path = place / f"{prefix}{secrets.token_hex(8)}.d"
    with lock_file(path.with_suffix(".lock")):
        try:
            with atomic.disk(path):
                path.mkdir(mode=0o700)
            yield path
        finally:
            _remove(path)


def clear_scratch(place: Path, *, prefix: str = "") -> None:
    """Clear away the folders of processes that died: what is there and not locked."""
    for old in place.glob(f"{prefix}*.d"):
        with suppress(Timeout, StorageError), lock_file(old.with_suffix(".lock"), timeout=0):
            _remove(old)


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):  # somebody else's
        path.with_suffix(".lock").unlink(missing_ok=True)
