"""Tables beside a table of images that are left out, and what to do to include them."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from bakeoff.data.folders.part_folders import folder_part
from bakeoff.data.formats.csv_columns import Head, head, tables_in
from bakeoff.data.words import (
    FILE_COLUMNS,
    LABEL_COLUMNS,
    bare,
    is_submission,
    of_test_images,
)
from bakeoff.errors import DataError
from bakeoff.utils.clutter import visible
from bakeoff.utils.text import listed, shown, some

_TABLES = 20  # that are looked into beside one


def left_out_parts(path: Path, begin: Head) -> tuple[str, ...]:
    """Return notes on tables of other parts beside one of training images, or beside its folder."""
    return (*_of_test_images(path, begin), *_in_other_folders(path))


def _of_test_images(path: Path, begin: Head) -> tuple[str, ...]:
    test = path.with_name(of_test_images(path.name))
    if test == path or not test.is_file():
        return ()
    name = shown(test.name)
    try:
        columns = head(test).columns
        alike = sorted(map(bare, columns)) == sorted(map(bare, begin.columns))
    except DataError:
        alike = False
    if not alike:
        return (f"left out {name} beside it, whose columns are others",)
    return (
        f"left out {name} beside it: to test on it, put its lines into {shown(path.name)}, with a "
        "column split (train or test)",
    )


def left_out_tables(path: Path, file: str, parts: Sequence[str] | None) -> tuple[str, ...]:
    """Return a note on other tables beside this one that have a column of labels and one of files.

    file : what the column of files is called in this table
    """
    told = {path} if parts is not None else {path, path.with_name(of_test_images(path.name))}
    names = tables_with_labels(path.parent, told, bare(file))
    if not names:
        return ()
    have = "has labels, too" if len(names) == 1 else "have labels, too"
    return (f"left out {some(names)} beside it, which {have}: to take another, name it as table",)


def _in_other_folders(path: Path) -> tuple[str, ...]:
    here = path.parent
    if folder_part(here.name) != "train":
        return ()
    found = [
        f"{each.name}/{path.name}"
        for each in visible(here.parent.iterdir())
        if folder_part(each.name) in ("validation", "test") and (each / path.name).is_file()
    ]
    if not found:
        return ()
    return (
        f"left out {listed(map(shown, found))}: to take all parts, list their images in one table "
        f"beside {shown(here.name)}/, as {shown(here.name)}/1.png, with a column split (train, "
        "validation or test)",
    )


def tables_with_labels(folder: Path, but: Collection[Path] = (), file: str = "") -> list[str]:
    """Return the names of tables in a folder with a column of labels and one of files.

    file : what the column of files may be called beside the usual names
    """
    files = {*FILE_COLUMNS, file} - ({"id", "name", ""} - {file})  # classes have these, too
    tables = [each for each in tables_in(folder) if each not in but]
    names = []
    for table in [each for each in tables if not is_submission(each.stem)][:_TABLES]:
        with suppress(DataError):
            columns = {bare(column) for column in head(table).columns}
            if columns & files and columns & set(LABEL_COLUMNS):
                names.append(shown(table.name))
    return names
