"""A comparison as a document.

Oracle: the keys that others rely on. Cost: 1 s.

Run: pytest tests/analysis/test_comparison.py
"""

import json

import pytest

from bakeoff.analysis.compare import compare
from tests.helpers.fake_study import write_trio


@pytest.fixture
def study(tmp_path):
    return write_trio(tmp_path / "study")


def test_the_document_has_all_that_others_rely_on(study):
    document = compare([study]).to_json()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["study"] == "trio" and document["title"] == "Three <models>"
    assert document["data"].keys() >= {"name", "train", "validation", "test", "hash"}
    assert document["seeds"] == [0, 1, 2, 3]
    assert (document["test_openings"], document["exploratory"]) == (1, False)
    assert (document["margin"], document["give_up"]) == (0.002, 0.005)
    assert (document["prefer"], document["recommended"]["ordered_by"]) == (
        *("parameters", "parameters"),
    )
    assert document["missing"] == [f"small seed {s}" for s in (3, 4)] + [
        "big seed 4",
        "twin seed 4",
    ]
    for model in document["models"]:
        assert model["accuracy"].keys() == model["loss"].keys() == {"mean", "ci", "per_seed"}
        assert len(model["accuracy"]["ci"]) == 2
        assert len(model["per_class_accuracy"]) == 10
        assert isinstance(model["balanced_accuracy"], float)
        assert isinstance(model["macro_f1"], float)
        assert model.keys() >= {
            *("name", "parameters", "selected_epochs", "seconds_per_trial", "group"),
        }
    for baseline in document["baselines"]:
        assert baseline["accuracy"].keys() == {"mean", "ci"}
    for comparison in document["comparisons"]:
        assert comparison.keys() >= {
            *("a", "b", "difference", "ci", "df", "p", "p_holm", "verdict"),
            "probability_a_better",
        }
    assert document["recommended"].keys() >= {"model", "reason"}
    for finding in document["findings"]:
        assert finding.keys() == {"code", "severity", "model", "text", "advice"}
