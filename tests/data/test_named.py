"""Data sets by name: the digits, and what is known of MNIST and Fashion-MNIST.

Oracle: scikit-learn, and facts that their authors published. Cost: 1 s.

Run: pytest tests/data/test_named.py
"""

import gzip
import re

import numpy as np
import pytest

from bakeoff import data
from bakeoff.data import named
from bakeoff.errors import ChecksumMismatch, DataError
from tests.helpers.published import mismatch, put


def test_digits_are_those_of_scikit_learn(digits):
    from sklearn.datasets import load_digits

    reference = load_digits()
    np.testing.assert_array_equal(digits.images[..., 0], reference.images)
    np.testing.assert_array_equal(digits.labels, reference.target)
    assert (digits.maximum, digits.test_start) == (16, None)
    assert digits.images.dtype == np.uint8
    assert digits.class_names == tuple(str(name) for name in reference.target_names)


def test_other_digits_are_refused(tmp_path, monkeypatch):
    other = tmp_path / "digits.csv.gz"
    other.write_bytes(gzip.compress(b"\n".join([b",".join([b"1"] * 65)] * 1797)))
    monkeypatch.setattr(named, "_digits_file", lambda: other)
    said = mismatch(other, named._DIGITS, np.ones((1797, 65), np.uint8))
    with pytest.raises(ChecksumMismatch, match=f"^{re.escape(said)}$"):
        data.load("digits")
    other.write_bytes(gzip.compress(b"1,2,3"))
    with pytest.raises(DataError, match=re.escape(f"{other}: broken (")):
        data.load("digits")


def test_facts_of_mnist(mnist):
    assert mnist.images.shape == (70_000, 28, 28, 1)
    assert mnist.images.dtype == np.uint8
    assert mnist.test_start == 60_000
    assert mnist.labels[1918] == 6
    row = [0, 0, 0, 0, 0, 0, 0, 6, 160, 252, 252, 252, 211, 0]
    assert mnist.images[1918, 5, :14, 0].tolist() == row
    assert mnist.images[2917, 10, 19, 0] == 11
    assert mnist.labels[333] == 8
    assert data.class_counts(mnist, data.own_parts(mnist))["train"].tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip


def test_facts_of_fashion_mnist():
    try:
        fashion = data.load("fashion-mnist", offline=True)
    except ChecksumMismatch:
        raise  # ours is wrong, or the file is
    except DataError as error:
        pytest.skip(f"Fashion-MNIST is not at hand: {error}")
    assert fashion.class_names[0] == "T-shirt/top"
    assert fashion.class_names[9] == "Ankle boot"
    counts = data.class_counts(fashion, data.own_parts(fashion))
    assert counts["train"].tolist() == [6000] * 10
    assert counts["test"].tolist() == [1000] * 10


def test_absent_and_offline(home):
    put(home / "data" / "MNIST" / "raw")
    (home / "data" / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError) as error:
        data.load("mnist", offline=True)
    assert str(error.value) == (
        "mnist: expected train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, "
        "t10k-labels-idx1-ubyte (or .gz) in one of "
        f"{home}/.cache/bakeoff/data/mnist, {home}/.keras/datasets, data/MNIST/raw, "
        f"{home}/data/MNIST/raw, {home}/.cache/torch/MNIST/raw, found them in none; "
        f"{home}/data/MNIST/raw lacks t10k-labels-idx1-ubyte; downloading is off: set BAKEOFF_DATA "
        "to a folder in which mnist/ has these files"
    )
    assert not (home / ".cache").exists()
