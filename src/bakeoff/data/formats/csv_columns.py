"""CSV files as tables: the separator and the header recognised, columns found by their names."""

import csv
import io
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bakeoff.data.image_files.image_container import is_called_image
from bakeoff.data.safe_reading import check_memory, regular_file
from bakeoff.data.words import LABEL_COLUMNS, PART_COLUMNS, bare, column_called, part_of, pieces
from bakeoff.errors import DataError
from bakeoff.utils.clutter import visible
from bakeoff.utils.text import shown, some

MAX_BYTES = 1 << 31
_CELL = 80  # bytes that a cell takes in a list, beside its text
_SEPARATORS = ",;\t|"
_DECIMAL_COMMAS = re.compile(r"(-?[0-9]+(,[0-9]+)?;)+-?[0-9]+(,[0-9]+)?\s*")
NO_UTF8 = "expected text in UTF-8, found other bytes: save it as UTF-8"


@dataclass(frozen=True)
class Head:
    """How a table begins: its separator, its columns' names, and whether its first line gives them.

    `skip` rows come before the first image; a header of mere numbers names nothing. `blank` empty
    lines come before these.
    """

    separator: str
    columns: tuple[str, ...]
    named: bool
    skip: int
    blank: int = 0


def is_called_table(name: str) -> bool:
    """Say whether a file's name ends as those of tables do."""
    return name.lower().endswith((".csv", ".tsv"))


def tables_in(folder: Path) -> list[Path]:
    """Return the tables in a folder, sorted, without hidden files and clutter."""
    return visible(path for path in folder.glob("*") if is_called_table(path.name))


def head(path: Path) -> Head:
    """Return how a table begins; columns without names are called by their number, from 0."""
    with regular_file(path) as (file, size):
        if size > MAX_BYTES:
            raise DataError(f"expected at most {MAX_BYTES:,} bytes, found {size:,}")
        begin = file.read(1 << 20)
        if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DataError("expected text in UTF-8, found UTF-16: save it as UTF-8")
        text = begin.decode("utf-8-sig", errors="replace")
        line = next((each for each in text.splitlines() if each.strip()), "")
        blank = text[: text.index(line)].count("\n")
        if "\0" in line or not line:
            raise DataError("expected a table with a line for each image (CSV), found none")
        separator = ";" if _DECIMAL_COMMAS.fullmatch(line) else max(_SEPARATORS, key=line.count)
        if separator not in line and " " in line.strip():
            raise DataError(
                "expected columns separated by commas, semicolons, tabs or |, found spaces in the "
                f"first line ({shown(line.strip(), limit=40)}): save it with commas, and with the "
                "columns' names in the first line"
            )
        cells = next(csv.reader(io.StringIO(line), delimiter=separator))
    files = any(is_called_image(cell.strip()) for cell in cells)
    cells = [each.strip() for each in cells]
    named = len(cells) == 1 or not all(map(_is_number, cells[1:])) or _counts_pixels(cells)
    named = named and not files and not _ends_in_a_word(cells)
    columns = cells if named else [str(index) for index in range(len(cells))]
    skip = int(named or _counts_columns(cells))
    return Head(separator, tuple(columns), named, skip, blank)


def _counts_pixels(cells: Sequence[str]) -> bool:
    """Say whether a row is a name, and numbers that only count the columns after it."""
    if len(cells) < 4 or _is_number(cells[0]) or cells[1] not in ("0", "1"):
        return False
    return cells[1:] == [str(int(cells[1]) + index) for index in range(len(cells) - 1)]


def _ends_in_a_word(cells: Sequence[str]) -> bool:
    """Say whether a row is numbers that do not count the columns, and a word: pixels, a label."""
    *numbers, word = cells
    return (
        len(cells) > 3
        and all(map(_is_number, numbers))
        and not _is_number(word)
        and bare(word) not in LABEL_COLUMNS
        and not _counts_columns(numbers)
    )


