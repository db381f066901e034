"""The learning rate of every epoch.

Oracle: hand arithmetic, and the schedules of a notebook. Cost: 1 s.

Run: pytest tests/recipe/test_learning_rate.py
"""

import math

import numpy as np

from bakeoff.recipe import (
    load,
)
from tests.helpers.refused_recipes import declare


def rates(learning_rate, epochs):
    training = {"epochs": epochs, "optimizer": {"adam": {"learning_rate": learning_rate}}}
    recipe = declare(training=training)
    return recipe.models["mlp"].training.optimizer.learning_rates(epochs)


def test_the_schedules_of_notebook_003():
    models = load("notebook-003").models
    k = np.arange(50)
    mlp = np.where(k < 10, 0.0005, 0.0005 * np.exp(0.1 * (10 - k)))
    read = models["fashion-mlp"].training.optimizer.learning_rates(50)
    np.testing.assert_allclose(read, mlp, rtol=1e-12)
    k = np.arange(15)
    cnn = np.where(k <= 5, 0.0005 * np.exp(0.2 * (5 - k)), 0.0005)
    read = models["fashion-cnn"].training.optimizer.learning_rates(15)
    np.testing.assert_allclose(read, cnn, rtol=1e-6)
    assert read.dtype == np.float64


def test_linear_and_cosine_reach_their_end_in_the_last_epoch():
    linear = rates([{"linear": {"start": 0.5, "end": 0.1}}], 5)
    np.testing.assert_allclose(linear, [0.5, 0.4, 0.3, 0.2, 0.1])
    cosine = rates([{"cosine": {"start": 1, "end": 0}}], 5)
    half = math.sqrt(0.5)
    np.testing.assert_allclose(cosine, [1, (1 + half) / 2, 0.5, (1 - half) / 2, 0], atol=1e-15)
    assert cosine[-1] == 0
    assert rates([{"linear": {"start": 0.5, "end": 0.1}}], 1).tolist() == [0.1]


def test_every_phase_counts_from_its_own_start():
    phases = [
        {"epochs": 2, "exponential": {"start": 1, "rate": -1}},
        {"epochs": 2, "linear": {"start": 0.2, "end": 0}},
        {"constant": 0.3},
    ]
    np.testing.assert_allclose(rates(phases, 6), [1, math.exp(-1), 0.2, 0, 0.3, 0.3])
