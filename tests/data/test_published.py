"""Data sets by name: found, refused, downloaded from mirrors that are functions here; 3 s.

Run: pytest tests/data/test_published.py (with BAKEOFF_DATA set, MNIST and Fashion-MNIST too)
"""

import gzip
import re
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from bakeoff import data
from bakeoff.data import named
from bakeoff.data import published as sources
from bakeoff.errors import ChecksumMismatch, DataError
from tests.helpers.idx import idx_bytes
from tests.helpers.published import OTHER, SMALL, check, mismatch, put


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    "place",
    [
        ".cache/bakeoff/data/mnist",
        "data/MNIST/raw",
        ".cache/torch/MNIST/raw",
        "../data/MNIST/raw",
    ],
)
def test_places(small, place, packed):
    put(small / place, packed=packed)
    check(data.load("mnist", offline=True))


@pytest.mark.parametrize(
    ("variable", "below"),
    [
        ("BAKEOFF_DATA", "mnist"),
        ("TORCH_HOME", "MNIST/raw"),
    ],
)
def test_places_that_variables_name(small, monkeypatch, variable, below):
    monkeypatch.setenv(variable, str(small / "elsewhere"))
    put(small / "elsewhere" / below)
    check(data.load("mnist", offline=True))


def test_the_cache_is_the_users():
    folder = sources.cache_folder("mnist")
    assert folder.parts[-3:] == ("bakeoff", "data", "mnist")
    assert folder.is_relative_to(platformdirs.user_cache_dir())


def test_the_order_of_places(home, monkeypatch):
    monkeypatch.setenv("BAKEOFF_DATA", "/given")
    monkeypatch.setenv("KERAS_HOME", "/keras")
    monkeypatch.setenv("TORCH_HOME", "/torch")
    fashion = sources.places(sources.PUBLISHED["fashion-mnist"])
    assert [str(path) for path in fashion] == [
        "/given/fashion-mnist",
        f"{home}/.cache/bakeoff/data/fashion-mnist",
        "/keras/datasets/fashion-mnist",
        "data/FashionMNIST/raw",
        f"{home}/data/FashionMNIST/raw",
        "/torch/FashionMNIST/raw",
        "/usr/share/datasets/fashion-mnist",
    ]
    assert sources.places(sources.PUBLISHED["mnist"])[2] == Path("/keras/datasets")


def test_a_user_without_a_home(small, monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # nor one in the system's list
    monkeypatch.setattr(sources, "cache_folder", lambda name: None)
    monkeypatch.setattr(named, "cache_folder", lambda name: None)
    text = "mnist: expected a home folder to keep it in, found none: set XDG_CACHE_HOME to a folder"
    with pytest.raises(DataError, match=f"^{text} of yours, or BAKEOFF_DATA to one"):
        data.load("mnist")
    monkeypatch.setenv("BAKEOFF_DATA", str(small))
    put(small / "mnist")
    check(data.load("mnist"))


def test_the_npz_file_of_keras(small):
    path = small / ".keras" / "datasets" / "mnist.npz"
    path.parent.mkdir(parents=True)
    np.savez_compressed(path, **SMALL)
    check(data.load("mnist", offline=True))
    for wrong in (SMALL["y_test"][::-1], SMALL["y_test"].astype(np.int64)):
        np.savez_compressed(path, **{**SMALL, "y_test": wrong})
        said = mismatch(path, sources.PUBLISHED["mnist"].hashes["y_test"], wrong)
        with pytest.raises(ChecksumMismatch, match=f"^{re.escape(said)}$"):
            data.load("mnist", offline=True)
    np.savez_compressed(path, x=SMALL["x_train"])
    message = f"{path}: expected the arrays x_train, y_train, x_test, y_test, found x"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        data.load("mnist", offline=True)


def test_a_file_with_other_content_is_named(small):
    folder = small / ".cache/bakeoff/data/mnist"
    put(folder)
    path = folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx_bytes(SMALL["x_test"] + 1)))
    said = mismatch(path, sources.PUBLISHED["mnist"].hashes["x_test"], SMALL["x_test"] + 1)
    with pytest.raises(ChecksumMismatch, match=f"^{re.escape(said)}$"):
        data.load("mnist")
    path.write_bytes(gzip.compress(idx_bytes(SMALL["x_train"])))
    shapes = "of shape 2 × 28 × 28, found one of shape 6 × 28 × 28"
    message = f"{path}: expected the published file, {shapes}: {OTHER}"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        data.load("mnist")


# downloads
