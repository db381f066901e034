"""The faster layers against Keras's own, values and gradients; dropout against its definition.

Oracle: keras.layers on JAX, with XLA's automatic derivatives; binomial counts for dropout.
Cost: about 45 s, nearly all of it compiling. Run: pytest tests/training/test_layers.py
"""

import numpy as np
import pytest
from scipy.stats import binom

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.context import random_key
from bakeoff.training.layers.convolution import Conv2D
from bakeoff.training.layers.dense import Dense
from bakeoff.training.layers.dropout import Dropout
from bakeoff.training.layers.pooling import AveragePooling2D, MaxPooling2D
from bakeoff.training.layers.replace import fuse_neighbours

jnp = jax.numpy


def gradients(layer, images):
    """The layer's output, and the gradients of images and weights for a fixed random cotangent."""
    weights = [variable.value for variable in layer.trainable_variables]

    @jax.jit
    def run(images, weights):
        def call(images, weights):
            return layer.stateless_call(weights, [], images)[0]

        output, back = jax.vjp(call, images, weights)
        pull = np.random.default_rng(5).standard_normal(output.shape, np.float32)
        return output, back(pull)

    return run(images, weights)


def agree(ours, theirs, images, *, atol=2e-5):
    for each in (ours, theirs):
        if not each.built:
            each.build(images.shape)
    ours.set_weights(theirs.get_weights())
    expected = jax.tree.leaves(gradients(theirs, images))
    found = jax.tree.leaves(gradients(ours, images))
    for each, other in zip(found, expected, strict=True):
        assert each.shape == other.shape
        scale = max(float(jnp.abs(other).max(initial=0)), 1)
        np.testing.assert_allclose(each, other, atol=atol * scale, rtol=1e-4)


CONVOLUTIONS = [
    # images, filters, window, strides, padding
    ((3, 9, 7, 2), 5, (3, 3), (1, 1), "valid"),
    ((3, 9, 7, 2), 5, (3, 3), (1, 1), "same"),
    ((1, 7, 8, 1), 3, (5, 2), (1, 1), "same"),
    ((2, 8, 8, 3), 4, (2, 4), (1, 1), "same"),
    ((2, 8, 8, 3), 4, (4, 4), (1, 1), "valid"),
    ((4, 5, 6, 3), 2, (1, 1), (1, 1), "valid"),
    ((4, 5, 6, 3), 2, (5, 6), (1, 1), "valid"),
    ((2, 11, 10, 2), 3, (3, 3), (2, 2), "valid"),
    ((2, 11, 10, 2), 3, (3, 3), (2, 2), "same"),
    ((2, 11, 10, 2), 3, (2, 3), (3, 1), "valid"),
    ((2, 11, 10, 2), 3, (3, 2), (1, 3), "same"),
    ((2, 10, 13, 1), 3, (1, 2), (3, 4), "same"),
    ((7, 28, 28, 1), 8, (5, 5), (1, 1), "valid"),
    ((5, 6, 6, 16), 24, (3, 3), (1, 1), "valid"),
    ((18, 7, 6, 40), 24, (3, 2), (1, 1), "same"),
    ((33, 7, 6, 32), 40, (3, 3), (2, 1), "same"),
]


@pytest.mark.parametrize("shape, filters, window, strides, padding", CONVOLUTIONS)
def test_convolution_is_keras(shape, filters, window, strides, padding, rng, kernels):
    images = rng.standard_normal(shape, np.float32)
    settings = {"strides": strides, "padding": padding, "bias_initializer": "random_normal"}
    agree(
        Conv2D(filters, window, **settings),
        keras.layers.Conv2D(filters, window, **settings),
        images,
    )


@pytest.mark.parametrize(
    "settings", [{"dilation_rate": 2}, {"groups": 2}], ids=["dilation", "groups"]
)
def test_convolution_that_is_not_replaced_is_keras(settings, rng):
    images = rng.standard_normal((2, 9, 9, 4), np.float32)
    agree(Conv2D(6, 3, **settings), keras.layers.Conv2D(6, 3, **settings), images)


DENSE = [
    # inputs, units, settings: weights below and above the size that tiles are used for
    ((7, 63), 64, {}),
    ((7, 64), 63, {}),
    ((7, 64), 64, {}),
    ((1, 100), 70, {"activation": "tanh"}),
    ((33, 200), 300, {"activation": "relu", "use_bias": False}),
    ((128, 784), 65, {"activation": "softmax"}),
    ((3, 5, 64), 64, {"activation": "relu"}),
]


@pytest.mark.parametrize("shape, units, settings", DENSE)
def test_dense_is_keras(shape, units, settings, rng, kernels):
    inputs = rng.standard_normal(shape, np.float32)
    ours, theirs = (kind(units, **settings) for kind in (Dense, keras.layers.Dense))
    agree(ours, theirs, inputs)


def test_dense_in_half_precision_is_keras(rng, kernels):
    inputs = rng.standard_normal((4, 80)).astype(np.float16)
    ours, theirs = (layer(70, dtype="float16") for layer in (Dense, keras.layers.Dense))
    expected = theirs(inputs)
    ours.build(inputs.shape)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_array_equal(ours(inputs), expected)


