"""Dropout with cheap masks, against its definition: shares, scales, and no structure in the masks.

Oracle: binomial counts and spectra. Run: pytest tests/training/layers/test_dropout.py
"""

import numpy as np
import pytest
from scipy.stats import binom

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.context import dropping, random_key
from bakeoff.training.layers.dropout import Dropout, dropouts

jnp = jax.numpy

SHAPE = (64, 500)
N = SHAPE[0] * SHAPE[1]


def mask(*, rate=0.5, seed=0, step=0, index=1, shape=SHAPE):
    """Where the layer keeps a value."""
    key = jax.random.fold_in(jax.random.key(seed), step)
    with random_key(key):
        kept = Dropout(rate, index=index)(np.ones(shape, np.float32), training=True)
    return np.asarray(kept) > 0


def within_chance(count, n, chance):
    """Whether a binomial count lies in its central 99.999 %."""
    low, high = binom.interval(0.99999, n, chance)
    return low <= count <= high


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.25, 0.5, 0.9])
def test_dropout_drops_its_rate_and_scales_the_rest(rate):
    with random_key(jax.random.key(3)):
        out = np.asarray(Dropout(rate)(np.full(SHAPE, 2.0, np.float32), training=True))
    assert within_chance((out == 0).sum(), N, rate)
    np.testing.assert_allclose(out[out != 0], 2 / (1 - rate), rtol=1e-6)


def test_a_model_s_dropout_layers_drop_what_a_step_tells_them():
    inner = keras.Sequential([keras.Input((500,)), Dropout(0.25, index=2)])
    model = keras.Sequential([keras.Input((500,)), Dropout(0.5, index=1), Dropout(0.0), inner])
    assert [layer.index for layer in dropouts(model)] == [1, 2]
    told = [Dropout(rate).share for rate in (0.1, 0.4)]
    with random_key(jax.random.key(3)), dropping(told):
        out = np.asarray(model(np.ones(SHAPE, np.float32), training=True))
    assert within_chance((out != 0).sum(), N, 0.9 * 0.6)
    np.testing.assert_allclose(out[out != 0], 1 / (0.9 * 0.6), rtol=1e-6)
    assert Dropout(1.0).share == (2**32 - 1, np.inf)


def test_a_noise_shape_drops_whole_channels():
    shape = (40, 5, 6, 50)
    with random_key(jax.random.key(3)):
        layer = Dropout(0.5, noise_shape=(None, 1, 1, 50))
        out = np.asarray(layer(np.ones(shape, np.float32), training=True))
    np.testing.assert_array_equal(out, np.broadcast_to(out[:, :1, :1], shape))
    assert within_chance((out[:, 0, 0] == 0).sum(), 40 * 50, 0.5)


def test_a_layer_that_is_called_twice_drops_other_values():
    layer, values = Dropout(0.5), np.ones(SHAPE, np.float32)
    with random_key(jax.random.key(3)):
        one, other = (np.asarray(layer(values, training=True)) for _ in range(2))
    assert within_chance((one == other).sum(), N, 0.5)


def test_dropout_passes_the_gradient_where_it_passes_the_value():
    layer = Dropout(0.5)

    def total(values):
        with random_key(jax.random.key(3)):
            return jnp.sum(layer(values, training=True) * 3)

    gradient = np.asarray(jax.grad(total)(np.ones(SHAPE, np.float32)))
    with random_key(jax.random.key(3)):
        values = layer(np.ones(SHAPE, np.float32), training=True)
    np.testing.assert_array_equal(gradient, 3 * values)


def test_dropout_does_nothing_outside_training_or_at_rate_0():
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(Dropout(0.5)(values, training=False), values)
    np.testing.assert_array_equal(Dropout(0.0)(values, training=True), values)


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"step": 1}, {"index": 2}], ids=lambda o: next(iter(o))
)
def test_masks_of_another_seed_step_or_layer_are_independent(other):
    here, there = mask(), mask(**other)
    assert within_chance((here == there).sum(), N, 0.5)
    rows = (here == there).mean(axis=1)  # no row repeats, shifted or not
    assert np.abs(rows - 0.5).max() < 0.15


def test_the_same_seed_step_and_layer_give_the_same_mask():
    np.testing.assert_array_equal(mask(), mask())


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 8, 16, 32, 64, 100, 128, 256, 500, 512, 1024, 4096])
def test_masks_show_no_structure_along_rows_columns_and_powers_of_two(lag):
    flat = mask().reshape(-1)
    pairs = N - lag
    assert within_chance((flat[:-lag] == flat[lag:]).sum(), pairs, 0.5)


def test_rows_and_columns_of_a_mask_keep_their_share():
    kept = mask()
    for axis, n in ((0, SHAPE[0]), (1, SHAPE[1])):
        counts = kept.sum(axis=axis)
        assert all(within_chance(count, n, 0.5) for count in counts)
        spread = counts.var() / (n / 4)  # 1 for a binomial
        assert abs(spread - 1) < 6 * np.sqrt(2 / len(counts))
    spectrum = np.abs(np.fft.rfft2(kept - 0.5)) ** 2 / (N / 4)
    assert spectrum.max() < -np.log(1e-5 / spectrum.size)  # exponential with mean 1 each
