"""A study's training as jobs.

Oracle: by hand. Cost: 1 s.

Run: pytest tests/study/jobs/test_training_jobs.py
"""

from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.create import prepare
from bakeoff.study.jobs.training_jobs import largest_trial, train_job
from tests.helpers import small


def test_a_planned_trial_says_how_its_epoch_is_selected(npz, tmp_path):
    recipe = small.declare(npz, selection="best-accuracy")
    prepared = prepare(recipe, StudyFolder(tmp_path / "study"), device="cpu")
    planned, job = train_job(prepared, prepared.recipe.models["mlp"], 0, None, tmp_path)
    assert planned.selection == job.selection == "best-accuracy"


def test_the_largest_trial_of_a_search_is_that_of_its_largest_setting(npz, tmp_path):
    """It was its middle one: as many workers ran as fit that, and larger settings were lost."""
    space = {"dense": {"units": {"choice": [4, 8, 4096]}}}
    sizes = {}
    for name, layer in (("open", space), ("middle", {"dense": 8}), ("most", {"dense": 4096})):
        recipe = small.declare(npz, models={"m": {"layers": [layer]}})
        sizes[name] = largest_trial(prepare(recipe, StudyFolder(tmp_path / name), device="cpu"))
    assert sizes["middle"] < sizes["most"] / 100
    assert sizes["open"] == sizes["most"]
