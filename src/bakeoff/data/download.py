"""Downloads of published data sets: from mirrors, checked by content, kept in the user cache."""

import os
import sys
import tempfile
from pathlib import Path

from bakeoff.data.published import FILES, Published, missing, read_checked
from bakeoff.errors import DataError, StorageError, printable
from bakeoff.utils.text import shown

_TIMEOUT = (10, 30)  # seconds to connect, and between two pieces
_LARGEST = 64 << 20  # bytes of one packed file


def fetch(published: Published, folder: Path) -> None:
    """Download what is missing of a data set into a folder.

    Only one process does so at a time. A file appears under its name once its content has been
    checked, so what is there is whole.

    Raises
    ------
    DataError
        If no mirror gave the published content.
    StorageError
        If the folder cannot be written.
    """
    from filelock import FileLock

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            absent = missing(folder)
            for key, stem in FILES.items():
                if stem in absent:
                    _fetch_one(published, key, folder / f"{stem}.gz")
    except OSError as error:
        raise StorageError(
            f"{shown(folder)}: cannot keep {published.name} there ({error.strerror or error}): "
            f"make room, or set BAKEOFF_DATA to a folder that has {published.name}/ with its files"
        ) from error


def _fetch_one(published: Published, key: str, target: Path) -> None:
    tried = []
    for mirror in published.mirrors:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as scratch:
            part = Path(scratch) / target.name
            try:
                download(mirror + target.name, part, label=f"{published.name}: {target.name}")
                read_checked(published, key, part)
            except (DataError, _requests_error()) as error:
                tried.append(f"{mirror} ({_reason(error)})")
                continue
            os.replace(part, target)
            return
    raise DataError(
        f"{published.name}: expected to download {target.name}, found no mirror that gave it: "
        f"tried {'; '.join(tried)}: go online, or set BAKEOFF_DATA to a folder that has "
        f"{published.name}/ with its four files"
    )


def download(url: str, target: Path, *, label: str) -> None:
    """Write what an address gives to a file. Tests replace this; nothing else goes online."""
    import pooch

    progress = Progress(label)
    pooch.HTTPDownloader(progressbar=progress, timeout=_TIMEOUT, chunk_size=1 << 16)(
        url, str(target), None
    )


class Progress:
    """Bytes received, on standard error where that is a terminal; refuses an endless answer."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.total = 0
        self._received = 0
        self._percent = -1

    def update(self, count: int) -> None:
        """Count bytes."""
        self._received += count
        if self._received > _LARGEST:
            raise DataError(f"more than {_LARGEST:,} bytes")
        percent = min(100 * self._received // self.total, 100) if self.total else 0
        if percent != self._percent and sys.stderr.isatty():
            self._percent = percent
            sys.stderr.write(f"\r{self.label} {percent} %")

    def reset(self) -> None:
        """Start again from 0."""
        self._received = 0

    def close(self) -> None:
        """End the line."""
        if sys.stderr.isatty():
            sys.stderr.write("\n")


def _requests_error() -> type[Exception]:
    from requests.exceptions import RequestException

    return RequestException


def _reason(error: Exception) -> str:
    """Say in a few words why a mirror failed."""
    if isinstance(error, DataError):
        return "other content"
    response = getattr(error, "response", None)
    if response is not None:
        return f"status {response.status_code}"
    return printable(type(error).__name__)