POOLINGS = [
    # images, window, strides, padding
    ((3, 8, 6, 2), (2, 2), None, "valid"),
    ((3, 9, 7, 2), (2, 2), None, "valid"),
    ((3, 9, 7, 2), (2, 2), None, "same"),
    ((2, 10, 11, 3), (3, 3), (2, 2), "valid"),
    ((2, 10, 11, 3), (3, 3), (2, 2), "same"),
    ((2, 9, 9, 1), (3, 2), (1, 3), "valid"),
    ((2, 9, 9, 1), (3, 2), (1, 3), "same"),
    ((2, 7, 8, 2), (2, 3), (3, 2), "valid"),
    ((2, 7, 8, 2), (1, 1), (2, 2), "same"),
    ((2, 5, 5, 4), (5, 5), (1, 1), "valid"),
    ((1, 6, 6, 2), (4, 3), (1, 1), "same"),
    ((2, 6, 6, 16), (2, 2), None, "valid"),
    ((2, 7, 6, 35), (3, 2), (2, 2), "same"),
]
POOLS = {
    "max": (MaxPooling2D, keras.layers.MaxPooling2D),
    "average": (AveragePooling2D, keras.layers.AveragePooling2D),
}


@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize("shape, window, strides, padding", POOLINGS)
def test_pooling_is_keras(kind, shape, window, strides, padding, rng, kernels):
    images = rng.standard_normal(shape, np.float32)
    ours, theirs = (pool(window, strides, padding) for pool in POOLS[kind])
    agree(ours, theirs, images)


@pytest.mark.parametrize("shape, window, strides, padding", POOLINGS)
def test_of_equal_pixels_the_first_gets_the_gradient_as_in_keras(
    shape, window, strides, padding, rng, kernels
):
    for images in (rng.integers(0, 3, shape).astype(np.float32), np.zeros(shape, np.float32)):
        pools = (pool(window, strides, padding) for pool in POOLS["max"])
        agree(*pools, images)


def test_of_three_equal_pixels_the_first_gets_the_whole_gradient(kernels):
    images = np.array([[1, 5, 5, 0], [2, 5, 0, 0]], np.float32).reshape(1, 2, 4, 1)
    layer = MaxPooling2D(2)
    gradient = jax.grad(lambda images: jnp.sum(layer(images) * np.array([3.0, 7.0])[:, None]))(
        images
    )
    np.testing.assert_array_equal(gradient[0, :, :, 0], [[0, 3, 7, 0], [0, 0, 0, 0]])


def test_pooling_keeps_what_is_no_number(rng, kernels):
    """A training that diverged must be seen to have."""
    images = rng.standard_normal((4, 4, 4, 17), np.float32)
    for number, (y, x) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        images[number, y, x] = np.nan
    pooled = np.asarray(MaxPooling2D(2)(images))
    assert np.isnan(pooled[:, 0, 0]).all()
    assert np.isnan(pooled).sum() == 4 * 17


CONVOLVED_AND_POOLED = [
    # activation, pooling, whether it may pool first
    ("relu", {"pool_size": 2}, True),
    ("tanh", {"pool_size": 3, "strides": 2, "padding": "same"}, True),
    (None, {"pool_size": 2}, True),
    ("elu", {"pool_size": (1, 2), "strides": 1}, True),
    ("gelu", {"pool_size": 2}, False),
    ("silu", {"pool_size": 2}, False),
]


@pytest.mark.parametrize("activation, pooling, expected", CONVOLVED_AND_POOLED)
@pytest.mark.parametrize("use_bias", [True, False])
def test_native_kernels_pool_before_an_activation_that_never_falls(
    activation, pooling, expected, use_bias, rng, kernels
):
    def stack(convolution, pool):
        settings = {"activation": activation, "use_bias": use_bias, "bias_initializer": "normal"}
        return keras.Sequential(
            [keras.Input((9, 10, 3)), convolution(18, 3, **settings), pool(**pooling)]
        )

    ours = fuse_neighbours(stack(Conv2D, MaxPooling2D))
    theirs = stack(keras.layers.Conv2D, keras.layers.MaxPooling2D)
    assert ours.layers[1].pooled is (expected and kernels == "native")
    agree(ours, theirs, rng.standard_normal((5, 9, 10, 3), np.float32))


@pytest.mark.parametrize("batch", [6, 1])
def test_layers_batched_over_seeds_are_the_layers_one_by_one(batch, rng):
    layers = (Conv2D(4, (3, 2), padding="same"), MaxPooling2D(3, 2), AveragePooling2D(2, 1))
    images = rng.standard_normal((3, batch, 7, 8, 2), np.float32)
    kernels = rng.standard_normal((3, 3, 2, 2, 4), np.float32)
    bias = np.zeros(4, np.float32)
    layers[0].build(images.shape[1:])

    def objective(kernel, images):
        values, _ = layers[0].stateless_call([kernel, bias], [], images)
        return jnp.sum(layers[2](layers[1](values)) ** 2)

    run = jax.value_and_grad(objective, (0, 1))
    together = jax.jit(jax.vmap(run))(kernels, images)
    alone = [jax.jit(run)(*each) for each in zip(kernels, images, strict=True)]
    for found, expected in zip(
        jax.tree.leaves(together), zip(*map(jax.tree.leaves, alone), strict=True), strict=True
    ):
        np.testing.assert_allclose(found, np.stack(expected), rtol=1e-4, atol=1e-4)


def test_gradients_inside_a_compiled_loop_repeat_bit_for_bit(rng):
    layer = Conv2D(6, 3)
    images = rng.standard_normal((4, 5, 9, 9, 3), np.float32)
    layer.build(images.shape[1:])
    weights = [variable.value for variable in layer.trainable_variables]

    def step(weights, images):
        def objective(weights):
            return jnp.mean(layer.stateless_call(weights, [], images)[0] ** 2)

        gradient = jax.grad(objective)(weights)
        return [w - 0.1 * s for w, s in zip(weights, gradient, strict=True)], None

    run = jax.jit(lambda weights, images: jax.lax.scan(step, weights, images)[0])
    for first, again in zip(run(weights, images), run(weights, images), strict=True):
        np.testing.assert_array_equal(first, again)


# ── dropout ──────────────────────────────────────────────────────────────────────────────────

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
