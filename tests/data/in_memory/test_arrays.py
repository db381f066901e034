"""Data sets made of arrays, and what a DataSet offers; 1 s.

Run: pytest tests/data/in_memory/test_arrays.py
"""

import numpy as np
import pytest

from bakeoff.errors import DataError
from tests.helpers.arrays import from_arrays

X = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3) * 8
Y = np.array([0, 1, 1, 0, 1])


def refusal(*arrays, **options):
    with pytest.raises(DataError) as error:
        from_arrays("mine", *arrays, **options)
    return str(error.value)


def test_one_part():
    data = from_arrays("mine", X, Y)
    assert (data.name, data.maximum, data.test_start) == ("mine", 255, None)
    assert data.class_names == ("0", "1")
    assert data.input_shape == (2, 3, 1)
    assert data.images.dtype == np.uint8
    assert data.labels.dtype == np.int64
    np.testing.assert_array_equal(data.images[..., 0], X)
    assert np.shares_memory(data.images, X)  # no copy of what may be large


def test_two_parts_of_unlike_shapes_and_types():
    x_test = X[:2, ..., None].astype(np.int64)
    data = from_arrays("mine", X, Y[:, None], x_test, Y[:2].astype(np.uint8))
    assert data.test_start == 5
    assert data.images.dtype == np.uint8
    np.testing.assert_array_equal(data.images[5:, ..., 0], X[:2])
    np.testing.assert_array_equal(data.labels, [0, 1, 1, 0, 1, 0, 1])


@pytest.mark.parametrize(
    ("x", "maximum", "dtype"),
    [
        (X / 255, 1.0, np.float32),
        (X.astype(np.float16), 255.0, np.float32),
        (X > 9, 1.0, np.uint8),
        ((X > 9).astype(int), 1.0, np.uint8),
        (np.zeros((5, 2, 2), np.uint8), 255.0, np.uint8),
        (np.zeros((5, 2, 2)), 1.0, np.float32),
        (X.astype(">u2"), 255.0, np.uint8),
    ],
)
def test_maximum(x, maximum, dtype):
    data = from_arrays("mine", x, Y)
    assert data.maximum == maximum
    assert data.images.dtype == dtype


def test_the_maximum_is_that_of_both_parts():
    data = from_arrays("mine", X.astype(float), Y, np.zeros((2, 2, 3)), Y[:2])
    assert data.maximum == 255


