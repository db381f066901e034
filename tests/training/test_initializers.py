"""Initial weights against Keras's own initializers: same limits, same spread; 10 s.

Run: pytest tests/training/test_initializers.py
"""

from threading import Thread

import numpy as np
import pytest

from bakeoff.training.backend import keras
from bakeoff.training.initializers import Drawn, draw, weights_set_later

NAMES = (
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "random_uniform",
    "random_normal",
    "truncated_normal",
)
SHAPES = ((300, 200), (3, 5, 40, 100), (60_000,))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_draws_have_the_spread_and_the_limits_of_keras(name, shape):
    ours = draw(name, shape, seed=1)
    theirs = np.asarray(keras.initializers.get(name)(shape))
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    spread = float(theirs.std())
    assert ours.mean() == pytest.approx(0, abs=0.02 * spread)
    assert ours.std() == pytest.approx(spread, rel=0.02)
    if name != "random_normal":
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.02)


def test_equal_seeds_agree_and_unequal_ones_differ():
    first, again, other = (Drawn("he_normal", seed)((4, 3)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_initializer_that_is_not_random_is_refused():
    with pytest.raises(
        ValueError, match="expected an initializer that draws at random, found ones"
    ):
        draw("ones", (2, 2), seed=0)


def test_weights_that_are_set_later_are_not_drawn():
    """But by another thread, meanwhile, and again afterwards, they are."""
    elsewhere = []

    def built():
        layers = [keras.layers.Dense(2, kernel_initializer=name) for name in NAMES]
        layers += [keras.layers.BatchNormalization(), keras.layers.Embedding(3, 2)]
        keras.Sequential([keras.Input((3,)), *layers[:-1]]), layers[-1].build()
        return [np.asarray(weight) for layer in layers for weight in layer.weights]

    with weights_set_later():
        here = built()
        thread = Thread(target=lambda: elsewhere.extend(built()))
        thread.start()
        thread.join()
    for zero, drawn, again in zip(here, elsewhere, built(), strict=True):
        assert zero.shape == drawn.shape == again.shape and zero.dtype == drawn.dtype
        constant = np.unique(drawn).size == 1
        np.testing.assert_array_equal(zero, drawn if constant else np.zeros_like(drawn))
        assert (np.unique(again).size == 1) == constant
    assert sum(each.any() for each in elsewhere) == len(NAMES) + 3  # gamma, a variance
