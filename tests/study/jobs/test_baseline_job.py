"""A baseline as a job: what it is given, what it writes, and when it does nothing.

Oracle: the fields of the job; the files it writes; scikit-learn is that of test_baselines.py.
Cost: nothing. Run: pytest tests/study/jobs/test_baseline_job.py
"""

import dataclasses
import json

import pytest

from bakeoff.storage import written_folder
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.jobs.baseline_job import BaselineJob
from bakeoff.study.jobs.job import Busy
from tests.helpers.train_jobs import write_images


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "study").mkdir()
    return StudyFolder(tmp_path / "study")


def fit(folder, *data):
    job = BaselineJob(
        study=str(folder.path),
        name="majority",
        data=str(data[0]) if len(data) == 1 else tuple(map(str, data)),
        maximum=255.0,
        n_classes=3,
    )
    job.run(lambda event: None)
    return folder.baseline("majority")


def test_it_names_no_test_image():
    """A new field has to be judged."""
    fields = [field.name for field in dataclasses.fields(BaselineJob)]
    assert sorted(fields) == ["data", "maximum", "n_classes", "name", "study"]


def test_a_baseline_is_a_folder_of_three_files_and_their_manifest(folder, tmp_path):
    place = fit(folder, write_images(tmp_path / "data"))
    assert {path.name for path in place.iterdir()} == {
        "baseline.json",
        written_folder.WEIGHTS,
        written_folder.TIMING,
        written_folder.MANIFEST,
    }
    assert json.loads((place / "baseline.json").read_text())["name"] == "majority"


def test_with_folds_there_are_weights_of_each(folder, tmp_path):
    place = fit(folder, *(write_images(tmp_path / name) for name in ("one", "two")))
    found = {str(path.relative_to(place)) for path in place.rglob(written_folder.WEIGHTS)}
    assert found == {f"fold-{fold}/{written_folder.WEIGHTS}" for fold in (0, 1)}


def test_a_baseline_that_is_there_is_not_fitted_again(folder, tmp_path):
    data = write_images(tmp_path / "data")
    before = fit(folder, data).stat().st_mtime_ns
    assert fit(folder, data).stat().st_mtime_ns == before


def test_a_baseline_that_somebody_fits_is_not_touched(folder, tmp_path):
    with folder.lock("baseline.majority"), pytest.raises(Busy):
        fit(folder, write_images(tmp_path / "data"))
    assert not folder.baseline("majority").exists()
