"""What a path means: a folder of images, a table, arrays …, told by what lies there."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bakeoff.data.folders.folder_layout import find
from bakeoff.data.folders.folder_walk import Seen
from bakeoff.data.folders.masks import holds_pictures
from bakeoff.data.formats.csv_columns import Head, head, is_called_table, tables_in
from bakeoff.data.formats.emnist import is_emnist
from bakeoff.data.formats.idx_files import idx_files
from bakeoff.data.formats.other_kinds import check_kind
from bakeoff.data.formats.parquet import some_images
from bakeoff.data.formats.parquet_files import folders_of_sets, named_below
from bakeoff.data.formats.pixel_columns import is_of_pixels
from bakeoff.data.formats.table import listed_files
from bakeoff.data.image_files.guess import guess, guess_files
from bakeoff.data.sources import (
    CsvSource,
    FolderSource,
    IdxSource,
    NpzSource,
    ParquetSource,
    Pictures,
    Source,
    TableSource,
)
from bakeoff.data.words import (
    LABEL_COLUMNS,
    column_called,
    is_submission,
    of_test_images,
    part_of,
    pieces,
    spelled_out,
)
from bakeoff.errors import DataError
from bakeoff.utils.clutter import visible
from bakeoff.utils.text import shown, some

_TABLES = ("labels.csv", "train.csv", "train_labels.csv", "annotations.csv", "metadata.csv")

Kind = TypeVar("Kind", FolderSource, TableSource, ParquetSource)


def recognise(path: Path) -> Source | None:
    """Return what a file or folder is, with sizes guessed where it holds pictures; None if unknown.

    Raises DataError where it is of a known kind and cannot be read.
    """
    if os.path.isdir(path):
        return _folder(path)
    if not os.path.isfile(path):
        return None
    ending = path.suffix.lower()
    if ending == ".npz":
        return NpzSource(path)
    if is_called_table(path.name):
        return _csv(path)
    if ending == ".parquet":
        return _pictures(ParquetSource(path))
    name = path.name.lower()
    if "ubyte" in name or "idx" in name:
        files = idx_files(path.parent, path.name)
        return _idx(files) if files else None
    check_kind(path)
    return None


def about_name(name: str) -> tuple[str, ...]:
    """Return a note where a data set that is known by its name has a folder's name as well."""
    if not os.path.isdir(name):
        return ()
    return (f"{name} is the published data set, not the folder here: for that, write ./{name}",)


def _folder(path: Path) -> Source:
    raw = path / "raw"  # torchvision's
    files = idx_files(path) or (idx_files(raw) if raw.is_dir() else ())
    if files:
        return _idx(files)
    if visible(path.glob("*.parquet")) or visible(path.glob("data/*.parquet")):
        return _pictures(ParquetSource(path))
    folder = FolderSource(path)
    tables = _tables(path)
    if tables and not _has_classes(folder, tables):
        if len(tables) > 1:
            names = some([shown(each.name) for each in tables])
            raise DataError(
                f"{shown(path)}: expected one table of training images, found {names}: name the "
                "one that is meant"
            )
        return _csv(tables[0])
    below = visible({*path.glob("*/*.parquet"), *path.glob("*/*/*.parquet")})
    if below and not _has_classes(folder):
        return _pictures(_parquet_below(path, below))
    return _pictures(folder)


def _parquet_below(path: Path, files: Sequence[Path]) -> ParquetSource:
    """Return the one data set in Parquet files below a folder, as in default/train/0000.parquet.

    Raises DataError for several data sets, which would be read as one.
    """
    sets = folders_of_sets(path, files)
    if len(sets) > 1:
        raise DataError(
            f"{shown(path)}: expected one data set in Parquet files, found them in "
            f"{named_below(path, sets)}: name one of these folders"
        )
    return ParquetSource(sets[0])


def _csv(path: Path) -> Source:
    """Return a table of pixels, with the test part beside it, or else a table of image files."""
    begin = head(path)
    if not is_of_pixels(begin.columns):
        return _pictures(TableSource(path))
    test = path.with_name(of_test_images(path.name))
    pair = test != path and test.is_file() and _alike(begin, head(test))
    transpose = True if is_emnist(path) else None
    return CsvSource(path, test=test if pair else None, transpose=transpose)


def _alike(train: Head, test: Head) -> bool:
    """Say whether a second table has labels too, as far as the columns' names tell."""
    labelled = [column_called(each.columns, LABEL_COLUMNS) is not None for each in (train, test)]
    return len(train.columns) == len(test.columns) and labelled[0] == labelled[1]


def _idx(files: tuple[Path, ...]) -> IdxSource:
    return IdxSource(files, transpose=True if is_emnist(files[0]) else None)


def _has_classes(source: FolderSource, tables: Sequence[Path] = ()) -> bool:
    """Say whether a folder is one of class folders with files in them.

    tables : beside them; a folder called images is no class without any, or where one is of it
    """
    try:
        layout = find(source.folder, None, Seen())
    except DataError:
        return False
    several = len({file.label for files in layout.files.values() for file in files}) > 1
    called = list(filter(holds_pictures, layout.classes))
    return several and not (called and (not tables or any(_is_of(each, called) for each in tables)))


def _is_of(table: Path, folders: Sequence[str]) -> bool:
    """Say whether a table says the labels of images, or lists those in these folders alone."""
    for images in (None, *(table.parent / each for each in folders)):
        with suppress(DataError):
            return bool(listed_files(TableSource(table, images=images), labelled=images is None))
    with suppress(DataError):
        files = listed_files(TableSource(table), labelled=False)
        places = [os.path.relpath(each, table.parent).split(os.sep) for each in files]
        return all({*folders} & {*place} for place in places)
    return False


def _tables(path: Path) -> list[Path]:
    """Return the table in a folder that lists its images, or several called so; else none."""
    tables = [each for each in tables_in(path) if not is_submission(each.stem)]
    named = [each for wanted in _TABLES for each in tables if each.name.lower() == wanted]
    if named:
        return named[:1]
    named = [each for each in tables if "train" in pieces(each.stem)]
    named = named or [
        each
        for each in tables
        if spelled_out(each.stem) and "train" in map(part_of, pieces(each.stem))
    ]
    return named or (tables if len(tables) == 1 else [])


def _pictures(source: Kind) -> Kind:
    """Return the source with a size, a colour and a fit that suit its pictures."""
    how, _ = guessed(source)
    return replace(source, size=how.size, color=how.color, fit=how.fit)


def guessed(source: Source) -> tuple[Pictures, str]:
    """Return how to read a source's pictures, and what was found of their sizes, in words."""
    with suppress(DataError):  # loading says what is wrong
        if isinstance(source, FolderSource):
            layout = find(source.folder, source.parts, Seen())
            return guess_files([Path(each.path) for part in layout.files.values() for each in part])
        if isinstance(source, TableSource):
            return guess_files(listed_files(source))
        if isinstance(source, ParquetSource):
            return guess(some_images(source))
    return Pictures(), ""
