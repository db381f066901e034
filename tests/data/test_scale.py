"""What white is: plain scales recognised, others asked for, parts on different scales refused.

Oracle: the same digits written on many scales give the same numbers in [0, 1]. Cost: 2 s.
Run: pytest tests/data/test_scale.py
"""

import re

import numpy as np
import pytest

from bakeoff.data import NpzSource, load
from bakeoff.data.scale import Reach, white
from bakeoff.errors import DataError
from tests.helpers.arrays import from_arrays


@pytest.fixture(scope="module")
def shades():
    """Return images in [0, 1] of sixteen shades and their labels."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 17, (60, 4, 4)) / 16
    images[::7] = 1
    return images, np.arange(60) % 3


@pytest.mark.parametrize(
    ("dtype", "factor"),
    [
        ("float32", 1),
        ("float64", 1.0000001),  # one rounding above 1
        ("float32", 255 / 254),
        ("float32", 16),  # scikit-learn's digits
        ("uint8", 16),
        ("uint8", 15),
        ("int64", 255),
        ("float32", 255),
        ("float16", 255),
        ("uint16", 1023),
        ("uint16", 4095),  # 12 bits in 16
        ("int32", 16383),
        ("uint16", 65535),
        (">u2", 65535),
    ],
)
def test_scales_are_recognised(shades, dtype, factor):
    images, labels = shades
    stored = images * factor
    stored = stored.round() if np.dtype(dtype).kind in "iu" else stored
    data = from_arrays("mine", stored.astype(dtype), labels)
    step = 0.5 / factor if np.dtype(dtype).kind in "iu" else 0.01
    np.testing.assert_allclose(data.images[..., 0] / data.maximum, images, atol=step)
    assert data.images.max() <= data.maximum


def test_black_and_white(shades):
    for dtype in (bool, np.uint8, np.int64, np.float32):
        data = from_arrays("mine", (shades[0] > 0.5).astype(dtype), shades[1])
        assert (data.maximum, data.images.max()) == (1, 1)


@pytest.mark.parametrize(
    ("dtype", "factor", "guess"),
    [
        ("float32", 1.3, "1.3"),  # brightened
        ("float32", 23.4, "255"),
        ("float32", 100.5, "255"),  # percent
        ("float32", 1 / 255, "0.00392157"),  # divided twice
        ("uint8", 40, "255"),
        ("uint8", 7, "15"),
        ("uint16", 300, "1023"),
        ("uint16", 30_000, "65535"),
    ],
)
def test_other_scales_are_asked_for(shades, dtype, factor, guess):
    images, labels = shades
    stored = (images * factor).astype(dtype)
    message = (
        "x: expected pixels on a plain scale (the largest near 1, 15, 16, 255, 1023, 4095, "
        f"16383 or 65535), found the largest {stored.max():g}: say what white is, as in "
        f"{{…, scale: {guess}}}"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        from_arrays("mine", stored, labels)
    double = 2 * float(stored.max())
    assert from_arrays("mine", stored, labels, scale=double).maximum == double


def test_a_stated_scale_must_hold(shades):
    with pytest.raises(DataError, match=r"^scale: expected at least the largest pixel, 1 in x, "):
        from_arrays("mine", *shades, scale=0.5)


def test_a_stated_scale_far_above_the_pixels_is_refused(shades):
    """The pictures were bytes once, and are divided already: all would be black."""
    message = (
        "scale: expected what is white in the pixels as they are stored, found 255, which makes "
        "the largest of them, 1 in x, black: say 1"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        from_arrays("mine", *shades, scale=255)


def test_faint_pictures_of_16_bits_may_be_said_to_be_so(shades):
    """A microscope's counts of up to 600: they were refused whatever the recipe said."""
    x, y = shades
    assert from_arrays("mine", (600 * x).astype(np.uint16), y, scale=65535).maximum == 65535
    with pytest.raises(DataError, match="which makes the largest of them, 255 in x, black: say"):
        from_arrays("mine", (255 * x).astype(np.uint8), y, scale=65535)
    for pixels, scale in ((x, 100), ((2 * x).astype(np.uint8), 255)):  # no 16 bits
        with pytest.raises(DataError, match="in x, black: say"):
            from_arrays("mine", pixels, y, scale=scale)


def test_parts_that_may_be_on_different_scales_are_noted(shades):
    x, y = shades
    only = "dark, or on another scale"
    assert from_arrays("mine", 255 * x, y, 127 * x, y).notes == (
        f"the largest pixel in x_test is 127 of 255: {only}",
    )
    assert from_arrays("mine", x / 2, y, x, y).notes == (
        f"the largest pixel in x_train is 0.5 of 1: {only}",
    )
    data = from_arrays("mine", 255 * x, y, x, y, scale=255)
    assert data.notes == (f"the largest pixel in x_test is 1 of 255: {only}",)


