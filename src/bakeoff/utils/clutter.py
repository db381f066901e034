"""What systems and tools leave in folders that somebody looks at: .DS_Store, Thumbs.db and such."""

from collections.abc import Iterable
from pathlib import Path

_NAMES = {
    *("__macosx", ".ds_store", "icon\r"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"),
    *("@eadir", "#recycle", "lost+found", ".directory", ".ipynb_checkpoints"),
}
_BEGINNINGS = ("._", ".nfs", ".fuse_hidden")  # a file that is deleted while it is read, on NFS
_ENDING = ":zone.identifier"  # marks another file as downloaded, as Windows leaves it for Linux


def is_clutter(name: str) -> bool:
    """Say whether a file or folder of this name is nobody's: a system or a tool left it there."""
    low = name.lower()
    return low in _NAMES or low.startswith(_BEGINNINGS) or low.endswith(_ENDING)


def is_visible(name: str) -> bool:
    """Say whether people see a file of this name as theirs: neither hidden nor clutter."""
    return not name.startswith(".") and not is_clutter(name)


def visible(paths: Iterable[Path]) -> list[Path]:
    """Return the paths of files that people see, sorted: macOS puts ._a.csv beside a.csv."""
    return sorted(path for path in paths if is_visible(path.name))
