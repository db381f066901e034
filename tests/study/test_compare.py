"""Finished studies compared from what is on disk.

Oracle: the suite's finished study; whole lines. Cost: 1 s with it.

Run: pytest tests/study/test_compare.py
"""

import re
import resource
from pathlib import Path

import pytest

from bakeoff.errors import StudyError
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.compare import compare
from tests.helpers.fake_study import FakeModel, write_study


def test_a_folder_and_its_path_are_compared_alike(finished_study):
    by_path, by_folder = compare([str(finished_study)]), compare([StudyFolder(finished_study)])
    assert by_path.to_json() == by_folder.to_json()
    assert by_path.to_json()["study"] == "tiny"


def test_what_is_no_study_is_refused(finished_study, tmp_path):
    text = f"{tmp_path}: expected a study's folder, found no study.json in it: name the folder that"
    with pytest.raises(StudyError, match=f"^{re.escape(text)}"):
        compare([finished_study, tmp_path])


def test_more_trials_than_macos_lets_a_process_open_files(tmp_path):
    """256 of them; each trial's predictions are a file that stays open."""
    write_study(tmp_path / "study", {"m": FakeModel(0.8)}, seeds=range(80), n_test=40)
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_now = len(list(Path("/dev/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 60, most))
    try:
        result = compare([tmp_path / "study"])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
    assert len(result.comparison.models[0].seeds) == 80
