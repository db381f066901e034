"""Splits against what a partition is and hand arithmetic; 2 s.

Run: pytest tests/data/test_split.py
"""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakeoff.data.split import Part, Split, make_split, stratified_counts
from bakeoff.errors import DataError

LABELS = np.arange(100) % 10


def sizes(split):
    return [len(part) for part in split.parts().values()]


def test_digits(digits):
    split = make_split(digits.labels, test_start=None, validation=0.2)
    assert sizes(split) == [1149, 288, 360]  # ⌈0.2 · 1797⌉ = 360, ⌈0.2 · 1437⌉ = 288
    counts = np.bincount(digits.labels[split.test])
    expected = 360 * np.bincount(digits.labels) / 1797
    assert (abs(counts - expected) < 1).all()
    assert split.hash == "7c6ebd9f75bf65acfbe0b4d010fbb39abff90c2416c2daa6df5d1e080733b9d5"


def test_mnist_parts_of_the_notebooks(mnist):
    last = make_split(mnist.labels, test_start=mnist.test_start, validation=Part(0.2, "last"))
    first = make_split(mnist.labels, test_start=mnist.test_start, validation=Part(5000, "first"))
    assert sizes(last) == [48000, 12000, 10000]
    assert sizes(first) == [55000, 5000, 10000]
    np.testing.assert_array_equal(last.validation, np.arange(48000, 60000))
    np.testing.assert_array_equal(first.validation, np.arange(5000))
    np.testing.assert_array_equal(first.test, np.arange(60000, 70000))


@given(
    labels=st.lists(st.integers(0, 5), min_size=30, max_size=120),
    own_test=st.booleans(),
    validation=st.one_of(
        st.integers(0, 9),
        st.floats(0.01, 0.6),
        st.integers(0, 9).map(lambda n: Part(n, "first")),
        st.floats(0.01, 0.6).map(lambda share: Part(share, "last")),
    ),
    seed=st.integers(0, 2**64),
)
def test_every_image_is_in_one_part(labels, own_test, validation, seed):
    labels = np.array([*labels, *labels])
    test_start = len(labels) - 7 if own_test else None
    options = dict(test_start=test_start, validation=validation, test=0.3, seed=seed)
    try:
        split = make_split(labels, **options)
    except DataError as error:  # the first or last images may be all there are of a class
        assert "expected training images of every class" in str(error)
        return
    parts = list(split.parts().values())
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    for part in parts:
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()
    assert len(split.train)
    if not own_test:
        assert len(split.test) == math.ceil(round(0.3 * len(labels), 9))
    assert make_split(labels, **options).hash == split.hash


@given(sizes=st.lists(st.integers(0, 40), min_size=1, max_size=9), data=st.data())
def test_stratified_counts(sizes, data):
    total = data.draw(st.integers(0, max(sum(sizes) - 1, 0)))
    counts = stratified_counts(sizes, total)
    assert counts.sum() == total
    assert (counts <= sizes).all()
    present = np.array(sizes) > 0
    if total <= sum(sizes) - present.sum():  # possible, so every class keeps one image
        assert (counts[present] < np.array(sizes)[present]).all()


def test_largest_remainder_by_hand():
    # 4 · (50, 30, 20) / 100 = 2.0, 1.2, 0.8: the last image goes to the third class
    np.testing.assert_array_equal(stratified_counts([50, 30, 20], 4), [2, 1, 1])
    # 3 · (2, 2, 2) / 6 = 1, 1, 1
    np.testing.assert_array_equal(stratified_counts([2, 2, 2], 3), [1, 1, 1])
    # 9 · (10, 1) / 11 = 8.18, 0.82: the second class would be used up and keeps its image
    np.testing.assert_array_equal(stratified_counts([10, 1], 9), [9, 0])