def _counts_columns(cells: Sequence[str]) -> bool:
    """Say whether a row of numbers only counts the columns: 0, 1, 2 … or pandas's 0, 0.1, 0.2."""
    if len(cells) < 4:
        return False
    start = int(cells[0]) if cells[0] in ("0", "1") else None
    numbers = [str((start or 0) + index) for index in range(len(cells))]
    copies = [f"{cells[1].partition('.')[0]}.{index}" for index in range(1, len(cells))]
    return list(cells) == numbers or list(cells[1:]) == copies or list(cells[2:]) == copies[:-1]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def rows(path: Path, begin: Head) -> list[list[str]]:
    """Return the rows of a table of text, without its header; all as long as the header."""
    with regular_file(path) as (file, size):
        sample = file.read(1 << 20)
        file.seek(0)
        cells = sample.count(b"\n") + sample.count(begin.separator.encode())
        check_memory(size + _CELL * cells * size // max(1, len(sample)))
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        usual = csv.field_size_limit(max(size, 1))  # a cell may hold all pixels of an image
        try:
            found = [row for row in csv.reader(text, delimiter=begin.separator) if any(row)]
        except UnicodeDecodeError:
            raise DataError(NO_UTF8) from None
        except csv.Error as error:
            raise DataError(f"expected a table (CSV), found none: {error}") from None
        finally:
            csv.field_size_limit(usual)
        found = found[begin.skip :]
        for number, row in enumerate(found, 1 + begin.skip):
            if len(row) != len(begin.columns):
                more = ": a cell with the separator in it needs quotes"
                more = more if len(row) > len(begin.columns) else ""
                raise DataError(_unequal(number, len(begin.columns), len(row)) + more)
    return found


def check_lengths(path: Path, begin: Head) -> None:
    """Refuse a table of numbers of which a row is longer or shorter than the first.

    Rows with quotes are not looked at.
    """
    with regular_file(path) as (file, _):
        separator, wanted, row = begin.separator.encode(), len(begin.columns), 0
        for line in file:
            if not line.strip():
                continue
            row += 1
            found = line.rstrip(b"\r\n").count(separator) + 1
            if found != wanted and b'"' not in line and b"\r" not in line[:-2]:
                raise DataError(_unequal(row, wanted, found))


def _unequal(row: int, wanted: int, found: int) -> str:
    return f"row {row:,}: expected {wanted:,} columns as in the first row, found {found:,}"


def stated_column(columns: Sequence[str], wanted: str, what: str) -> int:
    """Return where the column is that a recipe names."""
    if wanted not in columns:
        have = ", ".join(shown(each, limit=30) for each in list(columns)[:12])
        raise DataError(f"{what}: expected a column ({have}), found {shown(wanted)!r}")
    return list(columns).index(wanted)


def parts_left_out(used: Sequence[Path]) -> tuple[str, ...]:
    """Return a note on tables beside the first that are called like it, but for the part's word.

    Only those with the same columns, which have labels, too.
    """
    first = used[0]
    columns, rest = head(first).columns, _without_part(first)
    names = []
    for path in tables_in(first.parent):
        if path.name not in {each.name for each in used} and _without_part(path) == rest:
            with suppress(DataError):
                names += [shown(path.name)] if head(path).columns == columns else []
    if not names:
        return ()
    cure = "test: names a table of test images, and validation images are taken from training"
    return (f"left out {some(names)} beside {shown(first.name)}: {cure}",)


def _without_part(path: Path) -> list[str]:
    return [word for word in pieces(path.stem) if part_of(word) is None]


def part_column(columns: Sequence[str], wanted: str | None = None) -> int | None:
    """Return the column that says the part of every row: that called `wanted`, or as parts are."""
    if wanted is not None:
        return stated_column(columns, wanted, "columns.part")
    return column_called(columns, PART_COLUMNS)


def parts_in(cells: Sequence[str], column: str, *, stated: bool = False) -> list[str] | None:
    """Return train, validation or test for every cell of a column; None where none says a part.

    Raises DataError where only some do, or none in a column that is `stated` to be that of parts.
    """
    found = [part_of(cell) for cell in cells]
    parts = [part for part in found if part is not None]
    if len(parts) == len(found):
        return parts
    if not parts and not stated:
        return None
    name = "columns.part" if stated else shown(column)
    raise DataError(
        f"{name}: expected train, validation or test, found {shown(cells[found.index(None)])!r}: "
        "write one of these, or call the column something else"
    )
