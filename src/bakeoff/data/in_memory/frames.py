"""Frames: the image files that one lists, the order of pixels given as x, the classes of y."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bakeoff.data.dataset import DataSet
from bakeoff.data.formats.csv_columns import part_column, parts_in
from bakeoff.data.formats.group_columns import notes_on_groups
from bakeoff.data.formats.listed_files import lost_files
from bakeoff.data.formats.pixel_columns import in_order
from bakeoff.data.formats.table import from_files
from bakeoff.data.image_files.guess import guess_files
from bakeoff.data.in_memory.arrays import Given
from bakeoff.data.in_memory.items import as_array
from bakeoff.data.words import (
    FILE_COLUMNS,
    LABEL_COLUMNS,
    PART_COLUMNS,
    bare,
    unused_columns,
)
from bakeoff.errors import DataError
from bakeoff.utils.text import shown, some

_LOOK = 50  # rows in which files are looked for


def is_frame(value: object) -> bool:
    """Say whether a value is a frame, of pandas or another library that has such ones."""
    return hasattr(value, "columns") and hasattr(value, "iloc")


def columns_of(value: Any) -> list[str]:
    """Return the names of a frame's columns; none for anything else."""
    return [str(each) for each in value.columns] if is_frame(value) else []


def from_frame(name: str, frame: Any) -> DataSet:
    """Return the data set of the image files that a frame lists.

    Raises DataError where no column names files, or labels, or none of the files is there.
    """
    columns = columns_of(frame)
    file, label = _file_and_label(frame, columns)
    paths = _paths(frame, file, label)
    places = [str(path) if os.path.isfile(path) else None for path in paths]
    if not any(places):
        raise DataError(
            f"data: expected files in the column {shown(file)}, found no {shown(str(paths[0]))}"
            if paths
            else "data: expected a frame with a row for each image, found none"
        )
    how, about = guess_files([Path(each) for each in places if each])
    rows = [[str(each) for each in row] for row in frame.values.tolist()]
    column = part_column(columns)
    parts = None
    if column is not None:
        parts = parts_in([row[column] for row in rows], columns[column])
    notes: tuple[str, ...] = (about,)
    used = [file, label]
    if column is not None and parts is not None:
        notes += (f"read from the column {shown(columns[column])} (parts)",)
        used.append(columns[column])
    unused = unused_columns(columns, used)
    if unused:
        notes += (f"ignored the columns {some([shown(each) for each in unused])}",)
    labels = frame[label].tolist()
    notes += notes_on_groups(columns, rows, [str(each) for each in labels], parts)
    notes += lost_files(places, [str(path) for path in paths])
    read = from_files(name, places, labels, how, parts=parts, notes=notes)
    return replace(read, pictures=how)


def _file_and_label(frame: Any, columns: Sequence[str]) -> tuple[str, str]:
    """Return the columns of a frame that name the image files and their labels."""
    known = {bare(each): each for each in columns}
    label = next((known[word] for word in LABEL_COLUMNS if word in known), None)
    part = next((known[word] for word in PART_COLUMNS if word in known), None)
    others = [each for each in columns if each not in (label, part)]
    called = [known[word] for word in FILE_COLUMNS if word in known and known[word] != label]
    file = next((each for each in called if _names_files(frame[each])), None)
    file = file or next(iter(called or (others if len(others) == 1 else ())), None)
    if label is None and file is not None and len(others) == 2:
        label = next((each for each in others if each != file), None)
    if label is None or file is None:
        raise DataError(
            f"data: expected a frame with the columns path and label, found {some(columns)}: give "
            "arrays of pixels as (x, y), x of shape (n, height, width)"
        )
    return file, label


def _names_files(column: Any) -> bool:
    """Say whether one of a column's first cells is the path of a file."""
    return any(isinstance(e, str | PathLike) and os.path.isfile(e) for e in column.tolist()[:_LOOK])


def _paths(frame: Any, file: str, label: str) -> list[Path]:
    """Return the paths in a column of files; refuse pictures themselves, or arrays."""
    cells = frame[file].tolist()
    other = next((e for e in cells if hasattr(e, "shape") or hasattr(e, "getbands")), None)
    if other is not None:
        raise DataError(
            f"data: expected the paths of files in the column {shown(file)}, found "
            f"{type(other).__name__}: give images and labels as (list(frame[{file!r}]), "
            f"frame[{label!r}])"
        )
    return [Path(str(each)) for each in cells]


def pixels_in_order(
    parts: Mapping[str, Given], columns: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Given], tuple[str, ...]]:
    """Return the parts with pixels in the order of their columns' numbers, and notes.

    columns : those of the arrays that were frames, by the arrays' names
    """
    ordered, notes = dict(parts), []
    for part, given in parts.items():
        images, moved = _in_order(given.images, columns.get(given.images_name, ()))
        if moved:
            ordered[part] = replace(given, images=images)
            notes.append(f"{given.images_name}: pixels in the order of their columns' numbers")
    return ordered, tuple(notes)


def images_of(value: Any, name: str) -> NDArray[Any]:
    """Return images without labels as one array, read as those of a data set are.

    name : what errors call them
    """
    return _in_order(as_array(value, name), columns_of(value))[0]


def _in_order(images: NDArray[Any], names: Sequence[str]) -> tuple[NDArray[Any], bool]:
    """Return images in rows in the order of their columns' numbers, and whether they were not."""
    if images.ndim != 2 or images.shape[1] != len(names):
        return images, False
    order, moved = in_order(names, list(range(len(names))))
    return images[:, order] if moved else images, moved


def one_hot_names(
    parts: Mapping[str, Given], columns: Mapping[str, Sequence[str]]
) -> list[str] | None:
    """Return the columns of frames of one-hot labels; None where labels are no such frames.

    Raises DataError where the columns of a part are others, or in another order.
    """
    found = {
        each.labels_name: list(columns.get(each.labels_name, ()))
        for each in parts.values()
        if each.labels.ndim == 2 and each.labels.shape[1] > 1
    }
    if len(found) < len(parts) or not all(found.values()):
        return None
    first = next(iter(found))
    for name, names in found.items():
        if names != found[first]:
            raise DataError(
                f"{name}: expected the columns of {first} ({some([shown(e) for e in found[first]])}"
                f"), found {some([shown(e) for e in names])}: give both the same, in one order, as "
                f"in {name}.reindex(columns={first}.columns, fill_value=0)"
            )
    return found[first]