def test_seeds_agree_and_differ():
    splits = [make_split(LABELS, test_start=None, validation=0.2, seed=seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(splits[0].test, splits[1].test)
    assert (splits[0].test != splits[2].test).any()
    assert splits[0].hash == splits[1].hash != splits[2].hash


def test_the_test_part_does_not_depend_on_validation():
    splits = [
        make_split(LABELS, test_start=None, validation=validation)
        for validation in (0, 0.5, 7, Part(3, "first"), Part(0.1, "last"))
    ]
    for split in splits[1:]:
        np.testing.assert_array_equal(split.test, splits[0].test)


def test_fractions_are_exact():
    labels = np.zeros(100, dtype=int) + np.arange(100) % 2
    split = make_split(labels, test_start=None, validation=0, test=0.07)  # 0.07 · 100 > 7 in floats
    assert sizes(split) == [93, 0, 7]


def test_a_split_is_read_only_and_copies():
    mine = np.arange(3)
    split = Split(train=mine, validation=np.arange(0), test=np.array([3]))
    mine[0] = 7
    assert split.train[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        split.train[0] = 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"validation": 2000},
            "split.validation: expected fewer than the 80 images that remain for training, found "
            "2,000: give a smaller number or a fraction below 1",
        ),
        (
            {"validation": Part(80, "first")},
            "split.validation: expected fewer than the 80 images that remain for training, found "
            "80: give a smaller number or a fraction below 1",
        ),
        (
            {"test": 100},
            "split.test: expected fewer than the 100 images that remain for training, found 100: "
            "give a smaller number or a fraction below 1",
        ),
        ({"test": 0}, "split.test: expected at least 1 image, found 0: give more"),
        (
            {"validation": 20.0},
            "split.validation: expected a whole number of images or a fraction below 1, found "
            "20.0: write 20 if images are meant",
        ),
        (
            {"validation": Part(1.5, "last")},
            "split.validation: expected a whole number of images or a fraction below 1, found 1.5",
        ),
        (
            {"validation": -1},
            "split.validation: expected a whole number of images or a fraction below 1, found -1",
        ),
        (
            {"validation": math.nan},
            "split.validation: expected a whole number of images or a fraction below 1, found nan",
        ),
        (
            {"validation": True},
            "split.validation: expected a whole number of images or a fraction below 1, found True",
        ),
        (
            {"test": "0.2"},
            "split.test: expected a whole number of images or a fraction below 1, found '0.2'",
        ),
        ({"seed": -1}, "split.seed: expected a whole number from 0, found -1"),
        (
            {"test_start": 100},
            "test part: expected to start inside the 100 images, found 100",
        ),
    ],
)
def test_refusals(options, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        make_split(LABELS, **{"test_start": None, "validation": 0.2, **options})


def test_a_lonely_class():
    labels = np.append(LABELS, 10)
    message = (
        "class 10 has 1 image; a stratified split needs at least 2 of every class: add images of "
        "it, or take the class out"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        make_split(labels, test_start=None, validation=0)
    split = make_split(labels, test_start=50, validation=Part(3, "first"))  # nothing is drawn
    assert sizes(split) == [47, 3, 51]


def test_labels_must_be_whole_numbers():
    message = "labels: expected whole numbers of shape (n,), found float64 of shape (2,)"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        make_split([0.0, 1.0], test_start=None, validation=0)


def test_ties_are_not_always_decided_for_the_same_classes():
    """Ten classes of five images, five of them for validation: which classes, the seed says."""
    labels = np.repeat(np.arange(10), 5)
    parts = {"test_start": None, "validation": 5, "test": 10}
    taken = [
        frozenset(labels[make_split(labels, seed=seed, **parts).validation].tolist())
        for seed in range(40)
    ]
    assert len(set(taken)) > 10
    often = np.bincount([each for kinds in taken for each in kinds], minlength=10)
    assert often.min() >= 8 and often.max() <= 32  # 20 each are expected; 12 would be 4 sigma
    assert make_split(labels, seed=3, **parts).hash == make_split(labels, seed=3, **parts).hash


def test_a_validation_part_of_the_datas_own():
    labels = np.arange(12) % 2
    own = {"validation_start": 6, "test_start": 9}
    split = make_split(labels, validation=0.2, **own)
    assert [part.tolist() for part in split.parts().values()] == [[0, 1, 2, 3, 4, 5], [6, 7, 8],
                                                                  [9, 10, 11]]  # fmt: skip
    none = make_split(labels, validation=0, **own)
    assert (len(none.train), len(none.validation), len(none.test)) == (9, 0, 3)
    drawn = make_split(labels, validation=0.2, test=2, validation_start=8, test_start=None)
    assert (len(drawn.train), drawn.validation.tolist(), len(drawn.test)) == (6, [8, 9, 10, 11], 2)
    assert drawn.test.max() < 8
    with pytest.raises(DataError, match="validation part: expected to start inside the 9 images"):
        make_split(labels, validation=0.2, validation_start=9, test_start=9)


def test_a_lonely_class_is_called_by_its_name():
    labels = np.array([0] * 5 + [1])
    with pytest.raises(DataError, match=r"^class dog has 1 image; "):
        make_split(labels, test_start=None, validation=0.2, class_names=("cat", "dog"))


@pytest.mark.parametrize(
    ("validation", "kind", "cure"),
    [
        (
            Part(10, "first"),
            "cat",
            "the first images are of few classes: write validation: 0.2, which takes some of every "
            "class",
        ),
        (
            Part(39),
            "cat",
            "take fewer, add images of this class, or write validation: 0 (and selection: last)",
        ),
    ],
)
def test_validation_leaves_every_class_to_training(validation, kind, cure):
    """Labels that are sorted, as those of a folder, or a part that takes nearly all."""
    labels = np.repeat([0, 1, 0, 1], [10, 30, 5, 5])
    with pytest.raises(DataError) as error:
        make_split(labels, test_start=40, validation=validation, class_names=["cat", "dog"])
    assert str(error.value) == (
        f"split.validation: expected training images of every class, found none of class {kind}: "
        f"{cure}"
    )
