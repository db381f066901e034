"""Opening the test set: what an opening's folder holds, apart from which predictions are right.

Oracle: the files of a study that was carried out. Cost: 5 s with the suite's finished study.
Run: pytest tests/study/opening/test_open_test_set.py
"""

import json
import re

import pytest

from bakeoff import recipe as recipes
from bakeoff.analysis.compare import compare
from bakeoff.errors import StorageError
from bakeoff.storage import formats, written_folder
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.jobs.predict_job import PredictJob
from bakeoff.study.opening.open_test_set import turns
from bakeoff.study.run import run

pytestmark = pytest.mark.usefixtures("jobs_in_process")  # nothing here is looked at


def clocks(study, opening="1"):
    found = (study / "openings" / opening).glob("*/timing.json")
    return {path.parent.name: formats.read_sealed_json(path) for path in found}


def test_how_long_predicting_takes_is_measured_once_for_each_model(finished_study):
    found = clocks(finished_study)
    assert found.keys() == {"mlp", "line"}
    for name, model in ((m.name, m) for m in compare([StudyFolder(finished_study)]).models):
        assert found[name].keys() == {"image_seconds", "batch_seconds", "seconds", "finished"}
        assert model.prediction_seconds == found[name]["image_seconds"] > 0
        assert model.batch_prediction_seconds == found[name]["batch_seconds"] > 0


def test_where_time_counts_it_is_measured_beside_nothing_else():
    def job(label, timing=None):
        paths = {"source": "s", "images": "i", "target": "t"}
        return PredictJob(
            label, "m", **paths, declared=None, maximum=1.0, n_classes=2, timing=timing
        )

    a, more, b = job("a seed 0", "timing"), job("a seed 1"), job("b seed 0", "timing")
    assert turns([a, more, b], "parameters") == [[a, more, b]]
    assert turns([a, more, b], "time") == [[more], [a], [b]]
    assert turns([a, b], "time") == [[a], [b]]
    assert turns([], "parameters") == []


def test_clocks_of_an_opening_are_no_part_of_what_is_compared(finished_study):
    manifest = formats.read_sealed_json(finished_study / "openings" / "1" / "manifest.json")
    assert manifest["apart"] == ["line/timing.json", "mlp/timing.json"]
    assert not [name for name in manifest["files"] if "timing" in name]
    assert written_folder.check_folder(finished_study / "openings" / "1") == []


def test_a_study_without_such_clocks_is_compared(tiny_study):
    """Version 0.1.0 measured nothing."""
    opening = tiny_study / "openings" / "1"
    for path in opening.glob("*/timing.json"):
        path.unlink()
    path = opening / "manifest.json"
    files = formats.read_sealed_json(path)["files"]
    path.write_bytes(formats.sealed_json({"files": files}))
    model = compare([StudyFolder(tiny_study)]).models[0]
    assert model.prediction_seconds is model.batch_prediction_seconds is None


def test_clocks_that_were_changed_are_refused(tiny_study):
    path = tiny_study / "openings" / "1" / "mlp" / "timing.json"
    path.write_bytes(formats.sealed_json({"seconds": 1.0, "image_seconds": -1.0}))
    with pytest.raises(StorageError, match=re.escape(f"{path}: expected what Bakeoff writes")):
        compare([StudyFolder(tiny_study)])
    path.write_text(json.dumps({"seconds": 1.0}))
    with pytest.raises(StorageError, match=re.escape(str(path))):
        compare([StudyFolder(tiny_study)])


def test_another_opening_takes_over_the_clocks_of_what_it_does_not_predict(tiny_study):
    before = clocks(tiny_study)
    text = (tiny_study.parent / "tiny.yaml").read_text() + "  more: {layers: [{dense: 4}]}\n"
    recipe = recipes.read(text.encode(), origin="tiny", folder=tiny_study.parent)
    run(recipe, out=tiny_study, workers=1)
    now = clocks(tiny_study, "2")
    assert now.keys() == {"line", "mlp", "more"}
    assert {name: now[name] for name in before} == before
