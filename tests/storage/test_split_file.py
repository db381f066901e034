"""A study's split.npz, read back.

Oracle: arrays written by NumPy. Cost: 1 s. Run: pytest tests/storage/test_split_file.py
"""

import re

import numpy as np
import pytest

from bakeoff.errors import DamagedFile
from bakeoff.storage.split_file import read_folds, read_split
from bakeoff.storage.study_folder import StudyFolder
from tests.helpers.disks import DAMAGED

PARTS = {
    "train": np.arange(4),
    "validation": np.arange(4, 6),
    "test": np.arange(6, 9),
    "validation_labels": np.array([1, 0]),
}


def test_parts_and_folds_come_back(tmp_path):
    folder = StudyFolder(tmp_path)
    np.savez(folder.split_file, **PARTS)
    for name, indices in read_split(folder).items():
        np.testing.assert_array_equal(indices, PARTS[name], strict=True)
    np.savez(folder.split_file, folds=np.array([[0, 1], [1, 0]]))
    assert read_folds(folder).tolist() == [[0, 1], [1, 0]]


def test_what_lacks_a_part_or_is_cut_short_is_damaged(tmp_path):
    folder = StudyFolder(tmp_path)
    np.savez(folder.split_file, folds=np.array([[0, 1]]))
    said = f"^{re.escape(f'{folder.split_file}: {DAMAGED}')}$"
    with pytest.raises(DamagedFile, match=said):
        read_split(folder)
    folder.split_file.write_bytes(folder.split_file.read_bytes()[:-9])
    with pytest.raises(DamagedFile, match=said):
        read_folds(folder)
