"""The document of a test set that a run left sealed.

Oracle: a comparison's document of the same study. Cost: 1 s with the suite's finished study.

Run: pytest tests/study/opening/test_sealed_document.py
"""

import pytest

from bakeoff.study.compare import compare
from bakeoff.study.opening.sealed_document import to_json
from bakeoff.study.status import status
from tests.helpers.small import carry_out


@pytest.mark.usefixtures("jobs_in_process")
def test_a_rule_that_was_changed_makes_it_exploratory(npz, tmp_path):
    out = tmp_path / "study"
    carry_out(npz, out)
    assert not to_json(status(out))["exploratory"]
    carry_out(npz, out, options={"keep_sealed": True}, margin=0.3)
    assert to_json(status(out))["exploratory"]
    assert compare([out]).to_json()["exploratory"]


def test_it_has_the_shape_of_a_comparison_and_nothing_of_the_test_set(finished_study):
    document = to_json(status(finished_study))
    compared = compare([finished_study]).to_json()
    assert document.keys() == compared.keys()
    assert (document["comparisons"], document["findings"]) == ([], [])
    for model, known in zip(document["models"], compared["models"], strict=True):
        same = ("name", "seeds", "seconds_per_trial")
        assert [model[key] for key in same] == [known[key] for key in same]
        assert len(model["validation"]["accuracy"]) == len(model["seeds"])
        assert model["accuracy"]["mean"] is None