def broken(value):
    x = X.astype(np.float32)
    x[3, 1, 2] = value
    return x


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        (
            (broken(np.nan), Y),
            {},
            "x: expected finite pixels, found nan at [3, 1, 2]",
        ),
        (
            (X.astype(np.float32), Y, broken(-np.inf), Y),
            {},
            "x_test: expected finite pixels, found -inf at [3, 1, 2]",
        ),
        (
            (broken(-0.5), Y),
            {},
            "x: expected pixels from 0 up, found -0.5 to 232: store the images as they were before "
            "they were standardised",
        ),
        (
            (X.astype(int) + 100, Y),
            {},
            "x: expected pixels on a plain scale (the largest near 1, 15, 16, 255, 1023, 4095, "
            "16383 or 65535), found the largest 332: say what white is, as in {…, scale: 1023}",
        ),
        ((X + 0j, Y), {}, "x: expected numbers, found complex128"),
        (
            (X[0], Y),
            {},
            "x: expected shape (n, height, width) or (n, height, width, 1 or 3), found (2, 3): "
            "reshape the rows, as in x.reshape(-1, height, width)",
        ),
        (
            (np.zeros((5, 2, 2, 4), np.uint8), Y),
            {},
            "x: expected shape (n, height, width) or (n, height, width, 1 or 3), "
            "found (5, 2, 2, 4): leave the transparency out, as in x[..., :3]",
        ),
        (
            (np.zeros((5, 3, 1024), np.uint8), Y),
            {},
            "x: expected shape (n, height, width) or (n, height, width, 1 or 3), found "
            "(5, 3, 1024): reshape the rows of colours, as in x.reshape(-1, 3, 32, 32)",
        ),
        (
            (np.zeros((5, 1024, 3), np.uint8), Y),
            {},
            "x: expected shape (n, height, width) or (n, height, width, 1 or 3), found "
            "(5, 1024, 3): reshape the rows of colours, as in x.reshape(-1, 32, 32, 3)",
        ),
        ((X[:0], Y[:0]), {}, "x: expected at least one image, found shape (0, 2, 3)"),
        (
            (X, np.eye(5) / 2 + 0.1),
            {},
            "y: expected one label an image, shape (n,), or one-hot rows, found (5, 5) with other "
            "rows: if they are probabilities, store their argmax",
        ),
        (
            (X, np.eye(5, dtype=int)[::-1] | np.eye(5, dtype=int)),  # as of ChestMNIST
            {},
            "y: expected one label an image, shape (n,), or one-hot rows, found (5, 5) with rows "
            "of several classes or of none: images of several classes cannot be used; one column, "
            "as in y[:, 0], makes two classes of them",
        ),
        ((X, Y[:, None, None]), {}, "y: expected shape (n,) or (n, 1), found (5, 1, 1)"),
        ((X, Y / 2), {}, "y: expected whole numbers or text, found float64 with fractions"),
        (
            (X, Y[:4]),
            {},
            "y: expected 5 labels, one for every image of x, found 4",
        ),
        (
            (np.moveaxis(np.repeat(X, 2, 0), 0, -1), np.repeat(Y, 2)),
            {},
            "y: expected 2 labels, one for every image of x, found 10: the images seem to be "
            "counted last; store np.moveaxis(x, -1, 0)",
        ),
        (
            (X, Y, X[:, :1], Y),
            {},
            "x_test: expected images of (2, 3, 1) as in x_train, found (1, 3, 1)",
        ),
        (
            (X, Y, X / 255, Y),
            {},
            "expected all parts on one scale, found that x_train reaches 232 and x_test 0.909804: "
            "scale them alike; if they are, and one is dark, say so: {…, scale: 255}",
        ),
        (
            (X, Y, X, Y.astype(str)),
            {},
            "y_test: expected labels like those of y_train, which are numbers, found text: store "
            "them alike",
        ),
        (
            (X, Y * 0),
            {},
            "expected at least 2 classes, found 1: nothing to tell apart: all images are 0",
        ),
        (
            (X, Y, X, Y + 1),
            {},
            "class 2: expected in the training part too, found in the test part only",
        ),
        (
            (X, Y * 3),
            {"class_names": ["a", "b", "c"]},
            "y: expected labels from 0 to 2, one for each of the 3 class_names, found 3",
        ),
        (
            (X, Y.astype(str)),
            {"class_names": ["a", "b"]},
            "y: expected labels that stand in class_names, found '0'",
        ),
        (
            (X, Y),
            {"class_names": ["a", "a"]},
            "expected different class names, found a twice (spaces at the ends and Unicode's forms "
            "make no difference): rename one, or put the two together",
        ),
        ((X, Y), {"class_names": ["a", " "]}, "class 1: expected a name, found an empty one"),
        (
            (X, np.array([b"\xff", b"a", b"a", b"a", b"a"])),
            {},
            "y: expected text in UTF-8, found other bytes",
        ),
        (
            (X, np.array([2**63, 0, 0, 0, 0], np.uint64)),
            {},
            "labels: expected whole numbers below 2**63, found larger ones",
        ),
    ],
)
def test_refusals(arrays, options, message):
    assert refusal(*arrays, **options) == message


@pytest.mark.parametrize("shape", [(20, 16, 1), (20, 1, 16), (20, 16)])
def test_flat_rows_with_an_axis_of_channels_are_square_images(shape):
    """A Keras user's x.reshape(-1, 784, 1) was read as images of 784 × 1 pixels."""
    x = (np.arange(320) % 256).astype(np.uint8).reshape(shape)
    data = from_arrays("mine", x, np.arange(20) % 2)
    np.testing.assert_array_equal(data.images, x.reshape(20, 4, 4, 1))
