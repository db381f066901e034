"""Data sets in folders: one sub-folder a class, optionally train/ and test/ above."""

import os
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.arrays import check_test_classes, checked_class_names
from bakeoff.data.dataset import DataSet, FolderSource
from bakeoff.data.image_file import decoding, read_picture
from bakeoff.data.safe_reading import check_memory, refusing
from bakeoff.data.source_images import content_key
from bakeoff.errors import DataError
from bakeoff.utils.text import shown

_ENDINGS = (".png", ".jpg", ".jpeg", ".jpe", ".jfif")
_CLUTTER = ("__macosx", "thumbs.db", "desktop.ini")
_NAMED = 5  # examples in a note
_MAX_SIDE = 4096


@dataclass(frozen=True)
class _File:
    path: str
    label: int
    name: str  # below the folder, as shown


@dataclass
class _Notes:
    """What was left out while reading, as shown; of every label the first broken file."""

    broken: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    deep: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    untested: list[str] = field(default_factory=list)
    first_broken: dict[int, str] = field(default_factory=dict)

    def sentences(self) -> tuple[str, ...]:
        kinds = [
            ("skipped", self.broken, "broken file", ""),
            ("ignored", self.other, "file", " without a PNG or JPEG name"),
            ("ignored", self.deep, "folder", " inside class folders"),
            (
                "did not follow",
                self.links,
                "link",
                " to a folder, out of this folder or to nowhere",
            ),
            ("ignored", self.loose, "file", " or folders beside the class folders"),
            ("found no test image of", self.untested, "classes", ""),
        ]
        return tuple(
            f"{verb} {_counted(names, noun)}{rest}: {_examples(names)}"
            for verb, names, noun, rest in kinds
            if names
        )


def _counted(names: list[str], noun: str) -> str:
    singular, plural = ("class", noun) if noun == "classes" else (noun, f"{noun}s")
    return f"{len(names):,} {singular if len(names) == 1 else plural}"


