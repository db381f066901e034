"""The augmenting layers against Keras's own, given what was drawn; what they draw, and when.

Oracle: keras.layers' transform_images with the same angles, zooms and factors; geometry for crops
and cutout. Cost: 10 s. Run: pytest tests/training/layers/test_augmentation.py
"""

import numpy as np
import pytest

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers import augmentation
from bakeoff.training.layers.context import layer_key, random_key
from bakeoff.training.layers.image_shifts import RandomFlip, RandomTranslation

LAYERS = {
    "flip": lambda **index: RandomFlip("horizontal_and_vertical", **index),
    "translation": lambda **index: RandomTranslation(0.3, 0.3, **index),
    "rotation": lambda **index: augmentation.RandomRotation(0.2, **index),
    "zoom": lambda **index: augmentation.RandomZoom(0.3, 0.2, **index),
    "contrast": lambda **index: augmentation.RandomContrast(0.5, **index),
    "brightness": lambda **index: augmentation.RandomBrightness(0.3, **index),
    "crop": lambda **index: augmentation.RandomCrop(5, 6, **index),
    "cutout": lambda **index: augmentation.Cutout(3, **index),
}
SAMPLING = [
    {"fill_mode": fill_mode, "interpolation": interpolation, "fill_value": 0.3}
    for fill_mode in ("constant", "nearest", "reflect", "wrap")
    for interpolation in ("nearest", "bilinear")
]


@pytest.fixture
def images(rng):
    return rng.random((6, 9, 8, 3), np.float32)


def called(layer, images, *, seed=0):
    with random_key(jax.random.key(seed)):
        return np.asarray(layer(images, training=True))


@pytest.mark.parametrize("sampling", SAMPLING, ids=str)
def test_rotation_is_keras(sampling, images):
    theirs = keras.layers.RandomRotation(0.4, **sampling)
    drawn = theirs.get_random_transformation(images, seed=3)
    angles = np.deg2rad(drawn["angle"])
    assert np.ptp(angles) > 0.5
    expected = theirs.transform_images(images, drawn)
    found = augmentation.rotate(images, angles, **sampling)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("sampling", SAMPLING, ids=str)
def test_zoom_is_keras(sampling, images):
    theirs = keras.layers.RandomZoom(0.5, 0.4, **sampling)
    drawn = theirs.get_random_transformation(images, seed=3)
    heights, widths = (np.asarray(drawn[f"{side}_zoom"])[:, 0] for side in ("height", "width"))
    assert heights.min() < 1 < heights.max()
    expected = theirs.transform_images(images, drawn)
    found = augmentation.zoom(images, heights, widths, **sampling)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_zoom_without_a_width_factor_keeps_proportions():
    square = np.zeros((20, 21, 21, 1), np.float32)
    square[:, 5:16, 5:16] = 1
    zoomed = called(augmentation.RandomZoom(0.3), square)
    np.testing.assert_allclose(zoomed, zoomed.transpose(0, 2, 1, 3), atol=1e-5)
    assert np.ptp(zoomed.sum(axis=(1, 2, 3))) > 20


def test_contrast_and_brightness_are_keras(images):
    shape = (len(images), 1, 1, 1)
    with random_key(jax.random.key(0)):
        key = layer_key(0)
    factors = jax.random.uniform(key, shape, np.float32, 0.5, 1.5)
    added = jax.random.uniform(key, shape, np.float32, -0.3, 0.3)
    assert factors.min() < 1 < factors.max()
    contrast = keras.layers.RandomContrast(0.5, value_range=(0, 1))
    expected = contrast.transform_images(images, {"contrast_factor": factors})
    np.testing.assert_allclose(called(LAYERS["contrast"](), images), expected, atol=1e-6)
    brightness = keras.layers.RandomBrightness(0.3, value_range=(0, 1))
    expected = brightness.transform_images(images, {"rgb_delta": added})
    np.testing.assert_allclose(called(LAYERS["brightness"](), images), expected, atol=1e-6)


def test_crops_are_windows_from_places_of_their_own(images):
    layer = LAYERS["crop"]()
    places = set()
    for image, crop in zip(images, called(layer, images), strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(image, (5, 6, 3))[:, :, 0]
        found = np.argwhere((windows == crop).all(axis=(2, 3, 4)))
        assert len(found) == 1
        places.add(tuple(found[0].tolist()))
    assert len(places) > 1
    np.testing.assert_array_equal(layer(images, training=False), images[:, 2:7, 1:7])


def test_cutout_fills_a_square_cut_off_at_the_edge():
    images = np.ones((500, 9, 8, 2), np.float32)
    cut = called(augmentation.Cutout(3, 0.25), images)
    filled = cut[..., 0] == 0.25
    np.testing.assert_array_equal(filled, cut[..., 1] == 0.25)
    assert ((cut == 0.25) | (cut == 1)).all()
    rows, columns = filled.any(axis=2), filled.any(axis=1)
    np.testing.assert_array_equal(filled, rows[:, :, None] & columns[:, None, :])
    for sides in (rows, columns):
        widths = sides.sum(axis=1)
        assert set(widths) == {2, 3}  # centred on an edge pixel, one of three is outside
        assert ((sides[:, 1:] != sides[:, :-1]).sum(axis=1) <= 2).all()  # in one piece
    share = filled.mean(axis=0)  # every pixel's turn comes
    assert share.min() > 0.02 and share.max() < 0.25


@pytest.mark.parametrize("kind", LAYERS)
def test_draws_follow_from_key_and_index_and_only_in_training(kind, images):
    layer, other = LAYERS[kind](index=2), LAYERS[kind](index=3)
    first = called(layer, images)
    np.testing.assert_array_equal(first, called(layer, images))
    assert (first != called(layer, images, seed=1)).any()
    assert (first != called(other, images)).any()
    assert first.shape == ((6, 5, 6, 3) if kind == "crop" else images.shape)
    scored = np.asarray(layer(images, training=False))
    if kind != "crop":
        np.testing.assert_array_equal(scored, images)
    each = np.asarray([np.abs(one - image).sum() for one, image in zip(first, scored, strict=True)])
    assert len(set(each.round(3))) > 2  # every image has its own draw


def test_pixels_stay_in_range(images):
    for kind in ("contrast", "brightness", "rotation", "zoom", "translation"):
        out = called(LAYERS[kind](), images)
        assert out.min() >= 0 and out.max() <= 1 + 1e-6


def test_rotation_and_zoom_draw_evenly_over_the_range_they_were_given(monkeypatch):
    told = []

    def tell(images, *drawn, **_):
        told.extend(np.asarray(each) for each in drawn)
        return images

    for name in ("rotate", "zoom"):
        monkeypatch.setattr(augmentation, name, tell)
    images = np.zeros((4000, 2, 2, 1), np.float32)
    called(augmentation.RandomRotation((-0.1, 0.2)), images)
    called(augmentation.RandomZoom((-0.1, 0.3), (0.2, 0.4)), images)
    ranges = [(-0.2 * np.pi, 0.4 * np.pi), (0.9, 1.3), (1.2, 1.4)]
    for drawn, (low, high) in zip(told, ranges, strict=True):
        wide = high - low
        assert low - 1e-6 <= drawn.min() < low + 0.01 * wide
        assert high - 0.01 * wide < drawn.max() <= high + 1e-6
        quarters = low + wide * np.array([0.25, 0.5, 0.75])
        np.testing.assert_allclose(
            np.quantile(drawn, [0.25, 0.5, 0.75]), quarters, atol=0.05 * wide
        )
    assert np.abs(np.corrcoef(told[1], told[2])[0, 1]) < 0.1
