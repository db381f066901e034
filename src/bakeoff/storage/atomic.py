"""Files written whole or not at all, and the disk's errors in words."""

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from bakeoff.errors import DamagedFile, StorageError, UsageError

_NO_FILE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}  # or none in its place
RESTORE = (
    "restore it, or delete its folder and run the study again; if that opens the test set again, "
    "that is counted"
)
_NOBODYS = 86_400.0  # seconds without a byte written
LARGEST = 1 << 32  # bytes; the predictions for 100,000 images of 1,000 classes have 400 million
_AGAIN = "and run the same command again; finished trials are kept"
_ADVICE = {
    errno.ENOSPC: f"free some space {_AGAIN}",
    errno.EDQUOT: f"free some space {_AGAIN}",
    errno.EFBIG: f"raise the limit on the size of a file (ulimit -f) {_AGAIN}",
    errno.EMFILE: f"raise the limit on open files (ulimit -n) {_AGAIN}",
    errno.EROFS: "choose another place for it",
    errno.EACCES: "choose another place for it, or change who may write and read there",
    errno.EPERM: "choose another place for it, or change who may write and read there",
    errno.EIO: "check the disk before you trust anything on it",
    errno.ENOENT: RESTORE,
    errno.EISDIR: "move that away",
}


@contextmanager
def disk(path: Path, *, writing: bool = False) -> Iterator[None]:
    """Turn what the operating system refuses into one sentence that names the file.

    Raises StorageError; DamagedFile where there is no file; UsageError where the path itself will
    not do: a name in it is too long, or, when `writing`, its folder cannot be made.
    """
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError(f"{path}: {reason.lower()}: choose a shorter one") from error
        if writing and error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise UsageError(f"{path}: {reason.lower()}: choose another place for it") from error
        hint = _ADVICE.get(error.errno or 0, "see what is there")
        kind = DamagedFile if error.errno in _NO_FILE else StorageError
        raise kind(f"{path}: {reason.lower()}: {hint}") from error


def sync(path: Path) -> None:
    """Make what happened to a file or folder outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        flush(descriptor)
    finally:
        os.close(descriptor)


def flush(descriptor: int) -> None:
    """Bring what was written to the disk itself: macOS's fsync leaves it in the drive's cache."""
    whole = getattr(fcntl, "F_FULLFSYNC", None)
    if whole is not None:
        with suppress(OSError):  # not every file system can
            fcntl.fcntl(descriptor, whole)
            return
    os.fsync(descriptor)


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: temporary name, flush, fsync, rename, fsync."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")  # two may write a report at once
    with disk(path, writing=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.unlink(missing_ok=True)  # maybe a link, and not ours to write through
            with temporary.open("xb") as stream:
                stream.write(content)
                stream.flush()
                flush(stream.fileno())
            os.replace(temporary, path)
        except BaseException:  # Ctrl-C, too
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync(path.parent)


@contextmanager
def whole_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give an empty folder that becomes `path` when the block ends; it is deleted if that fails.

    replace : whether a folder that is there already may be replaced
    """
    with disk(path, writing=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        scratch.chmod(0o755)  # as a folder that is made in the plain way
    try:
        yield scratch
        with disk(path):
            if replace and path.exists():
                shutil.rmtree(path)
            os.rename(scratch, path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def clear_temporary(folder: Path) -> None:
    """Delete the temporary files of `write_file` whose processes on this machine were killed.

    In containers the numbers of processes are soon in use again: an old file is nobody's, either.
    """
    for path in folder.glob(".*.tmp"):
        writer = path.name.split(".")[-2]
        with suppress(OSError):
            old = time.time() - path.stat().st_mtime > _NOBODYS
            if writer.isdecimal() and (old or not _alive(int(writer))):
                path.unlink()


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # asks, and sends nothing
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def read_file(path: Path, *, most: int = LARGEST) -> bytes:
    """Return a file's content; StorageError if it cannot be read or has more than `most` bytes."""
    with disk(path), opened_file(path, most=most) as file:
        return file.read()  # read(most) would allocate so many bytes


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's content, in little memory; StorageError as in `read_file`."""
    with disk(path), opened_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def opened_file(path: Path, *, most: int = LARGEST) -> Iterator[BufferedReader]:
    """Open a regular file; DamagedFile, without waiting, for a pipe, a device or a folder."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size <= most:
        with os.fdopen(descriptor, "rb") as file:
            yield file
        return
    os.close(descriptor)
    found = "a folder, a pipe or a device"
    if stat.S_ISREG(status.st_mode):
        found = f"one of {status.st_size:,} bytes"
    raise DamagedFile(
        f"{path}: expected a file of at most {most:,} bytes, found {found}: {RESTORE}"
    )
