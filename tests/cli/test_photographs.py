"""Photographs told from drawings by their look. Oracle: what the pictures were made from; 1 s.

Run: pytest tests/cli/test_photographs.py
"""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from bakeoff.cli import photographs
from bakeoff.cli.photographs import look_like_photographs
from tests.helpers.arrays import from_arrays


def data(images):
    return from_arrays("some", np.stack(images).astype(np.uint8), np.arange(len(images)) % 2)


def patches(name, side, count, rng):
    """Pieces of a real photograph, grey, brought to `side`."""
    grey = Image.fromarray(load_sample_image(name)).convert("L")
    found = []
    for _ in range(count):
        left, top = rng.integers(0, 400), rng.integers(0, 220)
        piece = grey.crop((left, top, left + 200, top + 200))
        found.append(np.asarray(piece.resize((side, side)))[..., None])
    return found


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("low", "high"), [(0, 1), (100, 0.1)])
def test_grey_photographs_in_one_channel_or_three_and_pale_ones(name, channels, low, high, rng):
    images = [np.repeat(low + high * each, channels, -1) for each in patches(name, 64, 20, rng)]
    assert look_like_photographs(data(images))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("ground", ["black", "white", "paper"])
def test_strokes_on_a_ground(channels, ground, rng):
    images = []
    for number in range(20):
        pixels = np.zeros((64, 64))
        x, y = rng.integers(8, 40, 2)
        pixels[y : y + 20, x : x + 4] = pixels[y : y + 4, x : x + 18] = 200 + number
        pixels = pixels if ground == "black" else 255 - pixels
        noise = rng.normal(0, 4, (64, 64)) if ground == "paper" else 0
        images.append(np.repeat((pixels + noise).clip(0, 255)[..., None], channels, -1))
    assert not look_like_photographs(data(images))


def test_of_images_without_contrast_nothing_is_seen():
    assert not look_like_photographs(data([np.full((32, 32, 1), 255)] * 4))


def test_small_images_leave_nothing_to_see(rng):
    assert not look_like_photographs(data(patches("china.jpg", 31, 10, rng)))


def test_what_has_a_colour_is_a_photograph():
    images = [np.full((32, 32, 3), (200, 0, 0))] * 3
    assert look_like_photographs(data(images))


@pytest.mark.parametrize(("shape", "seen"), [((1000, 1200), (143, 172)), ((200, 64), (200, 64))])
def test_of_large_scans_a_part_of_the_pixels_is_looked_at(monkeypatch, shape, seen):
    """Two hundred of 1024×1024 took a quarter of a minute."""
    looked = []
    monkeypatch.setattr(photographs, "_ground", lambda image: looked.append(image.shape) or 1.0)
    look_like_photographs(data([np.full((*shape, 1), 255)] * 2))
    assert looked == [seen] * 2
