"""Gaussian noise against its definition.

Oracle: scipy's normal distribution. Run: pytest tests/training/layers/test_noise.py
"""

import numpy as np
import pytest
from scipy.stats import kstest, pearsonr

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.context import random_key
from bakeoff.training.layers.noise import GaussianNoise
from bakeoff.training.layers.replace import with_faster_layers

SHAPE = (64, 500)


def noise(*, stddev=0.3, seed=0, step=0, index=1):
    """What the layer adds to a batch."""
    with random_key(jax.random.fold_in(jax.random.key(seed), step)):
        return np.asarray(
            GaussianNoise(stddev, index=index)(np.zeros(SHAPE, np.float32), training=True)
        )


@pytest.mark.parametrize("stddev", [0.01, 0.3, 1.0])
def test_the_noise_is_normal_with_its_standard_deviation(stddev):
    added = noise(stddev=stddev).astype(np.float64).ravel()
    assert kstest(added / stddev, "norm").pvalue > 1e-4
    assert kstest(added / stddev, "norm", args=(0, 1.06)).pvalue < 1e-6  # the test can fail
    assert 3.5 < np.abs(added / stddev).max() < 5.4


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"step": 1}, {"index": 2}], ids=lambda other: next(iter(other))
)
def test_the_noise_of_another_seed_step_or_layer_is_independent(other):
    assert pearsonr(noise().ravel(), noise(**other).ravel()).pvalue > 1e-4


@pytest.mark.parametrize("lag", [1, 2, 4, 64, 500, 512])
def test_values_are_independent_of_each_other(lag):
    flat = noise().ravel()
    assert pearsonr(flat[lag:], flat[:-lag]).pvalue > 1e-4


def test_the_same_seed_step_and_layer_give_the_same_noise():
    np.testing.assert_array_equal(noise(), noise())


def test_noise_is_added_and_leaves_the_gradient_as_it_is():
    values = np.linspace(-1, 1, 32_000, dtype=np.float32).reshape(SHAPE)
    layer = GaussianNoise(0.3, index=1)
    with random_key(jax.random.fold_in(jax.random.key(0), 0)):
        np.testing.assert_allclose(layer(values, training=True), values + noise(), atol=1e-6)
        gradient = jax.grad(lambda given: layer(given, training=True).sum())(values)
    np.testing.assert_array_equal(gradient, np.ones(SHAPE))


@pytest.mark.parametrize(("stddev", "training"), [(0.3, False), (0.0, True)])
def test_nothing_is_added_outside_training_and_with_a_deviation_of_0(stddev, training):
    values = np.ones(SHAPE, np.float32)
    np.testing.assert_array_equal(GaussianNoise(stddev)(values, training=training), values)


def test_keras_s_layer_in_a_model_is_replaced():
    model = keras.Sequential([keras.Input((500,)), keras.layers.GaussianNoise(0.3)])
    (layer,) = with_faster_layers(model).layers
    assert isinstance(layer, GaussianNoise)
    assert layer.stddev == 0.3
    assert layer.index == 0
