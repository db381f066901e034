"""A study's split.npz, read back checked: which image is in which part, or in which fold."""

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.formats.npz import read_arrays
from bakeoff.errors import DataError
from bakeoff.storage.formats import LONGEST_TEXT, damaged
from bakeoff.storage.study_folder import StudyFolder

_PARTS = ("train", "validation", "test", "validation_labels")


def read_split(folder: StudyFolder) -> dict[str, NDArray[np.int64]]:
    """Return the arrays of split.npz: train, validation, test, validation_labels."""
    return _read(folder, _PARTS)


def read_folds(folder: StudyFolder) -> NDArray[np.int64]:
    """Return in which fold each image is tested, shape (repeats, images)."""
    return _read(folder, ("folds",))["folds"]


def _read(folder: StudyFolder, names: tuple[str, ...]) -> dict[str, NDArray[np.int64]]:
    try:
        return read_arrays(folder.split_file, names, limit=LONGEST_TEXT)
    except DataError as error:
        raise damaged(folder.split_file) from error
