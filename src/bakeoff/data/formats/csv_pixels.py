"""Data sets in CSV files of pixels: a label and one column for each pixel, as Kaggle has them."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import DataSet
from bakeoff.data.formats.csv_columns import (
    INDICES,
    LABELS,
    NO_UTF8,
    Head,
    bare,
    check_lengths,
    head,
    named,
    part_column,
    part_place,
    parts_left_out,
    rows,
    stated,
)
from bakeoff.data.formats.idx_files import COLUMN_BY_COLUMN, is_emnist
from bakeoff.data.in_memory.arrays import Given, from_parts, transposed
from bakeoff.data.labels import table_labels
from bakeoff.data.safe_reading import check_different, check_memory, refusing, regular_file
from bakeoff.data.sources import PARTS, CsvSource
from bakeoff.errors import DataError
from bakeoff.utils.text import shown, some

_MANY = 100  # different values: more than most data sets have classes
_MOSTLY = 0.8  # of all rows
_AROUND = ' \t\r\n"'  # a cell
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
    if source.transpose:
        given = {part: transposed(each) for part, each in given.items()}
    if source.transpose is None and is_emnist(Path(source.csv)):
        notes[COLUMN_BY_COLUMN] = None
    return from_parts(Path(source.csv).stem, given, scale=source.scale, notes=tuple(notes))


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


def _read(path: Path, source: CsvSource) -> _Table:
    begin = head(path)
    with refusing(path):
        part = part_place(begin) if source.test is None else None
        label, ignored = _label(path, begin, source, part)
        packed = named(begin.columns, ("pixels",)) if begin.named else None
        if packed is not None:
            return _packed(path, begin, label, packed, source)
        known = (label, part, *ignored)
        pixels, moved = in_order(begin, [i for i in range(len(begin.columns)) if i not in known])
        strange = [each for each in pixels if not begin.columns[each][-1:].isdigit()]
        strange = strange if 5 * len(strange) < len(pixels) else []
        sure = source.label is not None or named(begin.columns, LABELS) is not None
        others = [_called(begin, each) for each in strange]
        shape = _shape(len(pixels), source.shape, others, labelled=begin.named and sure)
        with regular_file(path) as (_, size):
            check_memory(3 * size)
        check_lengths(path, begin)
        values = _load(path, begin, pixels, np.float32)
        labels = _load(path, begin, [label], np.str_).reshape(-1)
        cells = [] if part is None else _load(path, begin, [part], np.str_).reshape(-1).tolist()
        parts, said = _parts(begin, part, cells)
    dropped = [*ignored, *([part] if part is not None and parts is None else [])]
    return _Table(
        shown(path.name),
        _whole_pixels(values).reshape(-1, *shape),
        table_labels(labels.tolist()),
        shown(begin.columns[label], limit=40),
        [_called(begin, each) for each in dropped],
        parts,
        said,
        moved,
    )


def _called(begin: Head, column: int) -> str:
    return shown(begin.columns[column], limit=40) or "a column without a name"


def in_order(begin: Head, pixels: list[int]) -> tuple[list[int], bool]:
    """Return (the columns of the pixels by their numbers, whether they stood in another order).

    Names that were sorted as text are in the order pixel0, pixel1, pixel10 … or 10x1, 10x10, 1x1 …;
    r0 … r63, g0 … g63, b0 … b63 are the colours one after the other, which belong side by side.
    """
    names = [begin.columns[each] for each in pixels]
    numbers = [tuple(map(int, re.findall("[0-9]+", name))) for name in names]
    stems = [re.sub("[0-9]+", "0", name).casefold() for name in names]
    colours = _colours(stems)
    per_pixel = 1 if colours is None else 3
    if not begin.named or (colours is None and len({*stems}) != 1):
        return pixels, False
    keys = sorted({*numbers})
    whole = len(keys) * per_pixel == len({*zip(numbers, stems, strict=True)}) == len(pixels)
    one, two = (all(len(each) == length for each in numbers) for length in (1, 2))
    counted = one and keys[-1][0] - keys[0][0] == len(keys) - 1
    grid = two and len(keys) == math.prod(len({each[axis] for each in keys}) for axis in (0, 1))
    if not whole or not (counted or (grid and names == sorted(names))):
        return pixels, False
    places = {
        column: (numbers[i], (colours or {}).get(stems[i])) for i, column in enumerate(pixels)
    }
    ordered = sorted(pixels, key=places.__getitem__)
    return ordered, ordered != pixels


def _colours(stems: Sequence[str]) -> dict[str, int] | None:
    """Return the place of each of three stems that name colours; None where they do not."""
    found = {stem: "rgb".find(stem.strip("0_. -")[:1]) for stem in {*stems}}
    return found if sorted(found.values()) == [0, 1, 2] else None


def _parts(
    begin: Head, column: int | None, cells: Sequence[str]
) -> tuple[NDArray[np.str_] | None, str]:
    """Return (the part of every row, where a column says it for all; that in words)."""
    if column is None:
        return None, ""
    rows = [[""] * column + [cell] for cell in cells]
    found, _ = part_column(begin, rows, None)
    if found is None:
        return None, ""
    return np.array(found), f", parts from {shown(begin.columns[column], limit=40)}"


def _packed(path: Path, begin: Head, label: int, packed: int, source: CsvSource) -> _Table:
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
    part = part_place(begin) if source.test is None else None
    parts, said = _parts(begin, part, [] if part is None else [row[part] for row in found])
    used = (label, packed, *([] if parts is None else [part]))
    return _Table(
        shown(path.name),
        _whole_pixels(np.stack(values)).reshape(-1, *shape),
        table_labels([row[label] for row in found]),
        shown(begin.columns[label], limit=40),
        [shown(each, limit=40) for i, each in enumerate(begin.columns) if i not in used],
        parts,
        said,
    )


def _whole_pixels(values: NDArray[Any]) -> NDArray[Any]:
    """Return pixels as whole numbers where all are."""
    if (values == np.round(values)).all() and values.min() >= 0 and values.max() < 65536:
        return values.astype(np.uint8 if values.max() < 256 else np.int32)
    return values


def _label(path: Path, begin: Head, source: CsvSource, part: int | None) -> tuple[int, list[int]]:
    """Return (the label's column, columns to ignore); `part` is that of the parts."""
    columns = begin.columns
    if source.label is not None:
        label: int | None = stated(columns, source.label, "label")
    else:
        label = named(columns, LABELS) if begin.named else _first_or_last(path, begin)
    others = len(columns) - 1 - (part is not None)
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


def _first_or_last(path: Path, begin: Head) -> int:
    """Return which of a table without names is the column of labels, as its values show it.

    A pixel in a corner is mostly black, or has gaps between its values, or many of them.
    """
    last = len(begin.columns) - 1
    if last < 2:
        return 0
    firsts, lasts = _ends(path, begin)
    first_numbers, last_numbers = _numbers(firsts), _numbers(lasts)
    if first_numbers is None:
        return 0
    if last_numbers is None or len(firsts) == 1 < len(lasts):
        return last
    if _could_be_labels(last_numbers):
        raise DataError(
            f"expected labels in the first column, found {len(firsts):,} different values there "
            f"and {len(lasts):,} in the last: say which it is, as in {{csv: …, label: {last}}} or "
            "label: 0"
        )
    return 0


def _ends(path: Path, begin: Head) -> tuple[Counter[str], Counter[str]]:
    """Return how often each value stands in the first column, and in the last.

    All rows count: where they are sorted by class, thousands may have the same label.
    """
    firsts, lasts = Counter[str](), Counter[str]()
    with regular_file(path) as (file, _):
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace")
        for line in islice(filter(str.strip, text), begin.skip, None):
            firsts[line.partition(begin.separator)[0].strip(_AROUND)] += 1
            lasts[line.rpartition(begin.separator)[2].strip(_AROUND)] += 1
    return firsts, lasts


def _numbers(cells: Counter[str]) -> Counter[float] | None:
    """Return the numbers in cells; None where there is text, which pixels never are."""
    found = Counter[float]()
    try:
        for cell, count in cells.items():
            found[float(cell)] += count
    except ValueError:
        return None
    return found


def _could_be_labels(numbers: Counter[float]) -> bool:
    """Say whether numbers count a few classes, none of which has most of the rows."""
    if not 1 < len(numbers) <= _MANY:
        return False
    start = min(numbers)
    counting = start % 1 == 0 and sorted(numbers) == [start + i for i in range(len(numbers))]
    return counting and max(numbers.values()) < _MOSTLY * numbers.total()


def _is_square(count: int) -> bool:
    return count > 0 and math.isqrt(count) ** 2 == count


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
    if not _is_square(count):
        cure = "write shape: [height, width] or [height, width, 3]"
        if _is_square(count + 1) and not labelled:
            cure = "the column of labels is one more; a table without labels cannot be used"
        elif strange:
            cure = f"take out {some(strange)}, or {cure}"
        raise DataError(
            f"expected as many columns of pixels as a square image has, found {count:,}: {cure}"
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


def pixel_columns(begin: Head) -> bool:
    """Say whether a table seems to hold pixels: many columns, most of them numbered."""
    if begin.named and named(begin.columns, ("pixels",)) is not None:
        return True
    numbered = sum(each[-1:].isdigit() for each in begin.columns)
    return len(begin.columns) > 16 and numbered > 0.8 * len(begin.columns)
