"""Data sets by name, from a folder of images or from an .npz file. All loaded whole, as stored.

load(source) gives a DataSet. Whatever is wrong with the files is a DataError of one line.
"""

from bakeoff.data.arrays import from_arrays
from bakeoff.data.dataset import (
    NAMES,
    DataSet,
    FolderSource,
    NpzSource,
    Source,
    class_counts,
    own_parts,
)
from bakeoff.data.duplicates import Duplicates, Twins, count_duplicates
from bakeoff.errors import DataError
from bakeoff.utils.text import shown

__all__ = [
    "NAMES",
    "DataSet",
    "Duplicates",
    "FolderSource",
    "NpzSource",
    "Source",
    "Twins",
    "class_counts",
    "count_duplicates",
    "from_arrays",
    "load",
    "own_parts",
]


def load(source: Source, *, offline: bool = False) -> DataSet:
    """Load a data set.

    Parameters
    ----------
    source : str, FolderSource or NpzSource
        One of NAMES, a folder or a file.
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
    if isinstance(source, FolderSource):
        from bakeoff.data.folder import load_folder

        return load_folder(source)
    if isinstance(source, NpzSource):
        from bakeoff.data.npz import load_npz

        return load_npz(source)
    from bakeoff.data import named, published

    if source == "digits":
        return named.load_digits()
    if isinstance(source, str) and source in published.PUBLISHED:
        return named.load_published(source, offline=offline)
    raise DataError(
        f"data: expected {', '.join(NAMES)}, a folder or an npz file, found {shown(str(source))!r}"
    )
