"""The shape of the JSON document.

Oracle: by hand. Cost: 1 s.

Run: pytest tests/analysis/test_json_document.py
"""

import numpy as np

from bakeoff.analysis.compare import compare
from bakeoff.analysis.json_document import model_document, plain, study_document
from tests.helpers.fake_study import write_study


def test_numbers_that_are_not_finite_become_null(tmp_path):
    study = write_study(tmp_path / "s")
    result = compare([study])
    object.__setattr__(result, "environment", {"a": float("nan"), "b": [np.float32("inf"), 1]})
    assert result.to_json()["environment"] == {"a": None, "b": [None, 1]}


def test_a_sealed_study_and_an_opened_one_have_the_same_keys(tmp_path):
    document = compare([write_study(tmp_path / "s")]).to_json()
    sealed = study_document(study="s", models=[model_document(name="cnn")])
    assert sealed.keys() <= document.keys()
    assert sealed["models"][0].keys() <= document["models"][0].keys()
    assert sealed["models"][0]["accuracy"] == {"mean": None, "ci": None, "per_seed": None}
    assert sealed["test_openings"] is None


def test_values_of_numpy_become_plain():
    found = plain({1: (np.int64(2), np.float32(0.5)), "b": np.array([[1.0, np.nan]])})
    assert found == {"1": [2, 0.5], "b": [[1.0, None]]}
    assert type(found["1"][0]) is int
