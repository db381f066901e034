"""What training images look like, and what is unlike them.

Oracle: images that are plainly something else. Cost: 3 s with the suite's finished study.

Run: pytest tests/study/winner/test_training_profile.py
"""

import numpy as np
import pytest

from bakeoff.storage.split_file import read_split
from bakeoff.study.winner.training_profile import measure, read_profile
from tests.helpers.arrays import from_arrays


def test_what_is_unlike_training_and_how_often_that_is_wrong(result, test_part, rng):
    profile = read_profile(result.folder)
    images, _ = test_part
    assert profile.unlike(images).mean() < 0.08
    others = [16 - images[:50], np.zeros_like(images[:1]), np.full_like(images[:1], 16)]
    others.append(rng.integers(0, 17, (50, 8, 8, 1)).astype(np.uint8))
    assert all(profile.unlike(each).all() for each in others)
    wrong, among = profile.alarms.tolist()
    split = read_split(result.folder)
    assert among == len(split["validation"]) and wrong < 0.06 * among
    assert profile.false_alarms.startswith(f"{wrong:,} of {among:,} validation images (")


def test_few_images_do_not_call_most_others_strange(rng):
    """Of 30 images the limits would be those of 15, which every tenth of their kind passes."""
    pixels = rng.normal(120, 20, (400, 8, 8)).clip(0, 255) + rng.normal(0, 25, (400, 1, 1))
    data = from_arrays("mine", pixels.clip(0, 255).astype(np.uint8), np.arange(400) % 2)
    profile = measure(data, np.arange(30), np.arange(30, 400))
    assert profile.alarms[0] < 0.08 * 370
    assert profile.unlike(np.zeros((1, *data.input_shape), np.uint8)).all()


def test_nearest_training_images(result):
    profile = read_profile(result.folder)
    assert profile.nearest(profile.images[5], 3)[0] == 5


@pytest.mark.parametrize("shape", [(40, 4, 4), (40, 1, 1)])
def test_images_that_are_all_black_or_one_pixel_each(shape, rng):
    """What has nothing to measure gives no warning, and another image is unlike it."""
    pixels = np.zeros(shape, np.uint8) if shape[1] > 1 else rng.integers(90, 110, shape)
    data = from_arrays("mine", pixels, np.arange(40) % 2, scale=255)
    profile = measure(data, np.arange(30), np.arange(30, 40))
    assert np.isfinite(profile.strangeness(data.images)).all()
    assert profile.unlike(np.full((1, *data.input_shape), 255, np.uint8)).all()
