"""Frames of pandas as x and y.

Oracle: the same digits as arrays. Cost: 1 s. Run: pytest tests/data/in_memory/test_frames.py
"""

import numpy as np
import pytest

from bakeoff.data.in_memory.python_data import from_python
from bakeoff.errors import DataError

pandas = pytest.importorskip("pandas")


@pytest.fixture
def rows(digits):
    return digits.images[:60].reshape(60, 64), digits.labels[:60]


@pytest.mark.parametrize("name", ["pixel_{}", "{}"])
def test_pixels_are_read_by_the_numbers_of_their_columns(rows, name):
    x, y = rows
    frame = pandas.DataFrame(x, columns=[name.format(each) for each in range(64)])
    mixed = frame[sorted(frame.columns)]
    for given in ((mixed, y), {"x": mixed, "y": y}):
        data = from_python(given)
        np.testing.assert_array_equal(data.images.reshape(60, 64), x)
        assert "x: pixels in the order of their columns' numbers" in data.notes
    assert not any("order" in note for note in from_python((frame, y)).notes)
    parts = from_python((mixed[:40], frame[40:], y[:40], y[40:]))
    np.testing.assert_array_equal(parts.images.reshape(60, 64), x)
    assert sum("order" in note for note in parts.notes) == 1


def test_columns_of_one_hot_labels_are_the_classes(rows):
    x, y = rows
    words = pandas.Series(np.array(list("abcdefghij"))[y])
    hot = pandas.get_dummies(words)
    for given in ((x, hot), {"x": x, "y": hot}, (x[:40], hot[:40], x[40:], hot[40:])):
        data = from_python(given)
        assert [data.class_names[each] for each in data.labels] == words.tolist()
    assert from_python({"x": x, "y": hot, "class_names": list("klmnopqrst")}).class_names[0] == "k"
    with pytest.raises(DataError) as error:
        from_python((x[:40], hot[:40], x[40:], hot[sorted(hot, reverse=True)][40:]))
    assert str(error.value) == (
        "y_test: expected the columns of y_train (a, b, c and 7 more), found j, i, h and 7 more: "
        "give both the same, in one order, as in y_test.reindex(columns=y_train.columns, "
        "fill_value=0)"
    )
