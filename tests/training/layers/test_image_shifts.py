"""Flips and translations. Oracle: Keras's own layers, given the same draws; NumPy's rolls."""

import numpy as np
import pytest

from bakeoff.recipe import parse
from bakeoff.training.backend import jax, keras
from bakeoff.training.build_model import build
from bakeoff.training.layers.context import random_key
from bakeoff.training.layers.image_shifts import RandomFlip, RandomTranslation, flip, translate

RNG = np.random.default_rng(0)
IMAGES = RNG.random((40, 9, 7, 2), np.float32)


def moved_by_keras(images, shifts, **settings):
    layer = keras.layers.RandomTranslation(1.0, 1.0, **settings)
    draws = {"translations": shifts[:, ::-1], "input_shape": images.shape}
    return np.asarray(layer.transform_images(images, draws))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("fill_mode", ["reflect", "wrap", "constant", "nearest"])
def test_translations_are_those_of_keras(fill_mode, interpolation):
    settings = {"fill_mode": fill_mode, "interpolation": interpolation, "fill_value": 0.25}
    shifts = RNG.uniform(-9, 9, (len(IMAGES), 2)).astype(np.float32)
    shifts[0] = 0
    shifts[1] = 2, -3
    ours = np.asarray(translate(IMAGES, shifts, **settings))
    np.testing.assert_allclose(ours, moved_by_keras(IMAGES, shifts, **settings), atol=1e-4)
    np.testing.assert_allclose(ours[0], IMAGES[0], atol=1e-6)


def test_a_shift_goes_down_and_to_the_right():
    shifts = np.float32([[2, 1]])
    settings = {"fill_mode": "wrap", "interpolation": "bilinear", "fill_value": 0.0}
    moved = np.asarray(translate(IMAGES[:1], shifts, **settings))
    np.testing.assert_allclose(moved, np.roll(IMAGES[:1], (2, 1), (1, 2)), atol=1e-6)


def test_a_flip_flips_only_the_chosen():
    chosen = np.arange(len(IMAGES)) % 2 == 0
    flipped = np.asarray(flip(IMAGES, chosen, 2))
    np.testing.assert_array_equal(flipped[1::2], IMAGES[1::2])
    np.testing.assert_array_equal(flipped[::2], IMAGES[::2, :, ::-1])


@pytest.mark.parametrize(
    ("mode", "axes"),
    [
        ("horizontal", [(2,)]),
        ("vertical", [(1,)]),
        ("horizontal_and_vertical", [(1,), (2,), (1, 2)]),
    ],
)
def test_a_random_flip_flips_half_along_each_of_its_axes(mode, axes):
    images = np.broadcast_to(IMAGES[:1], (2000, *IMAGES.shape[1:]))
    with random_key(jax.random.key(0)):
        out = np.asarray(RandomFlip(mode)(images, training=True))
    kinds = [(), *axes]
    counts = [int((out == np.flip(IMAGES[:1], each)).all(axis=(1, 2, 3)).sum()) for each in kinds]
    assert sum(counts) == len(images)
    np.testing.assert_allclose(np.array(counts) / len(images), 1 / len(kinds), atol=0.05)


def test_a_random_translation_draws_evenly_up_to_its_factors():
    columns = np.broadcast_to(
        np.arange(20, dtype=np.float32)[None, None, :, None], (4000, 10, 20, 1)
    )
    layer = RandomTranslation(0.0, 0.2, fill_mode="nearest")
    with random_key(jax.random.key(1)):
        out = np.asarray(layer(columns, training=True))
    shifts = 10 - out[:, 0, 10, 0]
    np.testing.assert_array_equal(out[:, 0], out[:, 9])
    assert -4 <= shifts.min() < -3.9 < 3.9 < shifts.max() <= 4
    np.testing.assert_allclose(np.quantile(shifts, [0.25, 0.5, 0.75]), [-2, 0, 2], atol=0.2)


@pytest.mark.parametrize("layer", [RandomFlip("horizontal"), RandomTranslation(0.3, 0.3)])
def test_nothing_is_drawn_outside_training(layer):
    np.testing.assert_array_equal(layer(IMAGES, training=False), IMAGES)


def test_another_key_or_index_draws_anew_and_the_same_does_not():
    def drawn(key, index):
        with random_key(jax.random.key(key)):
            return np.asarray(RandomTranslation(0.3, 0.3, index=index)(IMAGES, training=True))

    np.testing.assert_array_equal(drawn(0, 1), drawn(0, 1))
    assert np.abs(drawn(0, 1) - drawn(0, 2)).max() > 0.1
    assert np.abs(drawn(0, 1) - drawn(1, 1)).max() > 0.1


def test_a_users_own_keras_layers_are_replaced(tmp_path):
    builder = tmp_path / "net.py"
    builder.write_text(
        "import keras\n"
        "def net(shape, n):\n"
        "    return keras.Sequential([keras.Input(shape), keras.layers.RandomFlip('horizontal'),\n"
        "        keras.layers.RandomTranslation((-0.1, 0.2), 0.1, fill_mode='constant'),\n"
        "        keras.layers.Flatten(), keras.layers.Dense(n, activation='softmax')])\n"
    )
    raw = {"name": "own", "data": "digits", "models": {"own": {"python": f"{builder}:net"}}}
    recipe = parse(raw, origin="a test", folder=tmp_path)
    flips, translation = build(recipe.models["own"], (8, 8, 1), 10, seed=0).layers[:2]
    assert type(flips) is RandomFlip and flips.mode == "horizontal"
    assert type(translation) is RandomTranslation and translation.fill_mode == "constant"
    assert (translation.height_lower, translation.height_upper) == (-0.1, 0.2)
    assert flips.index != translation.index
