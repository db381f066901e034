"""A recipe's training: defaults of the study, and what a model overrides.

Oracle: hand-written recipes. Cost: 1 s.

Run: pytest tests/recipe/parsing/test_parse_training.py
"""

import pytest

from bakeoff.recipe import (
    Optimizer,
)
from bakeoff.recipe.value_kinds import Misfit
from bakeoff.recipe.vocabulary.training import class_weights
from tests.helpers.refused_recipes import MLP, declare, refusal


def test_training_is_overridden_key_by_key():
    recipe = declare(
        training={"epochs": 7, "optimizer": {"adam": {"learning_rate": 0.01, "beta_1": 0.8}}},
        models={
            "a": MLP,
            "b": {**MLP, "training": {"batch_size": 64, "optimizer": {"adam": {"beta_2": 0.9}}}},
            "c": {**MLP, "training": {"epochs": 9, "optimizer": "sgd"}},
            "d": {**MLP, "training": {"optimizer": {"adam": 0.5}}},
            "e": {**MLP, "training": {"optimizer": "adam"}},
        },
    )
    a, b, c, d, e = (model.training for model in recipe.models.values())
    assert a == recipe.training == e
    assert (b.epochs, b.batch_size) == (7, 64)
    assert b.optimizer.arguments == {**a.optimizer.arguments, "beta_2": 0.9}
    assert b.optimizer.learning_rate == a.optimizer.learning_rate
    assert (c.epochs, c.batch_size, c.optimizer) == (9, 32, Optimizer(kind="sgd"))
    assert d.optimizer.arguments["beta_1"] == 0.8
    assert d.optimizer.learning_rates(1).tolist() == [0.5]


def test_phases_of_the_defaults_must_cover_the_epochs_of_each_model():
    phases = [{"epochs": 3, "constant": 0.1}]
    training = {"epochs": 3, "optimizer": {"sgd": {"learning_rate": phases}}}
    assert declare(training=training).training.epochs == 3
    models = {"a": MLP, "b": {**MLP, "training": {"epochs": 5}}}
    assert refusal(training=training, models=models) == (
        "recipe x.yaml, models.b.training.optimizer.sgd.learning_rate: expected phases for 5 "
        "epochs, found 3: leave epochs out of the last phase, and it runs to the end"
    )


@pytest.mark.parametrize(
    ("phases", "rest"),
    [
        (
            [{"constant": 0.1}, {"constant": 0.2}],
            "learning_rate[1]: only the last phase may leave out epochs",
        ),
        (
            [{"epochs": 5, "constant": 0.1}, {"constant": 0.2}],
            "learning_rate: expected epochs left for the last phase, found 5 of 5 taken by the "
            "phases before it: shorten them",
        ),
        (
            [{"epochs": 6, "constant": 0.1}],
            "learning_rate: expected phases for 5 epochs, found 6: shorten a phase",
        ),
        (
            [{"exponential": {"start": 1, "rate": 100}}],
            "learning_rate[1]: expected learning rates up to 1e+06, found 5.22e+173: give a "
            "smaller rate",
        ),
    ],
)
def test_phases_that_do_not_go_with_the_epochs(phases, rest):
    training = {"epochs": 5, "optimizer": {"adam": {"learning_rate": phases}}}
    place = "models.mlp.training.optimizer.adam"
    assert refusal(training=training) == f"recipe x.yaml, {place}.{rest}"


def test_averaging_needs_use_ema():
    lone = {"epochs": 3, "optimizer": {"adam": {"ema_momentum": 0.9}}}
    assert refusal(training=lone) == (
        "recipe x.yaml, models.mlp.training.optimizer.adam.ema_momentum: expected use_ema: true "
        "beside it, found none: ema_momentum alone averages nothing"
    )
    for use in (True, False):  # what one model says, or says otherwise than the others
        model = {**MLP, "training": {"optimizer": {"adam": {"use_ema": use}}}}
        recipe = declare(training=lone, models={"a": model})
        assert ("ema_momentum" in recipe.models["a"].training.optimizer.arguments) == use


def test_weights_of_classes_by_name():
    assert class_weights({"1.10": 3, "b": 0}, ("1.1", "1.10", "b")) == (1, 3, 0)
    assert class_weights("balanced", ("a", "b")) is None
    for given, message in (
        ({"c": 1}, "expected classes of the data (a, b), found 'c'"),
        (
            {"a": 0, "b": 0.0},
            "expected a class that weighs more than 0, found none: nothing is learned",
        ),
    ):
        with pytest.raises(Misfit) as caught:
            class_weights(given, ("a", "b"))
        assert str(caught.value) == message
    assert refusal(training={"class_weight": {3: 1, "3": 2}}) == (
        "recipe x.yaml, training.class_weight: expected different classes, found 3 twice"
    )
