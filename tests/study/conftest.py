"""The suite's finished study, as its result, the images that it was tested on, and small data."""

import pytest

from bakeoff.storage.split_file import read_split
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.compare import compare
from tests.helpers.small import write_npz


@pytest.fixture(scope="session")
def result(finished_study):
    return compare([finished_study])


@pytest.fixture(scope="session")
def test_part(finished_study, digits):
    split = read_split(StudyFolder(finished_study))["test"]
    return digits.images[split], digits.labels[split]


@pytest.fixture(scope="session")
def npz(tmp_path_factory):
    """A data set that trains in a second."""
    return write_npz(tmp_path_factory.mktemp("small") / "small.npz")
