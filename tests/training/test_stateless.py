"""A model as a function of its variables: their order, and dropout that is off.

Oracle: the order that Keras's `stateless_call` takes, and hand arithmetic. Cost: 1 s.
Run: pytest tests/training/test_stateless.py
"""

import numpy as np
import pytest

from bakeoff.training.backend import keras
from bakeoff.training.stateless import stateless_predict, training_argument, values, variables

L = keras.layers


class Untold(keras.Model):
    """Its call does not ask whether it trains."""

    def __init__(self):
        super().__init__()
        self.double = L.Rescaling(2.0)

    def call(self, inputs):
        return self.double(inputs)


@pytest.fixture
def network():
    return keras.Sequential([keras.Input((2,)), L.BatchNormalization(), L.Dropout(0.5), L.Dense(1)])


def test_trainable_variables_come_first(network):
    trainable, others = values(network)
    assert [each.shape for each in trainable] == [(2,), (2,), (2, 1), (1,)]
    assert [each.value for each in variables(network)][: len(trainable)] == trainable
    assert len(variables(network)) == len(trainable) + len(others)


def test_a_model_predicts_with_the_values_that_it_is_given(network):
    trainable = [np.ones(2), np.zeros(2), np.array([[1.0], [10.0]]), np.array([100.0])]
    others = [np.zeros_like(each) for each in values(network)[1]]
    others[1] = np.full(2, 1 - network.layers[0].epsilon)  # a variance of 1
    found = stateless_predict(network, trainable, others, np.array([[1.0, 2.0]], np.float32))
    np.testing.assert_allclose(found, [[121.0]], rtol=1e-6)


def test_a_model_that_does_not_ask_is_not_told():
    model = Untold()
    model(np.ones((1, 2), np.float32))
    assert training_argument(model, training=True) == {}
    found = stateless_predict(model, *values(model), np.ones((1, 2), np.float32))
    assert found.tolist() == [[2.0, 2.0]]