def _examples(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")


def load_folder(source: FolderSource) -> DataSet:
    """Read a folder of images.

    Class names are the folders' names; classes and files come in natural order (2 before 10).
    Broken files are skipped and noted. Links are followed only to files inside the folder.

    Raises
    ------
    DataError
        If it is not such a folder, or a class has no readable image.
    """
    height, width = _checked_size(source.size)
    if source.color not in ("grey", "rgb"):
        raise DataError(f"color: expected grey or rgb, found {source.color!r}")
    root = Path(source.folder)
    if not os.path.isdir(root):
        raise DataError(f"{shown(root)}: expected a folder of images, found none")
    notes = _Notes()
    with refusing(root):
        files, classes, n_train = _find(root, notes)
        names = checked_class_names(classes)
        shape = (len(files), height, width, 1 if source.color == "grey" else 3)
        check_memory(2 * shape[0] * height * width * shape[3])
        images = np.empty(shape, dtype=np.uint8)
        origins = np.zeros(len(files), dtype=np.uint64)
        kept = _decode(files, images, origins, source, notes)
        labels = np.array([file.label for file in files], dtype=np.int64)[kept]
        test_start = None if n_train is None else int(np.count_nonzero(kept[:n_train]))
        _check_classes(labels, names, test_start, notes)
        images = images if kept.all() else images[kept]
    title = shown(Path(os.path.abspath(root)).name) or "folder"
    return DataSet(
        title, images, labels, names, 255.0, test_start, notes.sentences(), origins[kept]
    )


def _checked_size(size: tuple[int, int]) -> tuple[int, int]:
    sides = tuple(size)
    good = [isinstance(side, int) and 1 <= side <= _MAX_SIDE for side in sides]
    if len(sides) != 2 or not all(good):
        raise DataError(
            f"size: expected [height, width] from 1 to {_MAX_SIDE:,}, found {list(sides)}"
        )
    return sides[0], sides[1]


def _find(root: Path, notes: _Notes) -> tuple[list[_File], list[str], int | None]:
    """Return (files, class names, where the test files begin or None)."""
    folders = _folders(root, notes.loose, notes)
    by_name = {name.lower(): path for name, path in folders}
    if not {"train", "test"} <= by_name.keys():
        classes = [name for name, _ in folders]
        return _files(root, folders, classes, notes), _normal(classes), None
    notes.loose += [shown(name) for name, _ in folders if name.lower() not in ("train", "test")]
    train = _folders(by_name["train"], notes.loose, notes)
    test = _folders(by_name["test"], notes.loose, notes)
    classes = [name for name, _ in train]
    extra = [name for name, _ in test if name not in classes]
    if extra:
        raise DataError(f"expected in test/ only classes of train/, found {shown(extra[0])}")
    files = _files(root, train, classes, notes)
    return files + _files(root, test, classes, notes), _normal(classes), len(files)


def _normal(classes: list[str]) -> list[str]:
    """Return class names in Unicode's composed form; two that look the same are then found out."""
    if len(classes) < 2:
        raise DataError(
            f"expected a sub-folder for each of at least 2 classes, found {len(classes)}"
        )
    return [unicodedata.normalize("NFC", name) for name in classes]


def _folders(parent: str | Path, loose: list[str], notes: _Notes) -> list[tuple[str, str]]:
    """Return (name, path) of the folders in a folder; note what else there is."""
    folders = []
    for entry in _entries(parent):
        if entry.is_symlink():
            notes.links.append(shown(entry.name))
        elif entry.is_dir():
            folders.append((entry.name, entry.path))
        else:
            loose.append(shown(entry.name))
    return folders


def _files(
    root: Path, folders: list[tuple[str, str]], classes: list[str], notes: _Notes
) -> list[_File]:
    """Return the image files of class folders, in order; note what else there is."""
    inside = os.path.realpath(root) + os.sep
    files = []
    for folder, path in folders:
        label = classes.index(folder)
        for entry in _entries(path):
            name = shown(os.path.relpath(entry.path, root), limit=120)
            target = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
            if entry.is_symlink() and not (target.startswith(inside) and os.path.isfile(target)):
                notes.links.append(name)
            elif entry.is_dir():
                notes.deep.append(name)
            elif not entry.name.lower().endswith(_ENDINGS):
                notes.other.append(name)
            else:
                files.append(_File(target, label, name))
    return files


def _entries(folder: str | Path) -> list["os.DirEntry[str]"]:
    """Return what lies in a folder, in natural order, without hidden files and clutter."""
    with os.scandir(folder) as entries:
        visible = [
            entry
            for entry in entries
            if not entry.name.startswith(".") and entry.name.lower() not in _CLUTTER
        ]
    return sorted(visible, key=lambda entry: natural(entry.name))


def natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return a key that sorts numbers by value, before letters, and letters without case."""
    pieces = re.findall(r"[0-9]+|[^0-9]+", name)
    return [
        (0, int(piece), "") if piece[0] in "0123456789" else (1, 0, piece.casefold())
        for piece in pieces
    ], name


def _decode(
    files: list[_File],
    images: NDArray[np.uint8],
    origins: NDArray[np.uint64],
    source: FolderSource,
    notes: _Notes,
) -> NDArray[np.bool_]:
    """Fill `images` and `origins`; return which files could be read."""
    kept = np.ones(len(files), dtype=bool)
    with decoding():
        for position, file in enumerate(files):
            try:
                images[position] = read_picture(file.path, size=source.size, color=source.color)
                origins[position] = content_key(Path(file.path).read_bytes())
            except DataError as error:
                kept[position] = False
                reason = str(error).removeprefix(f"{shown(file.path)}: ")
                notes.broken.append(f"{file.name} ({reason})")
                notes.first_broken.setdefault(file.label, notes.broken[-1])
    return kept


def _check_classes(
    labels: NDArray[np.int64], names: tuple[str, ...], test_start: int | None, notes: _Notes
) -> None:
    """Refuse a class that has no readable image to learn from."""
    if test_start is not None:
        if test_start == len(labels):
            raise DataError("expected images in test/, found none that can be read")
        check_test_classes(labels, test_start, names)
        tested = np.bincount(labels[test_start:], minlength=len(names))
        notes.untested += [names[label] for label in np.flatnonzero(tested == 0)]
    for label in np.flatnonzero(
        np.bincount(labels[:test_start], minlength=len(names)) == 0
    ).tolist():
        why = f" but {notes.first_broken[label]}" if label in notes.first_broken else ""
        raise DataError(
            f"class {shown(names[label])}: expected at least one readable PNG or JPEG, found "
            f"none{why}: add images, or remove the folder"
        )
