"""A study's data set and split, used only where they are what the study recorded.

Oracle: the files that a study was begun with. Cost: 1 s.
Run: pytest tests/study/test_recorded_data.py
"""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.create import prepare
from bakeoff.study.recorded_data import recorded_data
from tests.helpers import small


@pytest.fixture
def images(npz, tmp_path):
    return Path(shutil.copy(npz, tmp_path / "own.npz"))


@pytest.fixture
def prepared(images, tmp_path):
    return prepare(small.declare(images), StudyFolder(tmp_path / "study"), device="cpu")


def test_data_that_is_at_hand_comes_with_the_split(prepared):
    data, split = recorded_data(prepared.folder)
    assert data.hash == prepared.data.hash
    assert split["test"].tolist() == prepared.split.test.tolist()
    assert recorded_data(prepared.folder, prepared.data)[0] is prepared.data


def test_other_images_are_not_used(prepared):
    other = replace(prepared.data, labels=prepared.data.labels[::-1].copy())
    assert recorded_data(prepared.folder, other) is None


def test_data_that_is_gone_is_not_used(prepared, images):
    images.unlink()
    assert recorded_data(prepared.folder) is None


def test_a_split_that_was_changed_is_not_used(prepared):
    file = prepared.folder.split_file
    file.write_bytes(file.read_bytes() + b"\0")
    assert recorded_data(prepared.folder, prepared.data) is None
    file.unlink()
    assert recorded_data(prepared.folder, prepared.data) is None
