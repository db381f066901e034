"""The suite's finished study, as its result, and the images that it was tested on."""

import pytest

from bakeoff.storage.split_file import read_split
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.compare import compare


@pytest.fixture(scope="session")
def result(finished_study):
    return compare([finished_study])


@pytest.fixture(scope="session")
def test_part(finished_study, digits):
    split = read_split(StudyFolder(finished_study))["test"]
    return digits.images[split], digits.labels[split]
