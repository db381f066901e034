"""Labels of any kind to classes.

Oracle: by hand. Cost: nothing.

Run: pytest tests/data/test_labels.py
"""

import re
import unicodedata
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from bakeoff.data import NpzSource, load
from bakeoff.data.labels import listed_labels, table_labels
from bakeoff.errors import DataError
from tests.helpers.arrays import from_arrays

X = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3) * 8
Y = np.array([0, 1, 1, 0, 1])
X_12 = np.arange(12 * 16, dtype=np.uint8).reshape(12, 4, 4) + 60
Y_12 = np.arange(12) % 2


@pytest.mark.parametrize(
    ("y", "names", "labels"),
    [
        (np.array([7, -2, 7, 300, 7]), ("-2", "7", "300"), [1, 0, 1, 2, 1]),
        (np.array(["dog", "cat", "dog", "cat", "ox"]), ("cat", "dog", "ox"), [1, 0, 1, 0, 2]),
        (np.array([b"\xc3\xa9", b"a", b"a", b"a", b"a"]), ("a", "é"), [1, 0, 0, 0, 0]),
        (np.array([True, False, True, True, True]), ("0", "1"), [1, 0, 1, 1, 1]),
        (np.array([2**63 - 1, 0, 0, 0, 0], np.uint64), ("0", str(2**63 - 1)), [1, 0, 0, 0, 0]),
    ],
)
def test_any_labels_become_classes(y, names, labels):
    data = from_arrays("mine", X, y)
    assert data.class_names == names
    np.testing.assert_array_equal(data.labels, labels)


def test_class_names_may_name_classes_without_images():
    data = from_arrays("mine", X, Y * 2, class_names=["a", "b", "line\nbreak"])
    assert data.class_names == ("a", "b", "line\\nbreak")
    np.testing.assert_array_equal(data.labels, Y * 2)


@pytest.mark.parametrize(
    "labels",
    [
        np.eye(2)[Y_12],
        np.eye(2, dtype=np.uint8)[Y_12],
        Y_12[None],
        Y_12[:, None],
        Y_12.astype(float),
    ],
)
def test_shapes_of_labels(tmp_path, labels):
    np.savez(tmp_path / "a.npz", x=X_12, y=labels)
    data = load(NpzSource(tmp_path / "a.npz"))
    np.testing.assert_array_equal(data.labels, Y_12)
    assert data.class_names == ("0", "1")


def test_text_labels_come_in_natural_order(tmp_path):
    labels = np.array([f"class {1 + number}" for number in range(12)])
    np.savez(tmp_path / "a.npz", x=X_12, y=labels, class_names=labels)
    assert load(NpzSource(tmp_path / "a.npz")).class_names == tuple(labels)


WITHOUT = "y: expected a label for every image, found 1 image without one, the first at [2]"


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([0, 1, np.nan, 0, 1]), f"{WITHOUT} (nan): label it, or leave it out"),
        (np.array(["0", "1", "NaN", "0", "1"]), f"{WITHOUT} (NaN): label it, or leave it out"),
        (np.array(["a", "b", " ", "a", "b"]), f"{WITHOUT}: label it, or leave it out"),
        (np.array(["a", "b", np.nan, "a", "b"]), f"{WITHOUT} (nan): label it, or leave it out"),
    ],
)
def test_a_missing_label_is_no_class(y, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        from_arrays("mine", X, y)


def test_none_and_nan_are_classes_among_words():
    names = from_arrays("mine", X, np.array(["none", "scratch", "nan", "none", "dent"])).class_names
    assert names == ("dent", "nan", "none", "scratch")


def test_labels_given_one_by_one():
    assert listed_labels(["a", None, "b", float("nan")]).tolist() == ["a", "", "b", ""]
    assert listed_labels([b"a", b"\xc3\xa9"]).tolist() == ["a", "é"]
    assert listed_labels([0, True, np.int8(2)]).dtype.kind == "i"
    for strange in (Decimal("0.5"), date(2026, 1, 1), {"id": 1}):
        name = type(strange).__name__
        message = f"kind: expected whole numbers or text, found {name}, the first at [1]"
        with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
            listed_labels([1, strange], "kind")


def test_half_precision_labels_make_no_noise():
    assert from_arrays("mine", X, np.array([0, 1, 2, 0, 1], np.float16)).n_classes == 3


def test_one_hot_rows_have_one_width_in_all_parts():
    """As pandas.get_dummies gives them for each part alone, where a class is missing in one."""
    message = (
        "y_test: expected one-hot rows of 3 columns as in y_train, found 2: a class keeps its "
        "column where it has no image"
    )
    train, test = np.eye(3)[[0, 1, 2, 0, 2]], np.eye(2)[[0, 1, 1, 0, 1]]
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        from_arrays("mine", X, train, X, test)


def test_labels_of_a_table():
    assert table_labels(["1.0", " 2 ", 3]).tolist() == [1, 2, 3]
    assert table_labels(["1_1", "12"]).tolist() == ["1_1", "12"]
    assert table_labels(["cat ", None, float("nan")]).tolist() == ["cat", "", ""]
    message = (
        "labels: expected whole numbers or text, found numbers with fractions such as 0.5: labels "
        "are the names of classes; those that look like numbers need a letter before them"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        table_labels(["1.0", "0.5"])


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("name_form", ["NFC", "NFD"])
def test_labels_stand_among_class_names_in_any_form(rng, form, name_form):
    """As on a Mac: café was said not to stand among café, b."""
    names = [unicodedata.normalize(name_form, "café"), "b"]
    labels = np.array([unicodedata.normalize(form, "café"), "b"] * 3)
    data = from_arrays("a", rng.random((6, 4, 4)), labels, class_names=names)
    assert (data.class_names, data.labels.tolist()) == (("café", "b"), [0, 1] * 3)
