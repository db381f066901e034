"""Which array is what: the names that people give to images and labels.

Oracle: a list of names found in published npz files. Cost: 1 s.
Run: pytest tests/data/formats/test_array_keys.py
"""

import re

import numpy as np
import pytest

from bakeoff.data import NpzSource, load, own_parts
from bakeoff.errors import DataError

X = np.arange(12 * 16, dtype=np.uint8).reshape(12, 4, 4) + 60
Y = np.arange(12) % 2


@pytest.mark.parametrize(
    "names",
    [
        ("x", "y"),
        ("X", "y"),
        ("images", "labels"),
        ("image", "label"),
        ("imgs", "targets"),
        ("features", "target"),
        ("X_data", "y_data"),
    ],
)
def test_one_part(tmp_path, names):
    np.savez(tmp_path / "a.npz", **dict(zip(names, (X, Y), strict=True)))
    data = load(NpzSource(tmp_path / "a.npz"))
    assert (len(data.labels), data.test_start) == (12, None)


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("trainX", "trainY", "testX", "testY"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("train_set_x", "train_set_y", "test_set_x", "test_set_y"),
        ("images_train", "labels_train", "images_test", "labels_test"),
        ("arr_0", "arr_1", "arr_2", "arr_3"),
    ],
)
def test_two_parts(tmp_path, names):
    np.savez(tmp_path / "a.npz", **dict(zip(names, (X[:8], Y[:8], X[8:], Y[8:]), strict=True)))
    data = load(NpzSource(tmp_path / "a.npz"))
    assert data.test_start == 8
    np.testing.assert_array_equal(data.images[..., 0], X)


def test_arrays_in_the_order_of_train_test_split(tmp_path):
    np.savez(tmp_path / "a.npz", X[:8], X[8:], Y[:8], Y[8:])
    data = load(NpzSource(tmp_path / "a.npz"))
    np.testing.assert_array_equal(data.labels, Y)


def test_flat_rows_and_six_arrays_without_names(tmp_path):
    np.savez(tmp_path / "a.npz", X.reshape(12, 16), Y)
    np.testing.assert_array_equal(load(NpzSource(tmp_path / "a.npz")).images[..., 0], X)
    parts = (slice(0, 6), slice(6, 9), slice(9, 12))
    np.savez(tmp_path / "b.npz", *(each[part] for part in parts for each in (X, Y % 2)))
    data = load(NpzSource(tmp_path / "b.npz"))
    assert (data.validation_start, data.test_start) == (6, 9)


@pytest.mark.parametrize("val", ["val", "valid", "validation", "dev"])
def test_a_validation_part(tmp_path, val):
    """As MedMNIST stores it, labels (n, 1)."""
    parts = {"train": slice(6), val: slice(6, 8), "test": slice(8, 12)}
    arrays = {f"{part}_images": X[rows] for part, rows in parts.items()}
    labels = {f"{part}_labels": Y[rows, None] for part, rows in parts.items()}
    np.savez(tmp_path / "a.npz", **arrays, **labels)
    data = load(NpzSource(tmp_path / "a.npz"))
    assert {name: len(rows) for name, rows in own_parts(data).items()} == {
        "train": 6,
        "validation": 2,
        "test": 4,
    }
    np.testing.assert_array_equal(data.images[..., 0], X)


def test_training_alone(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=X, y_train=Y)
    assert load(NpzSource(tmp_path / "a.npz")).notes == (
        "found x_train without a test part: split.test makes one of it",
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_of_images(tmp_path, channels):
    last = np.repeat(X[..., None], channels, axis=3)
    for name, array in (
        ("last", last),
        ("first", np.moveaxis(last, 3, 1)),
        ("flat", X.reshape(12, 16)),
    ):
        if name == "flat" and channels == 3:
            continue
        np.savez(tmp_path / "a.npz", x=array, y=Y)
        np.testing.assert_array_equal(load(NpzSource(tmp_path / "a.npz")).images, last)


KEYS = {"x": "photos", "y": "kinds"}


def test_keys_name_others(tmp_path):
    np.savez(tmp_path / "a.npz", photos=X, kinds=Y, x=X + 1)
    data = load(NpzSource(tmp_path / "a.npz", keys=KEYS))
    np.testing.assert_array_equal(data.images[..., 0], X)


@pytest.mark.parametrize(
    ("arrays", "keys", "message"),
    [
        (
            {"photos": X, "kinds": Y},
            {"x": "photo", "y": "kinds"},
            "keys: expected names of arrays (photos, kinds), found 'photo'",
        ),
        (
            {"photos": X, "kinds": Y},
            {"x": "photos"},
            "keys: expected x and y, or x_train, y_train, x_test and y_test, found x: name images "
            "and labels of every part",
        ),
        (
            {"x_train": X, "y_train": Y, "x_val": X, "y_val": Y},
            None,
            "expected a test part beside training and validation, found none: to test on x_val, "
            "write {npz: …, keys: {x_train: x_train, y_train: y_train, x_test: x_val, y_test: "
            "y_val}}; to have a test part drawn from all of x_train, write {npz: …, keys: {x: "
            "x_train, y: y_train}}",
        ),
        (
            {"x_train": X, "y_train": Y, "x_test": X},
            None,
            "expected y_test beside x_test, found none: name those to use, as in {npz: …, "
            "keys: {x: NAME, y: NAME}}",
        ),
        (
            {"arr_0": X},
            None,
            "expected images and as many labels, found arr_0 (12, 4, 4): put both into one file, "
            "as in np.savez(file, x=images, y=labels)",
        ),
        (
            {"x": np.zeros((12, 4, 4, 4)), "y": Y},
            None,
            "x: expected shape (n, height, width) or (n, height, width, 1 or 3), found "
            "(12, 4, 4, 4): leave the transparency out, as in x[..., :3]",
        ),
        (
            {"x": np.zeros((12, 3072)), "y": Y},
            None,
            "x: expected shape (n, height, width) or (n, height, width, 1 or 3), found (12, 3072): "
            "rows of colours may be stored in two ways; reshape them, as in "
            "x.reshape(-1, 3, 32, 32) or x.reshape(-1, 32, 32, 3)",
        ),
        (
            {"x": X, "y": Y + 1, "class_names": np.array(["a", "b"])},
            None,
            "y: expected labels from 0 to 1, one for each of the 2 class_names, found 2: they seem "
            "to count from 1; store y - 1",
        ),
    ],
)
def test_refusals(tmp_path, arrays, keys, message):
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=f"^{re.escape(f'{path}: {message}')}$"):
        load(NpzSource(path, keys=keys))
