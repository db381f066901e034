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
