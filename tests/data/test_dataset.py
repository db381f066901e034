"""What a data set is: read only, hashed by its content, its classes counted.

Oracle: by hand. Cost: nothing.

Run: pytest tests/data/test_dataset.py
"""

import numpy as np
import pytest

from bakeoff.data import DataSet, class_counts, own_parts
from bakeoff.data.dataset import part_starts
from bakeoff.data.split import make_split

X = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3) * 8
Y = np.array([0, 1, 1, 0, 1])


def test_arrays_are_read_only(digits):
    with pytest.raises(ValueError, match="read-only"):
        digits.images[0] = 1


def test_the_hash_is_of_the_content():
    def changed(**changes):
        fields = dict(
            name="a", images=X[..., None].copy(), labels=Y.copy(), class_names=("a", "b"),
            maximum=255.0, test_start=None,
        )  # fmt: skip
        return DataSet(**{**fields, **changes}).hash

    assert changed() == changed(name="b", notes=("read on a Monday",))
    others = [
        changed(images=X[..., None].astype(np.float32)),
        changed(images=X[..., None].reshape(5, 3, 2, 1).copy()),
        changed(images=X[..., None] + 1),
        changed(labels=1 - Y),
        changed(class_names=("a", "c")),
        changed(class_names=("a', 'b",)),
        changed(maximum=16.0),
        changed(test_start=3),
    ]
    assert len({changed(), *others}) == 9
    big_endian = X[..., None].astype(">f4")
    assert changed(images=big_endian) == changed(images=big_endian.astype("<f4"))


@pytest.mark.parametrize(
    "counts, starts",
    [
        ({"train": 5}, (None, None)),
        ({"train": 5, "validation": 2}, (5, None)),
        ({"train": 5, "test": 3}, (None, 5)),
        ({"train": 5, "validation": 2, "test": 3}, (5, 7)),
    ],
)
def test_where_parts_begin(counts, starts):
    assert part_starts(counts) == starts


def test_counts_of_classes(digits):
    split = make_split(digits.labels, test_start=None, validation=100, test=200)
    counts = class_counts(digits, split.parts())
    assert [each.sum() for each in counts.values()] == [1497, 100, 200]
    assert sum(counts.values()).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert list(own_parts(digits)) == ["all"]
    assert class_counts(digits, {"none": np.arange(0)})["none"].tolist() == [0] * 10
