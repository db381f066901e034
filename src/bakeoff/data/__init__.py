"""Data sets by name, from files of many kinds, or from Python. All loaded whole, as stored.

load(source) gives a DataSet. Whatever is wrong with the files is a DataError of one line.
"""

from bakeoff.data import sources
from bakeoff.data.dataset import DataSet, about_pixels, class_counts, own_parts
from bakeoff.data.duplicates import Duplicates, Twins, count_across_folds, count_duplicates
from bakeoff.data.remarks import with_remarks
from bakeoff.data.sources import (
    NAMES,
    ArraysSource,
    CsvSource,
    FolderSource,
    IdxSource,
    NpzSource,
    ParquetSource,
    Source,
    TableSource,
)
from bakeoff.errors import DataError
from bakeoff.utils.text import shown
from bakeoff.utils.user_paths import require_utf8_names

__all__ = [
    "NAMES",
    "ArraysSource",
    "CsvSource",
    "DataSet",
    "Duplicates",
    "FolderSource",
    "IdxSource",
    "NpzSource",
    "ParquetSource",
    "Source",
    "TableSource",
    "Twins",
    "about_pixels",
    "class_counts",
    "count_across_folds",
    "count_duplicates",
    "load",
    "own_parts",
    "sources",
]


def load(source: Source, *, offline: bool = False) -> DataSet:
    """Load a data set.

    Parameters
    ----------
    source : str or one of the sources
        One of NAMES, or where the files are.
    offline : bool
        Never download; only mnist and fashion-mnist are ever downloaded.

    Raises
    ------
    DataError
        If it is unknown, absent or broken. ChecksumMismatch, which is one, if a file is not the
        published one.
    StorageError
        If a download cannot be kept.
    """
    gone = sources.missing(source)
    if gone is not None:
        require_utf8_names([str(gone)])
        raise DataError(
            f"{shown(gone)}: expected the data, found nothing there: put it there, or write where "
            "it lies into the recipe (to go on with a study: into a copy of its recipe, run with "
            "--out STUDY)"
        )
    return with_remarks(_load(source, offline=offline))


def _load(source: Source, *, offline: bool) -> DataSet:
    if isinstance(source, FolderSource):
        from bakeoff.data.folders.folder import load_folder

        return load_folder(source)
    if isinstance(source, TableSource):
        from bakeoff.data.formats.table import load_table

        return load_table(source)
    if isinstance(source, NpzSource):
        from bakeoff.data.formats.npz import load_npz

        return load_npz(source)
    if isinstance(source, CsvSource):
        from bakeoff.data.formats.csv_pixels import load_csv

        return load_csv(source)
    if isinstance(source, IdxSource):
        from bakeoff.data.formats.idx_files import load_idx

        return load_idx(source)
    if isinstance(source, ParquetSource):
        from bakeoff.data.formats.parquet import load_parquet

        return load_parquet(source)
    if isinstance(source, ArraysSource):
        raise DataError(
            "data: these arrays were given in Python: give them again, as in "
            "bakeoff.Study(…, data=(x, y)).run()"
        )
    from bakeoff.data import named, published

    if source == "digits":
        return named.load_digits()
    if isinstance(source, str) and source in published.PUBLISHED:
        return named.load_published(source, offline=offline)
    raise DataError(
        f"data: expected {', '.join(NAMES)}, or where the files are, found {shown(str(source))!r}"
    )
