"""Partitions of cross-validation against what a partition is; 2 s.

Run: pytest tests/data/test_folds.py
"""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.data.folds import make_folds
from bakeoff.errors import DataError


@settings(max_examples=30)
@given(
    sizes=st.lists(st.integers(5, 30), min_size=2, max_size=6),
    folds=st.integers(2, 5),
    seed=st.integers(0, 2**31 - 1),
)
def test_every_repeat_is_a_stratified_partition(sizes, folds, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    drawn = make_folds(labels, folds=folds, repeats=2, validation=0.2, seed=seed)
    assert (drawn.repeats, drawn.n_folds) == (2, folds)
    for repeat in range(2):
        parts = [drawn.at(repeat, fold) for fold in range(folds)]
        tested = np.concatenate([part.test for part in parts])
        np.testing.assert_array_equal(np.sort(tested), np.arange(len(labels)))
        assert np.ptp([len(part.test) for part in parts]) <= 1
        for part in parts:
            everything = np.concatenate(list(part.parts().values()))
            np.testing.assert_array_equal(np.sort(everything), np.arange(len(labels)))
            assert len(part.validation) == -(-len(np.r_[part.train, part.validation]) // 5)
            assert set(labels[part.train]) == set(labels)
        by_class = [np.bincount(labels[part.test], minlength=len(sizes)) for part in parts]
        assert np.ptp(by_class, axis=0).max() <= 1


def test_a_repeat_depends_on_seed_and_number_alone(digits):
    def drawn(**changes):
        given_to = {"folds": 5, "repeats": 3, "validation": 0.2, "seed": 0, **changes}
        return make_folds(digits.labels, **given_to)

    three, five = drawn(), drawn(repeats=5)
    np.testing.assert_array_equal(five.first(3).tested, three.tested)
    assert five.first(3).hash == three.hash != five.hash
    assert drawn(seed=1).hash != three.hash
    assert (three.tested[0] != three.tested[1]).any()
    np.testing.assert_array_equal(drawn(validation=0.1).tested, three.tested)
    assert len(drawn(validation=0).validation) == 0
    sizes = [len(part) for part in three.parts().values()]
    assert sizes == [1149, 288, 1797]
    assert (
        three.hash == "a4f77fd891abb63da1839cd8f3827d1009e50983fa4551a951844e1d4bff4b5d"
    )  # the same on every machine


def test_a_class_with_too_few_images_is_refused():
    labels = np.repeat([0, 1], [20, 4])
    message = (
        "class dogs has 4 images; 5 folds need at least 5 of every class: add images of it, take "
        "the class out, or ask for fewer folds"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        make_folds(labels, folds=5, repeats=1, validation=0.2, class_names=("cats", "dogs"))
    with pytest.raises(
        DataError, match=r"found none of class cats: take fewer, add images of this"
    ):
        make_folds([0, 0, 1, 1], folds=2, repeats=9, validation=1, class_names=("cats", "dogs"))
    with pytest.raises(DataError, match=re.escape("split.validation: expected fewer than the 18")):
        make_folds(labels, folds=4, repeats=1, validation=40)
