"""What the JSON files of a study hold; tests/robustness/hostile/studies.py forges many more.

Oracle: documents with one thing changed. Cost: nothing. Run: pytest tests/storage/test_schemas.py
"""

import json
import re
from pathlib import Path

import pytest

from bakeoff.errors import DamagedFile
from bakeoff.storage.schemas import check_document
from tests.helpers.fake_study import write_study

OPENING = {"opening": 1, "models": {"cnn": [0, 1]}, "baselines": ["majority"], "test": "a" * 64}


def refused(document, name="opening.json"):
    with pytest.raises(DamagedFile) as error:
        check_document(document, Path(name))
    found = re.fullmatch(
        rf"{name}: expected what Bakeoff writes there, found something else(?: at (\S+))? \(.+\): "
        r"restore it, or delete its folder and run the study again; if that "
        r"opens the test set again, that is counted",
        str(error.value),
    )
    assert found, str(error.value)
    return found[1]


def test_what_a_study_writes_passes(tmp_path):
    study = write_study(tmp_path / "s", seeds=(0,))
    paths = sorted(study.path.rglob("*.json"))
    assert {path.name for path in paths} >= {"study.json", "trial.json", "opening.json"}
    for path in paths:
        document = json.loads(path.read_text())
        assert check_document(document, path) == document


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"opening": 0}, "opening"),
        ({"opening": "1"}, "opening"),
        ({"models": {"../cnn": [0]}}, "models.../cnn.[key]"),
        ({"models": {"cnn": [0, 0]}}, "models.cnn"),
        ({"weights": {"../../x": "a" * 64}}, "weights.../../x.[key]"),
        ({"test": "A" * 64}, "test"),
    ],
    ids=range(6),
)
def test_the_key_that_is_wrong_is_named(changes, at):
    assert check_document(OPENING, Path("opening.json")) == OPENING
    assert refused({**OPENING, **changes}) == at


def test_unknown_keys_pass_and_missing_ones_do_not():
    assert check_document({**OPENING, "more": 1}, Path("opening.json"))["more"] == 1
    assert refused({key: OPENING[key] for key in ("opening", "models", "test")}) == "baselines"
    assert refused([]) is None


def test_clocks_are_finite_and_not_before_zero():
    for wrong in (-1.0, float("inf"), float("nan"), "1"):
        assert refused({"seconds": wrong}, "timing.json") == "seconds"
        assert refused({"seconds": 1.0, "image_seconds": wrong}, "timing.json") == "image_seconds"
