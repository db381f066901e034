"""One trial as its folder, its checkpoints and its locks tell of it.

Oracle: what was put there. Cost: nothing. Run: pytest tests/study/progress/test_trial_status.py
"""

import shutil

import pytest

from bakeoff.errors import DamagedFile
from bakeoff.storage.study_folder import StudyFolder, trial_lock
from bakeoff.study.jobs.checkpoint_names import PLACE
from bakeoff.study.progress.trial_status import trial_status
from tests.robustness.hostile.studies import forge_json


@pytest.fixture
def folder(tiny_study):
    return StudyFolder(tiny_study)


def look(folder, *, n_folds=None):
    finished = folder.trial("mlp", 1).exists()
    return trial_status(folder, "mlp", 1, n_folds=n_folds, finished=finished, validated=True)


def test_a_finished_trial_has_its_document(folder):
    found = look(folder)
    assert (found.state, found.document) == ("finished", folder.read_trial("mlp", 1))
    assert found.seconds == folder.read_timing("mlp", 1)["seconds"]


def test_a_trial_with_a_checkpoint_is_begun_and_locked_it_is_running(folder):
    partial = folder.partial("mlp", 1)
    folder.trial("mlp", 1).rename(partial)
    (partial / "checkpoint-000007-0123456789abcdef.safetensors").touch()
    assert (look(folder).state, look(folder).epochs) == ("begun", 7)
    (partial / PLACE).write_text('{"node": "box-2"}')
    assert look(folder).nodes == ()  # nobody is at it
    with folder.lock(trial_lock("mlp", 1)):
        assert (look(folder).state, look(folder).nodes) == ("running", ("box-2",))


def test_a_trial_of_folds_runs_while_one_of_them_does(folder):
    shutil.rmtree(folder.trial("mlp", 1))
    folder.fold("mlp", 1, 0).mkdir(parents=True)
    with folder.lock(trial_lock("mlp", 1, 2)):
        found = look(folder, n_folds=3)
    assert (found.state, found.folds) == ("running", 1)


def test_a_trial_of_which_nothing_is_there_is_missing(folder):
    shutil.rmtree(folder.trial("mlp", 1))
    assert look(folder).state == "missing"


def test_a_trial_without_the_scores_that_the_study_has_is_refused(folder):
    """It was reported as a fault of Bakeoff's."""
    forge_json(folder.trial("mlp", 1), "trial.json", validation=None)
    with pytest.raises(DamagedFile, match=r"trial\.json: expected the bytes that were recorded"):
        look(folder)
