"""Random valid recipes, each trained for an epoch on digits.

Oracle: it works; the weights are as many as `shapes.describe` says without Keras; scores are
finite unless training diverged. Each week has recipes of its own, so that a week's runs find their
programs compiled by its first one. Cost: 10 s, the first time 20 s.
Run: pytest tests/training/test_random_recipes.py
"""

import datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings

from bakeoff.data import load
from bakeoff.recipe import dump
from bakeoff.recipe.architecture import describe
from bakeoff.training.predict import predict
from bakeoff.training.trainer import Development, Trainer
from tests.helpers.recipes_strategy import recipes

DIGITS = load("digits")
EXAMPLES = 20
WEEK = datetime.date.today().toordinal() // 7


# Softmax on one unit is a sad network, but a valid one.
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes ten minutes
)
@seed(WEEK)
@given(recipe=recipes())
def test_every_valid_recipe_trains(recipe):
    note(dump(recipe))
    model = next(iter(recipe.models.values()))
    cut = 0 if recipe.split.validation.amount == 0 else 40
    chosen = DIGITS.images[:150], DIGITS.labels[:150]
    held_out = DIGITS.images[150 : 150 + cut], DIGITS.labels[150 : 150 + cut]
    data = Development(*chosen, *held_out, DIGITS.maximum, DIGITS.n_classes)
    trainer = Trainer(model, data, seed=recipe.seeds[0], selection=recipe.selection)
    while not trainer.done:
        trainer.epoch()
    result = trainer.result()
    assert type(model).model_validate_json(model.model_dump_json()) == model  # what workers get
    plan = describe(model, (8, 8, 1), 10)
    assert result.parameters == plan.parameters
    assert result.trainable_parameters == plan.trainable_parameters
    assert len(result.history) == 1
    assert result.history[0].finite == (result.diverged_epoch is None)
    assert result.selected_epoch == (0 if result.diverged_epoch is None else None)
    assert all(np.isfinite(array).all() for array in result.weights.values())
    probabilities = predict(
        model, result.weights, DIGITS.images[:7], maximum=DIGITS.maximum, n_classes=10
    )
    assert probabilities.shape == (7, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (result.validation is None) == (cut == 0)
