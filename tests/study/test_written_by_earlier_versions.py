"""A study that version 0.1.0 wrote is read, verified and extended by this one.

Oracle: tests/study/written/by_0.1.0.zip, the study of the recipe in it, carried out by version
0.1.0 and stripped of what is derived. Cost: 3 s, most of it training two trials.
Run: pytest tests/study/test_written_by_earlier_versions.py
"""

import shutil
import zipfile
from pathlib import Path

import pytest

from bakeoff import recipe
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.compare import compare
from bakeoff.study.run import run
from bakeoff.study.status import status
from bakeoff.study.verify import verify

pytestmark = pytest.mark.usefixtures("jobs_in_process")  # no picture here is looked at

WRITTEN = Path(__file__).with_name("written") / "by_0.1.0.zip"


@pytest.fixture
def old(tmp_path):
    with zipfile.ZipFile(WRITTEN) as archive:
        archive.extractall(tmp_path)
    return tmp_path / "study"


def test_it_is_read_and_verified(old):
    result = compare([old])
    assert {model.name: model.seeds for model in result.comparison.models} == {
        "a": (0, 1),
        "b": (0, 1),
    }
    assert result.comparison.test_openings == 1
    assert not result.comparison.exploratory
    assert result.to_json()["changed"] == []
    assert result.comparison.environments == {}
    assert status(old).finished == 4
    checked = verify(StudyFolder(old))
    assert (checked.differences, checked.notes) == ((), ())


def test_it_is_extended(old):
    """The trials of then are not trained again, nor is what was opened lost or shown otherwise."""
    before = {model.name: model.accuracy.per_seed for model in compare([old]).comparison.models}
    declared = recipe.load(old.parent / "recipe.yaml")
    assert run(declared, out=old).comparison.test_openings == 1
    result = run(declared, out=old, seeds=3)
    assert result.comparison.test_openings == 2
    for model in result.comparison.models:
        assert model.seeds == (0, 1, 2)
        assert model.accuracy.per_seed[:2] == before[model.name]
    first, second = StudyFolder(old).read_ledger()
    assert "weights" not in first
    assert sorted(second["weights"])[:3] == ["a/seed-0", "a/seed-1", "a/seed-2"]
    assert verify(StudyFolder(old)).differences == ()


def test_a_trial_that_was_replaced_since_is_found(old):
    """Its opening has no hashes: the clocks of a trial tell that it came later."""
    declared = recipe.load(old.parent / "recipe.yaml")
    shutil.rmtree(old / "trials" / "a" / "seed-0")
    run(declared, out=old, only=["a"])
    assert compare([old]).to_json()["changed"] == ["a seed 0 (replaced)"]
