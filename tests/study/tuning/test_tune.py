"""Searching the choices that a recipe leaves open.

Oracle: whole lines, and what trials wrote. Cost: 3 s.

Run: pytest tests/study/tuning/test_tune.py
"""

import io
import re

import pytest

from bakeoff.errors import RecipeError
from bakeoff.storage.history import read_history
from bakeoff.storage.search_folder import SearchFolder
from bakeoff.study.progress.terminal_progress import Lines
from bakeoff.study.tuning.tune import tune
from tests.helpers import small


def test_tune_refuses_a_recipe_without_choices(npz, tmp_path):
    with pytest.raises(RecipeError) as refused:
        tune(small.declare(npz), out=tmp_path / "study")
    assert str(refused.value) == (
        "tune: expected a recipe with a choice, such as units: {choice: [64, 128]}, found none: "
        "bakeoff run trains its models as they are"
    )
    assert not (tmp_path / "study").exists()


def test_tune_refuses_a_model_without_choices(npz, tmp_path):
    """It ended well, and had searched nothing."""
    units = {"dense": {"units": {"choice": [2, 6]}}}
    models = {"m": {"layers": [units]}, "k": {"layers": [units]}, "fixed": {"layers": []}}
    declared = small.declare(npz, models=models, search={"settings": 2, "sampler": "random"})
    for only in (["fixed"], ["m", "fixed"]):
        with pytest.raises(RecipeError) as refused:
            tune(declared, out=tmp_path / "study", only=only)
        assert str(refused.value) == (
            "tune: --only: expected a model that leaves a choice open (m, k), found 'fixed', which "
            "leaves none open: name another, or leave --only out"
        )
    assert not (tmp_path / "study").exists()


@pytest.mark.usefixtures("jobs_in_process")
def test_lines_show_the_accuracy_by_which_settings_are_judged(npz, tmp_path):
    """A line showed the last epoch's, and "is best so far" under it the selected epoch's."""
    rate = {"optimizer": {"adam": {"learning_rate": {"log": [0.1, 1.0]}}}}
    declared = small.declare(
        npz,
        models={"m": {"training": rate, "layers": [{"dense": 6}]}},
        search={"settings": 3, "sampler": "random"},
    )
    stream = io.StringIO()
    (searched,) = tune(declared, out=tmp_path, workers=1, watcher=Lines(stream))
    judged = [f"{100 * each.accuracy:.2f}" for each in searched.tried]
    assert re.findall(r" done: m setting \d in .*, validation (.*) %", stream.getvalue()) == judged
    folders = [SearchFolder(tmp_path, "m").trial(number) for number in range(3)]
    histories = [read_history(each / "history.csv") for each in folders]
    assert [f"{100 * each['val_accuracy'][-1]:.2f}" for each in histories] != judged
