"""What a run takes: every part of it counts. Oracle: sums by hand; 2 s.

Run: pytest tests/study/planning/test_estimate.py
"""

import pytest

from bakeoff.data import load
from bakeoff.study.create import load_split
from bakeoff.study.planning import estimate
from bakeoff.study.planning import plan as plans
from bakeoff.study.planning.cost import COMPILING, baseline_seconds
from tests.helpers.plans import recipe_of

RATE = 1e11
FOLDS = {"split": {"folds": 5, "repeats": 3}, "seeds": None}
LINE = {"m": {"layers": []}}


@pytest.fixture(autouse=True)
def _a_known_machine(monkeypatch):
    monkeypatch.setattr(plans, "measured_rate", lambda: RATE)
    monkeypatch.setattr(plans, "cores", lambda: 1)


def seconds(recipe):
    data, split = load_split(recipe)
    return estimate.run_seconds(recipe, data, split, networks=[2.0], workers=1, rate=RATE)


@pytest.mark.parametrize(("settings", "fits"), [({}, 1), (FOLDS, 5)])
def test_a_baseline_is_fitted_once_or_for_each_fold(settings, fits):
    none, both = (recipe_of(LINE, baselines=b, **settings) for b in ([], ["majority", "logistic"]))
    _, split = load_split(none)
    one = 3_000 * 64 * 10 * len(split.train) / RATE
    assert seconds(both) - seconds(none) == pytest.approx(fits * one)


def test_what_cross_validation_ships_is_trained_too(monkeypatch):
    monkeypatch.setattr(estimate, "trial_seconds", lambda *_, images, validation, rate: images)
    models = {"m": {"layers": []}, "n": {"layers": [{"dense": 4}]}}
    recipe = recipe_of(models, baselines=[], **FOLDS)
    data, split = load_split(recipe)
    found = estimate.run_seconds(recipe, data, split, networks=[2, 4], workers=1, rate=RATE)
    trained = 15 * (2 + 4) + 2 * COMPILING / RATE + estimate.START / RATE
    assert found == pytest.approx(trained + COMPILING / RATE + 1797)


def test_the_majority_class_takes_no_time():
    data = load("digits")
    assert baseline_seconds("majority", data, 1000) == 0 < baseline_seconds("logistic", data, 1000)


def test_a_search_takes_the_memory_of_its_largest_setting():
    def memory(units):
        models = {"m": {"layers": [{"dense": {"units": units}}]}}
        search = {"search": {"settings": 4, "sampler": "random"}} if isinstance(units, dict) else {}
        return plans.plan(recipe_of(models, **search)).memory

    assert memory({"whole": [10, 5000]}) == memory({"choice": [5000, 10, 100]}) == memory(5000)
