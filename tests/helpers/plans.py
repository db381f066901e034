"""Models and recipes of them to plan; nothing is trained."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bakeoff import recipe as recipes
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.study.planning import plan as plans

MODELS: dict[str, Any] = {
    "line": {"layers": []},
    "cnn": {
        "layers": [
            {"conv2d": {"filters": 4, "kernel_size": 3, "kernel_regularizer": {"l2": 0.001}}},
            "batch_normalization",
            {"max_pooling2d": 2},
        ],
        "training": {"epochs": 4, "optimizer": {"sgd": {"momentum": 0.9, "nesterov": True}}},
    },
}


def recipe_of(models: Mapping[str, Any] = MODELS, **settings: Any) -> Recipe:
    """Return a recipe of these models on the digits, with three seeds."""
    mapping = {"name": "r", "data": "digits", "seeds": 3, "models": models, **settings}
    return recipes.parse(mapping, origin="r", folder=Path.cwd())


def model(*layers: Any, **others: Any) -> ModelRecipe:
    """Return a model of these layers, called cnn."""
    models = {"cnn": {"layers": list(layers), **others}}
    return recipe_of(models).models["cnn"]


def plan_for_a_known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plans be made for two cores of a CPU, of 10¹¹ operations a second."""
    monkeypatch.setattr(plans, "measured_rate", lambda: 1e11)
    monkeypatch.setattr(plans, "cores", lambda: 2)
    monkeypatch.setattr(plans, "default_device", lambda: "cpu")
