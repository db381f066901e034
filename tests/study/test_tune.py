"""Searching the choices that a recipe leaves open.

Oracle: whole lines. Cost: 1 s.

Run: pytest tests/study/test_tune.py
"""

import pytest

from bakeoff.errors import RecipeError
from bakeoff.study.tune import tune
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
