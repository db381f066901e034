"""Data sets in CSV files of pixels: a label and one column for each pixel, as Kaggle has them."""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.arrays import Given, from_parts
from bakeoff.data.dataset import DataSet
from bakeoff.data.safe_reading import check_memory, refusing, regular_file
from bakeoff.data.sources import CsvSource
from bakeoff.data.tables import INDICES, LABELS, Head, bare, head, named, rows, stated
from bakeoff.errors import DataError
from bakeoff.utils.text import shown


def load_csv(source: CsvSource) -> DataSet:
    """Read a data set from a table of pixels; with `test`, from two.

    The label is in the column that is called so (label, class, target …) or in the first one, the
    pixels in all others, row by row; a column of numbers (id) is ignored. `shape` is (height,
    width) or (height, width, 3); square images need none.

    Raises
    ------
    DataError
        If it is no such table, or the pixels make no images of one shape.
    """
    paths = {"train": Path(source.csv)}
    if source.test is not None:
        paths["test"] = Path(source.test)
    parts, notes = {}, []
    for part, path in paths.items():
        images, labels, columns = _read(path, source)
        name = shown(path.name)
        parts[part] = Given(images, labels, f"{name} (pixels)", f"{name} ({columns[0]})")
        ignored = f"; ignored {', '.join(columns[1:])}" if columns[1:] else ""
        notes.append(f"{name}: labels from the column {columns[0]}{ignored}")
    return from_parts(paths["train"].stem, parts, scale=source.scale, notes=tuple(notes))


def _read(path: Path, source: CsvSource) -> tuple[NDArray[Any], NDArray[Any], list[str]]:
    """Return (images, labels, names of the label's column and of one that is ignored)."""
    begin = head(path)
    with refusing(path):
        label, ignored = _label(begin, source)
        packed = named(begin.columns, ("pixels",)) if begin.named else None
        if packed is not None:
            return _packed(path, begin, label, packed, source)
        pixels = [i for i in range(len(begin.columns)) if i != label and i not in ignored]
        shape = _shape(len(pixels), source.shape)
        with regular_file(path) as (_, size):
            check_memory(3 * size)
        values = _load(path, begin, pixels, np.float32)
        labels = _load(path, begin, [label], np.str_).reshape(-1)
    values = _whole_pixels(values)
    names = [shown(begin.columns[label], limit=40)]
    names += [shown(begin.columns[each], limit=40) for each in ignored]
    return values.reshape(-1, *shape), _whole(labels), names


def _packed(
    path: Path, begin: Head, label: int, packed: int, source: CsvSource
) -> tuple[NDArray[Any], NDArray[Any], list[str]]:
    """Read a table that holds all pixels of an image in one cell, as FER2013 does."""
    found = rows(path, begin)
    values = [np.array(row[packed].split(), dtype=np.float32) for row in found]
    counts = {len(each) for each in values}
    if len(counts) != 1:
        raise DataError(
            f"expected as many pixels in every line, found {min(counts, default=0):,} to "
            f"{max(counts, default=0):,}"
        )
    shape = _shape(counts.pop(), source.shape)
    others = [shown(e, limit=40) for i, e in enumerate(begin.columns) if i not in (label, packed)]
    labels = np.array([row[label] for row in found])
    images = _whole_pixels(np.stack(values)).reshape(-1, *shape)
    return images, _whole(labels), [shown(begin.columns[label], limit=40), *others]


def _whole_pixels(values: NDArray[Any]) -> NDArray[Any]:
    """Return pixels as whole numbers where all are."""
    if (values == np.round(values)).all() and values.min() >= 0 and values.max() < 65536:
        return values.astype(np.uint8 if values.max() < 256 else np.int32)
    return values


def _label(begin: Head, source: CsvSource) -> tuple[int, list[int]]:
    """Return (the label's column, columns to ignore)."""
    columns = begin.columns
    if source.label is not None:
        label: int | None = stated(columns, source.label, "label")
    else:
        label = named(columns, LABELS) if begin.named else 0
    others = len(columns) - 1
    index = [
        index
        for index, each in enumerate(columns)
        if begin.named and index != label and bare(each) in INDICES
    ]
    ignored = index[:1] if source.shape is not None or not _is_square(others) else []
    if source.shape is not None and others == math.prod(source.shape):
        ignored = []
    if label is None:
        have = ", ".join(shown(each, limit=30) for each in columns[:6])
        raise DataError(
            f"expected a column of labels ({', '.join(LABELS[:4])} …), found {have} …: name it, as "
            "in {csv: …, label: COLUMN}; a table without labels cannot be used"
        )
    return label, ignored


def _is_square(count: int) -> bool:
    return count > 0 and math.isqrt(count) ** 2 == count


def _shape(count: int, given: tuple[int, ...] | None) -> tuple[int, ...]:
    if given is not None:
        if math.prod(given) != count:
            size = " × ".join(map(str, given))
            raise DataError(
                f"shape: expected {math.prod(given):,} columns of pixels for {size}, found "
                f"{count:,}"
            )
        return given
    if not _is_square(count):
        raise DataError(
            f"expected as many columns of pixels as a square image has, found {count:,}: write "
            "shape: [height, width] or [height, width, 3]"
        )
    return math.isqrt(count), math.isqrt(count)


def _load(path: Path, begin: Head, columns: list[int], kind: Any) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            values = np.loadtxt(
                path,
                dtype=kind,
                delimiter=begin.separator,
                skiprows=begin.skip,
                usecols=columns,
                ndmin=2,
                comments=None,
                encoding="utf-8-sig",
                quotechar='"',
            )
        except ValueError as error:
            raise DataError(f"expected a number for every pixel: {error}") from None
    if not len(values):
        raise DataError("expected a line for each image, found none")
    return values


def _whole(labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels as whole numbers where all are."""
    try:
        numbers = labels.astype(np.float64)
    except ValueError:
        return np.char.strip(labels)
    whole = np.isfinite(numbers).all() and (numbers == np.round(numbers)).all()
    return numbers.astype(np.int64) if whole else np.char.strip(labels)


def pixel_columns(begin: Head) -> bool:
    """Say whether a table seems to hold pixels: many columns, most of them numbered."""
    if begin.named and named(begin.columns, ("pixels",)) is not None:
        return True
    numbered = sum(each[-1:].isdigit() for each in begin.columns)
    return len(begin.columns) > 16 and numbered > 0.8 * len(begin.columns)
