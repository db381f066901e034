"""Paths that a user names to the files to predict: pictures, npz files, and what is in folders."""

import os
from collections.abc import Iterable
from pathlib import Path

from bakeoff.data.image_files.image_container import ENDINGS
from bakeoff.errors import DataError
from bakeoff.utils.text import shown


def picture_files(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return the files that paths stand for: a folder for the pictures in it, at any depth.

    Raises DataError for a path that leads nowhere, or a folder without pictures.
    """
    found: list[Path] = []
    for each in paths:
        if not os.fspath(each):
            raise DataError("expected the path of a picture or a folder, found an empty one")
        path = Path(os.path.expanduser(each))
        if not os.path.isdir(path):  # Path.is_dir raises where a name is too long
            if not os.path.lexists(path):  # a broken link costs its row, in a folder, too
                raise DataError(f"{shown(path)}: expected a picture or a folder, found nothing")
            found.append(path)
            continue
        inside = sorted(
            Path(folder) / name
            for folder, _, names in os.walk(path)
            for name in names
            if name.lower().endswith(ENDINGS) and not name.startswith(".")
        )
        if not inside:
            raise DataError(f"{shown(path)}: expected pictures in it, found none")
        found += inside
    return found