@pytest.mark.parametrize(
    ("train", "test", "said"),
    [
        (255.0, 1.0, "x_train reaches 255 and x_test 1"),
        (1.0, 255.0, "x_train reaches 1 and x_test 255"),
        (255.0, 16.0, "x_train reaches 255 and x_test 16"),
        (1.0, 1 / 255, "x_train reaches 1 and x_test 0.00392157"),
    ],
)
def test_parts_on_different_scales_are_refused(shades, train, test, said):
    x, y = shades
    with pytest.raises(DataError) as error:
        from_arrays("mine", x * train, y, x * test, y)
    assert f"expected all parts on one scale, found that {said}: " in str(error.value)


def test_bytes_and_floats_of_one_scale_fit(shades):
    x, y = shades
    data = from_arrays("mine", (255 * x).round().astype(np.uint8), y, 255 * x, y)
    assert (data.maximum, data.images.dtype, data.test_start) == (255, np.float32, 60)


def test_a_dark_part_may_be_stated(shades):
    x, y = shades
    data = from_arrays("mine", x * 255, y, x * 20, y, scale=255)
    assert data.maximum == 255


@pytest.mark.parametrize(
    ("low", "high", "cure"),
    [
        (-1, 1, "store (x + 1) / 2 instead"),
        (-0.8, 1.9, "store the images as they were before they were standardised"),
        (-0.76, 0.98, "store the images as they were before they were standardised"),
    ],
)
def test_negative_pixels(low, high, cure):
    with pytest.raises(DataError) as error:
        white({"x": Reach(low, high, whole=False)}, None)
    assert str(error.value) == f"x: expected pixels from 0 up, found {low:g} to {high:g}: {cure}"


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
@pytest.mark.parametrize("which", ["a class", "every third image"])
def test_images_of_one_part_on_different_scales_are_refused(shades, dtype, which):
    """A class that alone is still in [0, 1] is told from the others by that."""
    x, y = shades
    small = (y == 2) if which == "a class" else (np.arange(len(y)) % 3 == 1)
    mixed = np.where(small[:, None, None], (x > 0.5) * 1.0, np.maximum(255 * x, 3)).astype(dtype)
    faint = int((mixed.reshape(60, -1).max(axis=1) == 1).sum())
    message = (
        f"x: expected all images on one scale, found {faint} of 60 that reach at most 1, others "
        "255: scale them alike; if they are, and some are dark, say so: {…, scale: 255}"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        from_arrays("mine", mixed, y)
    assert from_arrays("mine", mixed, y, scale=255).maximum == 255


@pytest.mark.parametrize(("low", "high"), [(1, 16), (16, 255), (15, 255), (255, 1023), (255, 4095)])
def test_a_class_on_a_smaller_scale_is_refused(low, high):
    rng = np.random.default_rng(0)
    x, y = rng.random((90, 8, 8)), np.arange(90) % 3
    x[:, 0, 0] = rng.uniform(0.9, 1, 90)
    mixed = x * np.where(y == 2, low, high)[:, None, None]
    with pytest.raises(DataError, match="expected all images on one scale, found 30 of 90 that"):
        from_arrays("mine", mixed, y, x * high, y)


def test_dark_pictures_are_not_on_a_smaller_scale():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (300, 8, 8)) * rng.uniform(0.05, 1, (300, 1, 1))
    x[0] = 255
    assert from_arrays("mine", x.astype(np.uint8), np.arange(300) % 3).maximum == 255


def test_a_black_image_is_on_any_scale(shades):
    x, y = shades
    blank = np.where((y == 2)[:, None, None], 0, 255 * x)
    assert from_arrays("mine", blank, y).notes == ()


def test_notes_say_what_was_done(shades):
    x, y = shades
    assert from_arrays("mine", x, y).notes == ()
    assert from_arrays("mine", x * 16, y).notes == (
        "the largest pixel is 16: pixels are divided by 16",
    )
    percent = (x * 100).astype(np.uint8)
    assert from_arrays("mine", percent, y).notes == (
        "the largest pixel is 100, and white is taken to be 255: scale: says otherwise",
    )
    assert from_arrays("mine", x / 2, y).notes == (
        "the largest pixel is 0.5, and white is taken to be 1: scale: says otherwise",
    )


def test_an_npz_file_states_its_scale(shades, tmp_path):
    np.savez(tmp_path / "a.npz", x=(shades[0] * 40).astype(np.uint8), y=shades[1])
    assert load(NpzSource(tmp_path / "a.npz", scale=40)).maximum == 40
