"""What all readers of other people's files share: printable names, one kind of error, limits."""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from bakeoff.errors import BakeoffError, DataError, printable
from bakeoff.utils.machine import available_memory
from bakeoff.utils.text import shown

_POINTER, _POINTER_BYTES = b"version https://git-lfs", 1024
_SPECIAL = "expected a file, found a folder, a pipe or a device"


@contextmanager
def refusing(name: str | os.PathLike[str]) -> Iterator[None]:
    """Turn whatever is raised inside into a DataError that begins with the name."""
    try:
        yield
    except DataError as error:
        if str(error).startswith(f"{shown(name)}: "):
            raise
        raise type(error)(f"{shown(name)}: {error}") from error
    except BakeoffError:
        raise
    except MemoryError:
        raise DataError(
            f"{shown(name)}: needs more memory than there is: free some, or make it smaller"
        ) from None
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise DataError(f"{shown(name)}: cannot be read: {printable(reason)[:200]}") from error
    except Exception as error:  # decoders of other people's files raise anything
        reason = printable(str(error))[:200] or type(error).__name__
        raise DataError(f"{shown(name)}: broken ({reason}): get the file again") from error


@contextmanager
def regular_file(path: str | os.PathLike[str]) -> Iterator[tuple[BinaryIO, int]]:
    """Open a file for reading and give (file, its length); whatever goes wrong inside names it.

    Never waits on a pipe or a device.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with refusing(path), os.fdopen(_open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise DataError(_SPECIAL)
        if status.st_size < _POINTER_BYTES and file.read(len(_POINTER)) == _POINTER:
            raise DataError("a pointer of Git LFS, not the file itself: git lfs pull fetches it")
        file.seek(0)
        yield file, status.st_size


def _open(path: str | os.PathLike[str], flags: int) -> int:
    descriptor = os.open(path, flags)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):  # fdopen would leak the descriptor
        os.close(descriptor)
        raise DataError(_SPECIAL)
    return descriptor


def check_different(paths: Mapping[str, str | os.PathLike[str]]) -> None:
    """Refuse one file or folder for two parts: what is trained on would be tested on."""
    seen: dict[str, str] = {}
    for part, path in paths.items():
        other = seen.setdefault(os.path.realpath(path), part)
        if other != part:
            raise DataError(
                f"expected different files or folders for {other} and {part}, found "
                f"{shown(os.path.basename(os.path.normpath(path)))} for both"
            )


def check_memory(wanted: int) -> None:
    """Refuse what would not fit beside everything else: more than half of the free memory."""
    free = available_memory()
    if wanted > free // 2:
        raise DataError(
            f"expected at most {free // 2:,} bytes of arrays (half of the free memory), "
            f"found {wanted:,}: use smaller images or fewer"
        )
