"""Which column of a table of pixels holds the labels: told by its name, or else by its values."""

import io
from collections import Counter
from itertools import islice
from pathlib import Path

from bakeoff.data.formats.csv_columns import Head, stated_column
from bakeoff.data.safe_reading import regular_file
from bakeoff.data.words import LABEL_COLUMNS, column_called
from bakeoff.errors import DataError
from bakeoff.utils.text import shown

_MANY = 100  # different values: more than most data sets have classes
_MOSTLY = 0.8  # of all rows
_AROUND = ' \t\r\n"'  # a cell


def label_column(path: Path, begin: Head, wanted: str | None) -> int:
    """Return the index of the column of labels of a table of pixels.

    wanted : its name, as a recipe says it; None to recognise it

    Raises
    ------
    DataError
        If no column is called so, or the values of a table without names leave it open.
    """
    if wanted is not None:
        return stated_column(begin.columns, wanted, "label")
    if not begin.named:
        return _first_or_last(path, begin)
    label = column_called(begin.columns, LABEL_COLUMNS)
    if label is None:
        have = ", ".join(shown(each, limit=30) for each in begin.columns[:6])
        raise DataError(
            f"expected a column of labels ({', '.join(LABEL_COLUMNS[:4])} …), found {have} …: name "
            "it, as in {csv: …, label: COLUMN}; a table without labels cannot be used"
        )
    return label


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
