"""Where a user's files lie, and how a path is shown: the cache, a folder as seen from here."""

import itertools
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from bakeoff.errors import DataError, UsageError
from bakeoff.utils.text import shown

# the folders in which a tool keeps a program's environment; how it installs one with an extra
_TOOLS = (
    ("pipx", "venvs", "pipx install --force"),
    ("uv", "tools", "uv tool install"),
)
_MOST_PROGRAMS = 2 << 30  # bytes of compiled programs in the user's cache


def named_folder(variable: str) -> Path | None:
    """Return the folder that an environment variable names; None where it names none.

    A `~` is the home folder also where no shell expands it: in a notebook, a Dockerfile, a unit.
    """
    given = os.environ.get(variable)
    return Path(os.path.expanduser(given)) if given else None


def user_cache() -> Path | None:
    """Return Bakeoff's folder in the user's cache; None for a user without a home."""
    from platformdirs import user_cache_path  # only where it is asked

    try:
        found = user_cache_path("bakeoff")
    except RuntimeError:  # no HOME, and a user that the system does not know
        return None
    return found if found.is_absolute() else None


def program_cache() -> Path | None:
    """Return where compiled programs are kept; None for a user without a home: nowhere."""
    found = user_cache()
    if found is None:
        return None
    _prune_programs(found / "programs")
    return found / "programs"


@lru_cache
def _prune_programs(folder: Path) -> None:
    """Prune it once a process: looking at some thousand files takes as long as a small report."""
    prune(folder, most=_MOST_PROGRAMS)


def current_folder() -> Path:
    """Return the folder that this program runs in; UsageError where it was removed meanwhile."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError(
            "expected a current folder, found it removed: change to another (cd ~) and try again"
        ) from None


def from_here(path: Path) -> str:
    """Return a path as one would type it in this folder."""
    with suppress(OSError, ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def seen_from(folder: Path, path: Path) -> str:
    """Return an absolute path as one writes it into a file in `folder`, with slashes.

    From the home, "~/photos", where the path lies in it and `folder` does not: so no user's name is
    written down. Else relative, as given or with its links followed, whichever climbs less; on
    another drive of Windows absolute.

    folder : absolute, without links
    """
    real = Path(os.path.realpath(path.parent), path.name)
    home = Path.home() if _has_home() else None
    if home is not None:
        for start, end in ((home, path), (home.resolve(), real)):
            if end.is_relative_to(start) and not folder.is_relative_to(home.resolve()):
                return f"~/{end.relative_to(start).as_posix()}"
    try:
        ways = [Path(os.path.relpath(each, folder)).as_posix() for each in (path, real)]
    except ValueError:
        return str(path)
    found = min(ways, key=lambda way: way.split("/").count(".."))
    return f"./{found}" if found.startswith("~") else found


def require_utf8_names(names: Iterable[str]) -> None:
    """Raise DataError where Python would not read the names of files as UTF-8, and one needs it.

    Names become classes: in another locale "été" would be another class, and a study could not go
    on.
    """
    encoding = sys.getfilesystemencoding()
    if encoding == "utf-8":
        return
    for name in names:
        if not name.isascii():
            raise DataError(
                f"{shown(name)}: expected Python to read names of files as UTF-8, found {encoding} "
                "in this locale: set PYTHONUTF8=1 before Python starts"
            )


def _has_home() -> bool:
    home = os.path.expanduser("~")
    return os.path.isabs(home) and os.path.dirname(home) != home


def to_install(extra: str) -> str:
    """Return what to type to install Bakeoff with an extra, into the environment it runs in."""
    parts = Path(sys.prefix).parts
    for above, below, command in _TOOLS:
        if (above, below) in itertools.pairwise(parts):
            return f"{command} 'bakeoff[{extra}]'"
    return f"pip install 'bakeoff[{extra}]'"


def prune(folder: Path, *, most: int) -> None:
    """Delete the files of a folder that were unused for longest, until `most` bytes are left."""
    files = list(_ages(folder))
    size = sum(each[1] for each in files)
    for _, bytes_, path in sorted(files):
        if size <= most:
            return
        with suppress(OSError):
            os.unlink(path)
            size -= bytes_


def _ages(folder: Path) -> Iterable[tuple[float, int, str]]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.is_file(follow_symlinks=False):
                    found = entry.stat(follow_symlinks=False)
                    yield max(found.st_atime, found.st_mtime), found.st_size, entry.path
