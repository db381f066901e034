"""Data sets in a table beside the images: one line for each image, its file and its label."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bakeoff.data.dataset import DataSet, part_starts
from bakeoff.data.formats.csv_columns import (
    Head,
    head,
    part_column,
    parts_in,
    rows,
    stated_column,
)
from bakeoff.data.formats.group_columns import notes_on_groups
from bakeoff.data.formats.listed_files import (
    each_once,
    lost_files,
    parts_by_folders,
    pictures_there,
    place_of,
)
from bakeoff.data.formats.tables_beside import left_out_parts, left_out_tables
from bakeoff.data.image_files.decode_files import File, Skipped, check_pictures, decode_files
from bakeoff.data.labels import (
    Classes,
    Labels,
    check_there,
    pooled_labels,
    table_labels,
)
from bakeoff.data.safe_reading import refusing
from bakeoff.data.sources import PARTS, Pictures, TableSource
from bakeoff.data.words import (
    FILE_COLUMNS,
    INDEX_COLUMNS,
    LABEL_COLUMNS,
    bare,
    column_called,
    part_of,
    pieces,
    unused_columns,
)
from bakeoff.errors import DataError
from bakeoff.utils.clutter import visible
from bakeoff.utils.text import counted, listed, natural, shown, some
from bakeoff.utils.user_paths import require_utf8_names

_BITS = {"0": 0, "0.0": 0, "false": 0, "1": 1, "1.0": 1, "true": 1}
_SAMPLE = 50  # rows whose files are looked for, to find out where the images are


def load_table(source: TableSource) -> DataSet:
    """Read the images that a table lists.

    The columns are recognised by their names, or by whether files of these names exist. Instead of
    a column of labels there may be one column of 0 and 1 for each class.

    Raises
    ------
    DataError
        If no column holds files or labels, or none of the files is there.
    """
    check_pictures(source)
    path = Path(source.table).absolute()
    wanted = dict(source.columns or {})
    with refusing(Path(source.table)):
        begin, found, file, root = _read(source)
        labels, label_name, taken = _labels(begin, found, wanted, file)
        parts, part = _parts(begin, found, wanted.get("part"))
        places = [place_of(root, row[file]) for row in found]
        inside = "" if root == path.parent else f" in {_shown(str(root), path.parent)}/"
        used = f"{shown(begin.columns[file])} (files{inside}), {label_name} (labels)"
        used += f", {shown(part)} (parts)" if parts is not None else ""
        taken += [part] if parts is not None else []
        unused = _ignored(begin, {begin.columns[file], *taken, *wanted.values()})
        notes = (
            f"read from the columns {used}{unused}",
            *(() if parts is not None else left_out_parts(path, begin)),
            *left_out_tables(path, begin.columns[file], parts),
        )
        notes += notes_on_groups(begin.columns, found, labels, parts)
        notes += lost_files(places, [row[file] for row in found])
        return from_files(path.stem, places, labels, source, parts=parts, root=root, notes=notes)


def listed_files(source: TableSource, *, labelled: bool = True) -> list[Path]:
    """Return the image files that a table lists and that are there.

    labelled : whether it is to say their labels, too; else that is a DataError
    """
    with refusing(Path(source.table)):
        begin, found, file, root = _read(source)
        if labelled:
            _labels(begin, found, dict(source.columns or {}), file)
        return [Path(each) for row in found if (each := place_of(root, row[file])) is not None]


def _read(source: TableSource) -> tuple[Head, list[list[str]], int, Path]:
    """Return (how the table begins, its rows, the column of files, the folder they begin in)."""
    path = Path(source.table).absolute()
    begin = head(Path(source.table))
    found = rows(Path(source.table), begin)
    if not found:
        raise DataError("expected a line for each image, found none")
    roots = [Path(source.images).absolute()] if source.images else _roots(path.parent)
    if begin.named and _is_a_row(begin.columns, found, roots):
        columns = tuple(map(str, range(len(begin.columns))))
        begin = replace(begin, columns=columns, named=False, skip=0)
        found = rows(Path(source.table), begin)
    require_utf8_names(cell for row in found for cell in row)
    return begin, found, *_file_column(path, begin, found, dict(source.columns or {}), roots)


def from_files(
    name: str,
    paths: Sequence[str | None],
    labels: Sequence[object],
    how: Pictures,
    *,
    parts: Sequence[str] | None = None,
    root: Path | None = None,
    notes: tuple[str, ...] = (),
) -> DataSet:
    """Return the data set of image files and their labels; None for a file that is not there.

    parts : train, validation or test for each; all are train without it
    """
    given = list(parts) if parts is not None else ["train"] * len(paths)
    notes += parts_by_folders(paths) if parts is None else ()
    said = table_labels(labels).tolist()
    order, again = each_once(_in_order(paths, given), paths, said, given)
    files = [
        File(str(paths[each]), index, _shown(str(paths[each]), root))
        for index, each in enumerate(order)
    ]
    skipped = Skipped()
    counts = {part: sum(given[each] == part for each in order) for part in PARTS}
    read = decode_files(files, how, skipped, {part: n for part, n in counts.items() if n})
    kept = [each for each, good in zip(order, read.kept, strict=True) if good]
    if not kept:
        raise DataError(f"expected images, found none that can be read: {skipped.notes()[0]}")
    names = tuple(file.name for file, good in zip(files, read.kept, strict=True) if good)
    check_there("labels", table_labels([labels[each] for each in kept]), names)
    classes, sizes = _labelled(kept, labels, given)
    if again:
        twice = sorted({_shown(str(paths[each]), root) for each in again}, key=natural)
        notes += (f"read once {counted(len(twice), 'file')} listed more than once: {some(twice)}",)
    validation_start, test_start = part_starts(sizes)
    return DataSet(
        name,
        read.images,
        classes.values,
        classes.names,
        read.white.maximum,
        test_start,
        notes=(*notes, *skipped.notes(), *read.white.notes),
        origins=read.origins,
        validation_start=validation_start,
        files=names,
        deep_white=read.white.deep,
    )


def _in_order(paths: Sequence[str | None], given: Sequence[str]) -> list[int]:
    """Return the indices of the files that are there, in the order of their parts."""
    there = [index for index, path in enumerate(paths) if path is not None]
    if not there:
        raise DataError("expected image files, found none of those that are listed")
    return [each for part in PARTS for each in there if given[each] == part]


def _labelled(
    kept: Sequence[int], labels: Sequence[object], given: Sequence[str]
) -> tuple[Classes, dict[str, int]]:
    """Return the classes of the files of these indices, and how many files each part has."""
    have = [part for part in PARTS if any(given[each] == part for each in kept)]
    lacking = next((part for part in PARTS if part in {"train", *given} and part not in have), None)
    if lacking is not None:
        count = sum(part == lacking for part in given)
        found = (
            f"none of the {count:,} that are listed: put these files where the others are, or take "
            "their lines out"
        )
        raise DataError(
            f"expected images of the part {lacking}, found {found if count else 'none'}"
        )
    grouped = {part: [labels[each] for each in kept if given[each] == part] for part in have}
    arrays = {
        f"labels ({part})" if len(have) > 1 else "labels": Labels(table_labels(values), len(values))
        for part, values in grouped.items()
    }
    return pooled_labels(arrays, None, have), {part: len(grouped[part]) for part in have}


def _shown(path: str, root: Path | None) -> str:
    inside = root is not None and Path(path).is_relative_to(root)
    return shown(os.path.relpath(path, root) if inside and root else path, limit=120)


def _roots(parent: Path) -> list[Path]:
    """Return where the images of a table may be: beside it, or in a folder there."""
    folders = [each for each in visible(parent.iterdir()) if each.is_dir()]
    return [parent, *folders[:100]]


def _is_a_row(cells: Sequence[str], found: list[list[str]], roots: Sequence[Path]) -> bool:
    """Say whether a table's first line names a file where other lines do, and thus no columns.

    Names without endings and labels that are words look like a header.
    """
    return any(
        bare(cell) not in FILE_COLUMNS
        and place_of(root, cell) is not None
        and any(place_of(root, row[column]) for row in found[:_SAMPLE])
        for root in roots
        for column, cell in enumerate(cells)
    )


def _file_column(
    table: Path,
    begin: Head,
    found: list[list[str]],
    wanted: Mapping[str, str],
    roots: Sequence[Path],
) -> tuple[int, Path]:
    """Return (the column of files, the folder that their names begin in)."""
    columns = _may_be_files(begin, found, wanted)
    sample = found[:: max(len(found) // _SAMPLE, 1)][:_SAMPLE]
    best, file, there = 0, 0, {roots[0]: set[int]()}
    for column in columns:
        found_in = {
            root: {number for number, row in enumerate(sample) if place_of(root, row[column])}
            for root in roots
        }
        most = max(map(len, found_in.values()))
        if most > best:
            best, file, there = most, column, found_in
        if best == len(sample):
            break  # no other can have more; there may be a hundred, of numbers
    if not best:
        have = ", ".join(shown(each, limit=30) for each in begin.columns[:8])
        says = [f"{shown(begin.columns[e])} says {shown(sample[0][e])}, and " for e in columns[:1]]
        raise DataError(
            f"expected a column of image files in {shown(roots[0])} or a folder there, found none "
            f"(columns: {have}): {''.join(says)}{pictures_there(roots)}; say where they "
            "are, as in {table: …, images: FOLDER, columns: {file: COLUMN, label: COLUMN}}"
        )
    return file, _of_table(table, there)


def _may_be_files(
    begin: Head, found: list[list[str]], wanted: Mapping[str, str]
) -> tuple[int, ...]:
    """Return the columns that may hold files: one called so, or any other but that of labels."""
    if "file" in wanted:
        return (stated_column(begin.columns, wanted["file"], "columns.file"),)
    first = column_called(begin.columns, FILE_COLUMNS)
    label = column_called(begin.columns, LABEL_COLUMNS)
    if "label" in wanted:
        label = stated_column(begin.columns, wanted["label"], "columns.label")
    others = [
        each
        for each in range(len(begin.columns))
        if each not in (first, label) and 2 * len({row[each] for row in found}) > len(found)
    ]
    return tuple(others if first is None else [first, *others])


def _of_table(table: Path, there: Mapping[Path, set[int]]) -> Path:
    """Return the folder with a table's images, of some that each have these of them.

    train.csv is about train/, whatever else there is; else beside the table, else where most are.
    """
    part = next((found for found in map(part_of, pieces(table.stem)) if found), None)
    fitting = [root for root in there if there[root] and part_of(root.name) == part]
    if part is not None and len(fitting) == 1:
        return fitting[0]
    most = max(map(len, there.values()))
    alike = [root for root in there if 2 * len(there[root]) > most]
    if len(alike) == 1 or (alike[0] == table.parent and len(there[alike[0]]) == most):
        return alike[0]
    names = listed([f"{shown(root.name)}/" for root in alike[:3]])
    if not set.intersection(*(there[root] for root in alike)):
        raise DataError(
            f"expected the images of a table in one folder, found some in each of {names}: put all "
            "into one, or write the folder before the name of every file, as in "
            f"{shown(alike[0].name)}/NAME"
        )
    raise DataError(
        f"expected the images of a table in one folder, found files of the same names in {names}: "
        "say which, as in {table: …, images: FOLDER}"
    )


def _labels(
    begin: Head, found: list[list[str]], wanted: Mapping[str, str], file: int
) -> tuple[list[str], str, list[str]]:
    """Return (the labels, what their column is called, the columns that say them)."""
    label = _label_column(begin.columns, wanted.get("label"), file)
    if label is None:
        classes = _may_be_classes(begin.columns, wanted.get("part"), file)
        hot = _one_hot(begin, found, classes)
        if hot is not None:
            columns = [begin.columns[each] for each in classes]
            name = f"one column for each of {some([shown(e) for e in columns])}"
            absent = [shown(each) for each in columns if each not in hot]
            name += (
                f", of which {some(absent)} {'is' if len(absent) == 1 else 'are'} 0 throughout"
                if absent
                else ""
            )
            return hot, name, columns
        have = ", ".join(shown(each, limit=30) for each in begin.columns[:8])
        raise DataError(
            f"expected a column of labels ({', '.join(LABEL_COLUMNS[:4])} …), found {have}: name "
            "it, as in {table: …, columns: {label: COLUMN}}"
        )
    empty = [place for place, row in enumerate(found) if not row[label].strip()]
    if empty:
        raise DataError(
            f"expected a label in every line, found {counted(len(empty), 'line')} without one, the "
            f"first for {shown(found[empty[0]][file])}"
        )
    name = begin.columns[label]
    return [row[label] for row in found], shown(name), [name]


def _label_column(columns: Sequence[str], wanted: str | None, file: int) -> int | None:
    """Return the column of labels: one that is called so, or the only one beside that of files."""
    if wanted is not None:
        return stated_column(columns, wanted, "columns.label")
    others = [each for each in range(len(columns)) if each != file]
    called = column_called([columns[each] for each in others], LABEL_COLUMNS)
    if called is not None:
        return others[called]
    return others[0] if len(others) == 1 else None


def _may_be_classes(columns: Sequence[str], part: str | None, file: int) -> list[int]:
    """Return the columns that are of neither files, parts nor row numbers."""
    known = {file, part_column(columns, part), part_column(columns)}
    return [
        i for i, each in enumerate(columns) if i not in known and bare(each) not in INDEX_COLUMNS
    ]


def _parts(begin: Head, found: list[list[str]], wanted: str | None) -> tuple[list[str] | None, str]:
    """Return (the part of every row, or None where no column says it; the column's name)."""
    column = part_column(begin.columns, wanted)
    if column is None:
        return None, ""
    name = begin.columns[column]
    return parts_in([row[column] for row in found], name, stated=wanted is not None), name


def _ignored(begin: Head, taken: Collection[str]) -> str:
    """Name the columns that are in no use, such as one of parts under another name."""
    unused = unused_columns(begin.columns, taken) if begin.named else []
    return f"; ignored {some([shown(each) for each in unused])}" if unused else ""


def _one_hot(begin: Head, found: list[list[str]], columns: Sequence[int]) -> list[str] | None:
    if len(columns) < 2:
        return None
    cells = [[row[each].strip() for each in columns] for row in found]
    plain = [[_BITS.get(cell.casefold(), 9) for cell in row] for row in cells]
    if any(sum(row) != 1 for row in plain):
        return None
    return [begin.columns[columns[row.index(1)]] for row in plain]
