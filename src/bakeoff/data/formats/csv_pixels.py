"""Data sets in CSV files of pixels: a label and one column for each pixel, as Kaggle has them."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import DataSet
from bakeoff.data.formats.csv_columns import (
    NO_UTF8,
    Head,
    check_lengths,
    head,
    part_column,
    parts_in,
    parts_left_out,
    rows,
)
from bakeoff.data.formats.emnist import transposed
from bakeoff.data.formats.label_column import label_column
from bakeoff.data.formats.pixel_columns import PACKED, in_order
from bakeoff.data.in_memory.arrays import Given, from_parts, square_side
from bakeoff.data.labels import table_labels
from bakeoff.data.safe_reading import check_different, check_memory, refusing, regular_file
from bakeoff.data.sources import PARTS, CsvSource
from bakeoff.data.words import INDEX_COLUMNS, LABEL_COLUMNS, bare, column_called
from bakeoff.errors import DataError
from bakeoff.utils.text import shown, some

_DECIMAL = re.compile(r"(?:^|\s)[^\s,]+,[^\s,]+\s|\s[^\s,]+,[^\s,]+$")  # a comma in a number


def load_csv(source: CsvSource) -> DataSet:
    """Read a data set from a table of pixels; with `test`, from two.

    The label is in the column that is called so (label, class, target …) or in the first one, the
    pixels in all others, row by row, or in one cell (FER2013). A column of numbers (id) is ignored,
    one that says the part of every image (Usage, split …) is used. `shape` is (height, width) or
    (height, width, 3); square images need none. `transpose` exchanges rows and columns.

    Raises
    ------
    DataError
        If it is no such table, or the pixels make no images of one shape.
    """
    tables = {"train": _read(Path(source.csv), source)}
    if source.test is not None:
        check_different({"csv": source.csv, "test": source.test})
        tables["test"] = _read(Path(source.test), source)
    elif tables["train"].parts is not None:
        tables = tables["train"].divided()
    notes = dict.fromkeys(table.note() for table in tables.values())
    notes |= dict.fromkeys(parts_left_out([Path(e) for e in (source.csv, source.test) if e]))
    given = {
        part: table.given(part if source.test is None else "") for part, table in tables.items()
    }
    given, more = transposed(given, source.transpose, Path(source.csv))
    return from_parts(Path(source.csv).stem, given, scale=source.scale, notes=(*notes, *more))


@dataclass(frozen=True)
class _Table:
    """Images and labels of one table; `label` and `ignored` are columns' names.

    parts : the part of every image, where a column says it
    moved : whether the columns of the pixels stood in another order than their numbers
    """

    name: str
    images: NDArray[Any]
    labels: NDArray[Any]
    label: str
    ignored: Sequence[str]
    parts: NDArray[np.str_] | None = None
    said_parts: str = ""
    moved: bool = False

    def note(self) -> str:
        moved = "; pixels in the order of their columns' numbers" if self.moved else ""
        ignored = f"; ignored {', '.join(self.ignored)}" if self.ignored else ""
        return f"{self.name}: labels from the column {self.label}{self.said_parts}{moved}{ignored}"

    def given(self, part: str) -> Given:
        which = f", {part}" if self.parts is not None and part else ""
        return Given(
            self.images,
            self.labels,
            f"{self.name} (pixels{which})",
            f"{self.name} ({self.label}{which})",
        )

    def divided(self) -> dict[str, _Table]:
        """Return the table of each part."""
        assert self.parts is not None
        rows = {part: self.parts == part for part in PARTS}
        return {
            part: replace(self, images=self.images[which], labels=self.labels[which])
            for part, which in rows.items()
            if which.any()
        }


@dataclass(frozen=True)
class _Cells:
    """What stands in the cells of a table.

    Attributes
    ----------
    pixels : float32, shape (n, height, width) or (n, height, width, 3)
    labels : one for every image, as text
    parts : what the column of parts says, as text; nothing where there is none
    ignored : indices of columns that are in no use
    moved : whether the columns of the pixels stood in another order than their numbers
    """

    pixels: NDArray[np.float32]
    labels: Sequence[str]
    parts: Sequence[str]
    ignored: Sequence[int]
    moved: bool = False


def _read(path: Path, source: CsvSource) -> _Table:
    begin = head(path)
    with refusing(path):
        part = part_column(begin.columns) if source.test is None else None
        label = label_column(path, begin, source.label)
        packed = column_called(begin.columns, PACKED)
        if packed is None:
            cells = _in_columns(path, begin, source, label, part)
        else:
            cells = _in_one_column(path, begin, source, label, part, packed)
        parts = None if part is None else parts_in(cells.parts, begin.columns[part])
        ignored = [*cells.ignored, *([part] if part is not None and parts is None else [])]
        return _Table(
            shown(path.name),
            _whole_pixels(cells.pixels),
            table_labels(cells.labels),
            shown(begin.columns[label], limit=40),
            [_called(begin, each) for each in ignored],
            None if parts is None else np.array(parts),
            "" if part is None or parts is None else f", parts from {_called(begin, part)}",
            cells.moved,
        )


def _called(begin: Head, column: int) -> str:
    return shown(begin.columns[column], limit=40) or "a column without a name"


def _in_columns(path: Path, begin: Head, source: CsvSource, label: int, part: int | None) -> _Cells:
    """Read a table with a column for each pixel, as Kaggle has MNIST."""
    others = [each for each in range(len(begin.columns)) if each not in (label, part)]
    ignored = _row_numbers(begin.columns, others, source.shape)
    pixels, moved = in_order(begin.columns, [each for each in others if each not in ignored])
    strange = [each for each in pixels if not begin.columns[each][-1:].isdigit()]
    strange = strange if 5 * len(strange) < len(pixels) else []
    sure = source.label is not None or column_called(begin.columns, LABEL_COLUMNS) is not None
    names = [_called(begin, each) for each in strange]
    shape = _shape(len(pixels), source.shape, names, labelled=begin.named and sure)
    with regular_file(path) as (_, size):
        check_memory(3 * size)
    check_lengths(path, begin)
    values = _load(path, begin, pixels, np.float32).reshape(-1, *shape)
    labels = _load(path, begin, [label], np.str_).reshape(-1).tolist()
    parts = [] if part is None else _load(path, begin, [part], np.str_).reshape(-1).tolist()
    return _Cells(values, labels, parts, ignored, moved)


def _row_numbers(
    columns: Sequence[str], others: Sequence[int], shape: tuple[int, ...] | None
) -> list[int]:
    """Return the column, of `others` than labels and parts, that only numbers the rows, if any.

    Where these are as many as an image has pixels, all are of pixels.
    """
    count = len(others)
    if square_side(count) if shape is None else count == math.prod(shape):
        return []
    return [each for each in others if bare(columns[each]) in INDEX_COLUMNS][:1]


def _in_one_column(
    path: Path, begin: Head, source: CsvSource, label: int, part: int | None, packed: int
) -> _Cells:
    """Read a table that holds all pixels of an image in one cell, as FER2013 does."""
    found = rows(path, begin)
    try:
        cells = [row[packed].strip(" []") for row in found]  # lists, too
        wrong = [each for each in cells if "," in each and _DECIMAL.search(each)]
        cells = wrong or [each.replace(",", " ") for each in cells]
        values = [np.array(each.split(), dtype=np.float32) for each in cells]
    except ValueError as error:
        raise DataError(f"expected a number for every pixel: {str(error)[:80]}") from None
    counts = {len(each) for each in values}
    if len(counts) != 1:
        raise DataError(
            f"expected as many pixels in every line, found {min(counts, default=0):,} to "
            f"{max(counts, default=0):,}"
        )
    shape = _shape(counts.pop(), source.shape)
    return _Cells(
        np.stack(values).reshape(-1, *shape),
        [row[label] for row in found],
        [] if part is None else [row[part] for row in found],
        [each for each in range(len(begin.columns)) if each not in (label, part, packed)],
    )


def _whole_pixels(values: NDArray[Any]) -> NDArray[Any]:
    """Return pixels as whole numbers where all are."""
    if (values == np.round(values)).all() and values.min() >= 0 and values.max() < 65536:
        return values.astype(np.uint8 if values.max() < 256 else np.int32)
    return values


def _shape(
    count: int,
    given: tuple[int, ...] | None,
    strange: Sequence[str] = (),
    *,
    labelled: bool = True,
) -> tuple[int, ...]:
    """Return the shape of an image of so many pixels.

    strange : columns that may be none of pixels
    labelled : whether it is sure which column has the labels
    """
    if given is not None:
        if math.prod(given) != count:
            size = " × ".join(map(str, given))
            raise DataError(
                f"shape: expected {math.prod(given):,} columns of pixels for {size}, found "
                f"{count:,}"
            )
        return given
    side = square_side(count)
    if not side:
        cure = "write shape: [height, width] or [height, width, 3]"
        if square_side(count + 1) and not labelled:
            cure = "the column of labels is one more; a table without labels cannot be used"
        elif strange:
            cure = f"take out {some(strange)}, or {cure}"
        raise DataError(
            f"expected as many columns of pixels as a square image has, found {count:,}: {cure}"
        )
    return side, side


def _load(path: Path, begin: Head, columns: list[int], kind: Any) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            values = np.loadtxt(
                path,
                dtype=kind,
                delimiter=begin.separator,
                skiprows=begin.blank + begin.skip,
                usecols=columns,
                ndmin=2,
                comments=None,
                encoding="utf-8-sig",
                quotechar='"',
            )
        except UnicodeDecodeError:
            raise DataError(NO_UTF8) from None
        except ValueError as error:
            comma = begin.separator == ";" and re.search(r"'-?[0-9]+,[0-9]+'", str(error))
            cure = ": write decimals with a point" if comma else ""
            found = re.sub(  # NumPy counts rows after the header, and from 0; columns from 1
                "at row ([0-9]+), ",
                lambda row: f"at row {int(row[1]) + 1 + begin.skip:,}, ",
                str(error).rstrip("."),
            )
            raise DataError(f"expected a number for every pixel: {found}{cure}") from None
    if not len(values):
        raise DataError("expected a line for each image, found none")
    return values
