"""Data sets in folders: one sub-folder a class, optionally train/, val/ and test/ above."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.class_names import check_known, checked_class_names
from bakeoff.data.dataset import DataSet, part_starts
from bakeoff.data.folders.folder_layout import find, links_outside
from bakeoff.data.folders.folder_walk import MOST_LEVELS, Seen
from bakeoff.data.formats.tables_beside import tables_with_labels
from bakeoff.data.image_files.decode_files import Skipped, check_pictures, decode_files, examples
from bakeoff.data.safe_reading import refusing
from bakeoff.data.sources import FolderSource
from bakeoff.errors import DataError
from bakeoff.utils.text import counted, listed, shown, some


def load_folder(source: FolderSource) -> DataSet:
    """Read a folder of images.

    Class names are the folders' names; classes and files come in natural order (2 before 10).
    What is no image is ignored, broken files are skipped, both with a note. Links are followed
    only inside the folder.

    Raises
    ------
    DataError
        If it is not such a folder, or a class has no readable image.
    """
    check_pictures(source)
    root = Path(source.folder)
    if not os.path.isdir(root):
        found = "a file" if os.path.isfile(root) else "none"
        raise DataError(f"{shown(root)}: expected a folder of images, found {found}")
    seen, skipped = Seen(), Skipped()
    with refusing(root):
        layout = find(root, source.parts, seen)
        names = checked_class_names(layout.classes)
        files = [(part, file) for part, each in layout.files.items() for file in each]
        counts = {part: len(each) for part, each in layout.files.items()}
        read = decode_files([file for _, file in files], source, skipped, counts)
        kept = [each for each, good in zip(files, read.kept, strict=True) if good]
        parts = {
            part: np.array([file.label for of, file in kept if of == part], dtype=np.int64)
            for part in layout.files
        }
        _check_classes(parts, names, skipped, seen)
    notes = [*skipped.notes(), *_notes(seen), *read.white.notes]
    tables = tables_with_labels(root)
    if tables:
        notes.append(
            f"labels are the folders' names, and not those in {some(tables)} beside them: for "
            "these, write {table: …}"
        )
    title = shown(Path(os.path.abspath(root)).name) or "folder"
    validation_start, test_start = part_starts({part: len(each) for part, each in parts.items()})
    return DataSet(
        title,
        read.images,
        np.concatenate(list(parts.values())),
        names,
        read.white.maximum,
        test_start,
        notes=tuple(notes),
        origins=read.origins,
        validation_start=validation_start,
        files=tuple(file.name for _, file in kept),
        deep_white=read.white.deep,
    )


_TOLD: dict[str, tuple[str, ...]] = {  # of what is noticed, by its name in Seen: noun(s) and note
    "deep": ("folder", "read {count} inside class folders too: {names}"),
    "deeper": (
        "folder",
        f"did not look into {{count}} more than {MOST_LEVELS} levels inside a class folder: "
        "{names}",
    ),
    "again": ("folder", "did not enter {count} again, here or in another class: {names}"),
    "masks": ("picture", "left out {count} called like masks of others beside them: {names}"),
    "mask_folders": (
        "folder",
        "left out {count} called like masks of the pictures beside them: {names}",
    ),
    "like_masks": (
        "picture",
        "read {count} called like masks of others beside them: if they are, remove them ({names})",
    ),
    "alike": (
        "folder",
        "every class folder holds the same folders ({names}): if these are the classes, name one "
        "of the class folders instead, or put those of one name together",
    ),
    "links": (
        "link",
        "did not follow {count} out of this folder, to nowhere or back: {names}",
    ),
    "loose": (
        "file or folder",
        "files or folders",
        "ignored {count} beside the class folders: {names}",
    ),
}


def _notes(seen: Seen) -> list[str]:
    """Return what was found beside the images, in sentences."""
    notes = []
    if seen.entered:
        notes.append(f"the classes were found in {listed(f'{each}/' for each in seen.entered)}")
    if seen.called:
        notes.append(seen.called)
    for what, (*nouns, note) in _TOLD.items():
        if names := getattr(seen, what):
            notes.append(note.format(count=counted(len(names), *nouns), names=examples(names)))
    return notes


def _check_classes(
    parts: dict[str, NDArray[np.int64]], names: tuple[str, ...], skipped: Skipped, seen: Seen
) -> None:
    """Refuse a class that has no readable image to learn from."""
    have = np.bincount(parts["train"], minlength=len(names))
    for label in np.flatnonzero(have == 0).tolist():
        if label in skipped.first_broken:
            why = f" but {skipped.first_broken[label]}"
        else:
            endings = skipped.endings(label)
            why = f", but {endings}, which cannot be read here" if endings else ""
            why += f", but {links_outside(seen.links)}" if seen.links else ""
        cure = "add images, or remove the folder"
        only = shown(names[int(have.argmax())])
        if np.count_nonzero(have) == 1 and any(f"{only}/" in each for each in seen.deep):
            cure = f"if the classes are in {only}/, name that folder"
        raise DataError(
            f"class {shown(names[label])}: expected at least one readable image, found none{why}: "
            f"{cure}"
        )
    for part in ("validation", "test"):
        if part in parts:
            if not len(parts[part]):
                raise DataError(f"expected images in the {part} part, found none that can be read")
            check_known(parts["train"], parts[part], part, names)
