"""Plans against parameter counts worked out by hand, and refusals; under 3 s.

Run: pytest tests/study/planning/test_plan.py
"""

import json

import pytest

from bakeoff.cli import main
from bakeoff.errors import DataError, RecipeError
from bakeoff.study.planning import plan as plans
from tests.helpers.plans import plan_for_a_known_machine, recipe_of


@pytest.fixture(autouse=True)
def _a_known_machine(monkeypatch):
    plan_for_a_known_machine(monkeypatch)


def test_the_json_document(capsys):
    assert main(["plan", "digits", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["study"] == "digits"
    assert document["trials"] == 20
    assert {model["name"]: model["parameters"] for model in document["models"]} == {
        "small-mlp": 64 * 16 + 16 + 16 * 10 + 10,
        "mlp": 64 * 64 + 64 + 64 * 32 + 32 + 32 * 10 + 10,
        "regularised-mlp": 64 * 64 + 64 + 4 * 64 + 64 * 10 + 10,
        "cnn": 9 * 16 + 16 + 9 * 16 * 32 + 32 + 2 * 2 * 32 * 10 + 10,
    }
    assert [len(model["learning_rates"]) for model in document["models"]] == [100] * 4
    assert document["estimate"]["seconds"] > 0
    assert document["models"][0]["layers"][0]["added"] is True


def test_a_longer_training_takes_longer_and_more_memory_where_there_is_more():
    short, long = (
        plans.plan(recipe_of({"m": {"layers": layers}}, training={"epochs": epochs}))
        for layers, epochs in (([], 1), ([{"dense": 1000}], 50))
    )
    assert long.seconds > short.seconds
    assert long.models[0].seconds > 50 * short.models[0].seconds
    assert long.memory > short.memory


def test_what_a_run_would_refuse_is_refused(tmp_path):
    pooled = {"m": {"layers": [{"max_pooling2d": 8}, {"max_pooling2d": 2}]}}
    with pytest.raises(
        RecipeError, match="max_pooling2d 2 after a 1×1 feature map in layer 2 of m"
    ):
        plans.plan(recipe_of(pooled))
    with pytest.raises(DataError, match="expected fewer than the 1,437 images that remain"):
        plans.plan(recipe_of(split={"validation": 2000}))
    with pytest.raises(RecipeError, match="found no file"):
        plans.plan(recipe_of({"m": {"python": f"{tmp_path}/no.py:build"}}))
