"""Finished studies compared from what is on disk.

Oracle: the suite's finished study; whole lines. Cost: 1 s with it.

Run: pytest tests/study/test_compare.py
"""

import re

import pytest

from bakeoff.errors import StudyError
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.compare import compare


def test_a_folder_and_its_path_are_compared_alike(finished_study):
    by_path, by_folder = compare([str(finished_study)]), compare([StudyFolder(finished_study)])
    assert by_path.to_json() == by_folder.to_json()
    assert by_path.to_json()["study"] == "tiny"


def test_what_is_no_study_is_refused(finished_study, tmp_path):
    text = f"{tmp_path}: expected a study's folder, found no study.json in it: name the folder that"
    with pytest.raises(StudyError, match=f"^{re.escape(text)}"):
        compare([finished_study, tmp_path])
