"""Images known again: keys of what they were, and the share that two sets have in common.

Oracle: hashes by hand, and sets whose overlap is known. Cost: 1 s.
Run: pytest tests/data/test_source_images.py
"""

import hashlib

import numpy as np
import pytest

from bakeoff.data.dataset import DataSet
from bakeoff.data.source_images import (
    KEPT,
    content_key,
    image_keys,
    quick_keys,
    shared_images,
    smallest_keys,
)

ROWS = np.arange(3)


def data(images, maximum, origins=None):
    return DataSet(
        name="x",
        images=images,
        labels=np.arange(3) % 2,
        class_names=("a", "b"),
        maximum=maximum,
        test_start=None,
        origins=origins,
    )


def test_one_image_has_one_key_in_bytes_and_in_floats(rng):
    pixels = rng.integers(0, 256, (3, 4, 5, 1), dtype=np.uint8)
    expected = [int.from_bytes(hashlib.sha256(each.tobytes()).digest()[:8]) for each in pixels]
    assert image_keys(data(pixels, 255.0), ROWS).tolist() == expected
    floats = (pixels / 255).astype(np.float32)
    assert image_keys(data(floats, 1.0), ROWS).tolist() == expected
    assert image_keys(data(pixels, 255.0), ROWS[1:2]).tolist() == expected[1:2]


def test_where_the_source_is_known_it_counts_and_not_the_pixels():
    origins = np.array([content_key(each) for each in (b"a", b"b", b"c")])
    found = image_keys(data(np.zeros((3, 4, 5, 1), np.uint8), 255.0, origins), ROWS[::-1])
    assert found.tolist() == origins[::-1].tolist()


def test_the_smallest_keys_are_kept_once_each():
    keys = np.array([3, 1, 3, 2**64 - 1], np.uint64)
    assert smallest_keys(keys) == [f"{1:016x}", f"{3:016x}", "f" * 16]
    assert len(smallest_keys(np.arange(1000, dtype=np.uint64))) == KEPT


@pytest.mark.parametrize(("n", "other", "share"), [(100, 100, 0.5), (4000, 4000, 0.25)])
def test_the_share_that_two_sets_have_in_common(rng, n, other, share):
    both = round(n * share)
    pool = rng.integers(0, 2**64, n + other - both, dtype=np.uint64)
    one, two = smallest_keys(pool[:n]), smallest_keys(pool[n - both :])
    close = 0 if n <= KEPT else 0.1  # exact where all keys are kept, else an estimate
    assert shared_images(one, two) == pytest.approx(share, abs=close)
    assert shared_images(one, one) == 1
    assert shared_images([], two) == shared_images(one, []) == 0


@pytest.mark.parametrize("shape", [(4, 5, 1), (1, 7, 1), (28, 28, 1)])
def test_images_of_one_key_have_one_quick_key_and_others_another(rng, shape):
    pixels = rng.integers(0, 256, (2, *shape), dtype=np.uint8)
    pixels = pixels[[0, 1, 0]]
    for found in (data(pixels, 255.0), data((pixels / 255).astype(np.float32), 1.0)):
        first, second, again = quick_keys(found)
        assert first == again
        assert (first == second) == (np.prod(shape) < 8)  # too small to tell apart
    origins = np.arange(3, dtype=np.uint64)
    assert quick_keys(data(pixels, 255.0, origins)) is origins
