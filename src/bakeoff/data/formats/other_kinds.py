"""Kinds of files that are not read here, and how to make one of each that is."""

from contextlib import suppress
from pathlib import Path

from bakeoff.data.safe_reading import regular_file
from bakeoff.errors import DataError
from bakeoff.utils.text import shown

_SAVEZ = 'numpy.savez("images.npz", x=…, y=…)'
_ARRAYS = f"store its images and labels by {_SAVEZ}"
_CODE = f"{_ARRAYS}; such files may hold code and are not read"
_UNPACK = "unpack it, and name what was in it"
_CURES = {
    "an HDF5 file": ((".h5", ".hdf5", ".hdf"), _ARRAYS),
    "a MATLAB file": ((".mat",), f"{_ARRAYS} (scipy.io.loadmat reads it)"),
    "a single array": ((".npy",), f"put images and labels into one file, by {_SAVEZ}"),
    "a pickled file": ((".pkl", ".pickle", ".joblib", ".pt", ".pth"), _CODE),
    "TensorFlow's records": ((".tfrecord", ".tfrecords", ".tfrec"), _ARRAYS),
    "a file of bytes": ((".bin",), f"{_ARRAYS} (numpy.fromfile reads it)"),
    "an ARFF file": ((".arff",), f"{_ARRAYS} (scipy.io.arff reads it), or save it as CSV"),
    "a Feather or Arrow file": ((".feather", ".arrow"), "save it as Parquet (.parquet)"),
    "a spreadsheet": ((".xlsx", ".xls", ".ods"), "save it as CSV"),
    "a JSON file": ((".json", ".jsonl", ".ndjson"), "save it as CSV, with columns file and label"),
    "a text file": (
        (".txt", ".data", ".tra", ".tes", ".trn", ".tst"),
        "call it .csv where it is a table",
    ),
    "an archive": ((".zip", ".tar", ".tgz", ".tbz2", ".txz", ".7z", ".rar"), _UNPACK),
    "a packed file": ((".gz", ".bz2", ".xz", ".zst"), _UNPACK),
}


def check_kind(path: Path) -> None:
    """Refuse a file of a kind that is known and not read, with what to make of it."""
    found = other_kind(path)
    if found is not None:
        raise DataError(
            f"{shown(path)}: expected a folder of images, an npz, CSV, IDX or Parquet file, "
            f"found {found[0]}: {found[1]}"
        )


def other_kind(path: Path) -> tuple[str, str] | None:
    """Return (the kind that a file's name says, what to make of it); None for other names.

    A pickled file without an ending, as CIFAR's batches are, is known by how it begins and ends.
    """
    ending = path.suffix.lower() or (".pkl" if _is_pickle(path) else "")
    return next(
        ((kind, cure) for kind, (endings, cure) in _CURES.items() if ending in endings), None
    )


def _is_pickle(path: Path) -> bool:
    with suppress(DataError), regular_file(path) as (file, size):
        begin = file.read(1)
        file.seek(max(size - 1, 0))
        return begin == b"\x80" and file.read(1) == b"."
    return False
