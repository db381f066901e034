"""Twins against a search of all pairs, and against planted ones; 4 s with MNIST, 1 s without.

Run: pytest tests/data/test_duplicates.py
"""

import numpy as np
import pytest

from bakeoff.data import Duplicates, count_across_folds, count_duplicates
from bakeoff.data.duplicates import NEAR
from bakeoff.data.split import Part, make_split


def brute_force(images, before, after):
    """Return (exact, near) pairs by the definition: every pair is looked at."""
    flat = images.reshape(len(images), -1).astype(float)
    contrast = abs(flat - flat.mean(axis=1, keepdims=True)).mean(axis=1)
    exact, near = {}, {}
    for later in after:
        distances = abs(flat[before] - flat[later]).mean(axis=1)
        if (distances == 0).any():
            exact[later] = before[distances == 0].min()
        limits = NEAR * np.minimum(contrast[before], contrast[later])
        if later not in exact and (distances <= limits).any():
            near[later] = before[np.where(distances <= limits, distances, np.inf).argmin()]
    return exact, near


def parts(n, rng):
    order = rng.permutation(n)
    return {
        "train": np.sort(order[: n // 2]),
        "validation": np.sort(order[n // 2 : 3 * n // 4]),
        "test": np.sort(order[3 * n // 4 :]),
    }


@pytest.mark.parametrize("shape", [(8, 8, 1), (3, 5, 3), (1, 1, 1), (28, 28, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_against_all_pairs(shape, dtype, rng):
    images = rng.integers(0, 255, (240, *shape)).astype(dtype)
    images[60:120] = images[:60]
    images[120:180] = images[:60] + rng.integers(0, 12, (60, *shape)).clip(max=255 - images[:60])
    split = parts(len(images), rng)
    found = count_duplicates(images, split)
    names = [(pair.earlier, pair.later) for pair in found.pairs]
    assert names == [("train", "validation"), ("train", "test"), ("validation", "test")]
    for pair in found.pairs:
        exact, near = brute_force(images, split[pair.earlier], split[pair.later])
        assert (pair.exact, pair.near) == (len(exact), len(near))
        assert pair.exact_examples == tuple((exact[key], key) for key in sorted(exact)[:5])
        assert [key for _, key in pair.near_examples] == sorted(near)[:5]
    assert found.exact == sum(pair.exact for pair in found.pairs) > 0
    assert found.near == sum(pair.near for pair in found.pairs)


def test_what_counts_as_near(digits):
    """The measure by hand: contrast 100, so a mean difference of 5 is near and one of 5.01 not."""
    black_and_white = np.tile(np.array([0, 200], np.uint8), 50).reshape(1, 10, 10, 1)
    near, far = black_and_white.astype(np.float32) + 5, black_and_white.astype(np.float32) + 5.01
    images = np.concatenate([black_and_white.astype(np.float32), near, far])
    twins = count_duplicates(images, {"train": np.array([0]), "test": np.array([1, 2])}).pairs[0]
    assert (twins.exact, twins.near, twins.near_examples) == (0, 1, ((0, 1),))


def test_digits_have_no_twins(digits):
    split = make_split(digits.labels, test_start=None, validation=0.2)
    found = count_duplicates(digits.images, split.parts())
    assert (found.exact, found.near) == (0, 0)


def test_empty_parts_are_left_out(digits):
    split = make_split(digits.labels, test_start=None, validation=0)
    pairs = count_duplicates(digits.images, split.parts()).pairs
    assert [(pair.earlier, pair.later) for pair in pairs] == [("train", "test")]
    assert Duplicates(()).exact == Duplicates(()).near == 0


def test_constant_images_are_no_trouble():
    images = np.zeros((3000, 4, 4, 1), np.uint8)
    images[1000:2000] = 255
    found = count_duplicates(images, {"train": np.arange(1500), "test": np.arange(1500, 3000)})
    assert (found.exact, found.near) == (1500, 0)
    assert found.pairs[0].exact_examples[0] == (1000, 1500)


def test_mnist(mnist):
    split = make_split(mnist.labels, test_start=mnist.test_start, validation=Part(12_000, "last"))
    found = count_duplicates(mnist.images, split.parts())
    assert [(pair.exact, pair.near) for pair in found.pairs] == [(0, 2), (0, 1), (0, 0)]
    assert found.pairs[1].near_examples == ((21101, 68586),)  # two straight ones


@pytest.mark.parametrize("repeats", [1, 3])
def test_folds_against_all_pairs(repeats, rng):
    """An image counts once where any copy of it lies in another fold, in any repeat."""
    images = rng.integers(0, 255, (90, 5, 5, 1)).astype(np.float32)
    images[10:20] = images[20:30] = images[:10]  # three copies
    images[40:60] = images[60:80] + 0.5  # pairs that are nearly alike
    tested = np.stack([rng.permutation(90) % 3 for _ in range(repeats)])
    exact, near = set(), set()
    for folds in tested:
        for image in range(90):
            pairs = brute_force(images, np.flatnonzero(folds != folds[image]), [image])
            exact |= pairs[0].keys()
            near |= pairs[1].keys()
    (pair,) = count_across_folds(images, tested).pairs
    assert (pair.exact, pair.near) == (len(exact), len(near - exact))
    assert (pair.earlier, pair.later) == ("train", "test")
    for kind, counted in ((pair.exact_examples, exact), (pair.near_examples, near - exact)):
        assert len(set(kind)) == 5
        for first, second in kind:
            assert first < second and {first, second} <= counted
            assert (tested[:, first] != tested[:, second]).any()


def test_both_of_two_copies_count(digits):
    """Two images that are one: each is tested by a network that was given the other."""
    images = np.concatenate([digits.images[:4], digits.images[:1]])
    apart, together = np.array([[0, 0, 1, 1, 1]]), np.array([[0, 1, 1, 0, 0]])
    (pair,) = count_across_folds(images, apart).pairs
    assert (pair.exact, pair.near, pair.exact_examples) == (2, 0, ((0, 4),))
    assert count_across_folds(images, together).exact == 0
    assert count_across_folds(images, np.concatenate([together, apart])).exact == 2
