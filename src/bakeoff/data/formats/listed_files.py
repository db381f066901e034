"""The image files that a table or a frame lists: found on the disk, and each read once."""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from bakeoff.data.folders.part_folders import folder_part
from bakeoff.data.image_files.image_container import ENDINGS, is_called_image
from bakeoff.data.sources import PARTS
from bakeoff.data.words import spelled_out
from bakeoff.errors import DataError
from bakeoff.utils.clutter import is_visible, visible
from bakeoff.utils.text import counted, listed, shown, some


def place_of(root: Path, name: str) -> str | None:
    """Return the file that a table means, inside `root`, its ending perhaps left out."""
    if not name.strip() or "\0" in name:
        return None
    forms = [name.strip()]
    if not name.isascii():  # macOS takes an accent apart, in names of files and of archives
        forms += [unicodedata.normalize(form, name.strip()) for form in ("NFC", "NFD")]
    return next((found for each in forms if (found := _file(root, each)) is not None), None)


def _file(root: Path, name: str) -> str | None:
    path = os.path.normpath(root / name)
    if "\\" in name and not os.path.exists(path):  # written on Windows
        path = os.path.normpath(root / name.replace("\\", "/"))
    if not (path + os.sep).startswith(os.path.normpath(root) + os.sep):
        return None
    tries = (path, *(path + each for each in ENDINGS), *(path + each.upper() for each in ENDINGS))
    return next((each for each in tries if os.path.isfile(each)), None)


def lost_files(paths: Sequence[str | None], names: Sequence[str]) -> tuple[str, ...]:
    """Count the files that are listed and not there, and name a few."""
    lost = [shown(name) for name, path in zip(names, paths, strict=True) if path is None]
    if not lost:
        return ()
    named = [name for name in lost if name]
    few = f"{', '.join(named[:3])}{', …' if len(named) > 3 else ''}"
    said = f"did not find {len(lost):,} of {len(paths):,} files that are listed"
    return (f"{said}: {few}" if named else said,)


def parts_by_folders(paths: Sequence[str | None]) -> tuple[str, ...]:
    """Return a note where files lie in folders of parts, as train/1.png and test/1.png do."""
    folders = {os.path.dirname(os.path.abspath(path)) for path in paths if path is not None}
    if len(folders) < 2:
        return ()
    above = os.path.commonpath(folders)
    names = {name for each in folders for name in os.path.relpath(each, above).split(os.sep)}
    parts = {folder_part(name): f"{shown(name)}/" for name in names if spelled_out(name)}
    called = [parts[part] for part in PARTS if part in parts]
    if "train" not in parts or len(called) < 2:
        return ()
    return (
        f"the files lie in {listed(called)}, which are not taken for parts: where they are, say so "
        "by a column split (train, val, test)",
    )


def each_once(
    order: Sequence[int],
    paths: Sequence[str | None],
    labels: Sequence[object],
    parts: Sequence[str],
) -> tuple[list[int], list[int]]:
    """Return (the rows to read, of `order`; those left out, whose file is read in another).

    A file may stand in several parts, which is found as a copy.

    Raises
    ------
    DataError
        If a file has several labels in a part, as tables of boxes in pictures say them.
    """
    first: dict[tuple[str | None, str], int] = {}
    kept, again = [], []
    several: dict[str | None, list[str]] = {}
    for row in order:
        earlier = first.setdefault((paths[row], parts[row]), row)
        if earlier == row:
            kept.append(row)
            continue
        again.append(row)
        both = [str(labels[each]) for each in (earlier, row)]
        if both[0] != both[1]:
            several.setdefault(paths[row], both)
    if several:
        name, both = next(iter(several.items()))
        raise DataError(
            f"expected one label for a file, found {counted(len(several), 'file')} with several, "
            f"such as {shown(Path(str(name)).name)} ({listed(map(shown, both))}): an image of "
            "several classes cannot be used; where a label is wrong, take its line out"
        )
    return kept, again


def pictures_there(roots: Sequence[Path]) -> str:
    """Say what pictures in some folders are called, to compare with a table's cells."""
    for root in roots:
        try:
            names = [each.name for each in visible(root.iterdir())]
        except OSError:
            continue
        names = [each for each in names if is_called_image(each)]
        if names:
            return f"pictures in {shown(root.name)}/ are called {some(list(map(shown, names)))}"
    for folder, below, files in os.walk(roots[0]):
        below[:] = sorted(filter(is_visible, below))  # which is where it goes on
        if any(is_called_image(name) and is_visible(name) for name in files):
            return f"pictures lie deeper, as in {shown(os.path.relpath(folder, roots[0]))}/"
    return "there are no pictures"
