"""What a recipe's data may say: each way to name a data set, as a value.

Oracle: by hand. Cost: nothing.

Run: pytest tests/data/test_sources.py
"""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bakeoff.data import load
from bakeoff.data.in_memory.python_data import is_declared
from bakeoff.data.sources import (
    ArraysSource,
    CsvSource,
    FolderSource,
    IdxSource,
    NpzSource,
    ParquetSource,
    TableSource,
    missing,
)
from bakeoff.errors import DataError


def test_what_a_recipe_may_say():
    assert is_declared("digits")
    assert is_declared({"npz": "a.npz"})
    assert not is_declared((1, 2))
    assert not is_declared({"x": np.zeros(3)})


def test_mappings_of_lists_and_of_data_sets_are_data():
    """They were read as recipes: unknown keys x, y; train, test."""
    pictures = [Image.fromarray(np.zeros((4, 4), np.uint8))] * 2
    for given in (
        {"x": [[[0, 1], [1, 0]]], "y": [0]},
        {"image": pictures, "label": [0, 1]},
        {"train": pictures, "test": pictures},  # as Hugging Face's DatasetDict
        {"train": map(str, [1]), "test": map(str, [1])},
    ):
        assert not is_declared(given)
    for given in (
        {"folder": Path("pets"), "size": (np.int64(28), 28), "parts": {"train": "a"}},
        {"idx": ["a", Path("b")], "scale": np.float64(255), "transpose": True},
        {"csv": "a.csv", "label": None},
    ):
        assert is_declared(given)


@pytest.mark.parametrize("source", ["mnits", Path("mnits")])
def test_unknown_names(source):
    message = "data: expected digits, mnist, fashion-mnist, or where the files are, found 'mnits'"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        load(source)


@pytest.mark.parametrize(
    "source",
    [
        FolderSource(Path("there/gone")),
        NpzSource(Path("there/gone")),
        CsvSource(Path("there"), Path("there/gone")),
        TableSource(Path("there"), Path("there/gone")),
        IdxSource((Path("there"), Path("there/gone"))),
        ParquetSource(Path("there/gone")),
    ],
    ids=lambda source: type(source).__name__,
)
def test_data_that_is_not_there(source, tmp_path, monkeypatch):
    """What is there may be a file, in which there can be nothing."""
    monkeypatch.chdir(tmp_path)
    Path("there").touch()
    assert missing(source) == Path("there/gone")
    message = (
        "there/gone: expected the data, found nothing there: put it there, or write where it lies "
        "into the recipe (to go on with a study: into a copy of its recipe, run with --out STUDY)"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        load(source)


def test_data_that_is_there_or_lies_nowhere():
    assert missing("mnist") is missing(ArraysSource("0" * 64)) is None
    assert missing(FolderSource(Path())) is None


def test_one_thing_is_not_two_parts(tmp_path, rng):
    """A line copied and half changed: what was trained on was tested on."""
    for part in ("T", "E"):
        for kind in ("a", "b"):
            (tmp_path / part / kind).mkdir(parents=True)
            pixels = rng.integers(0, 256, (4, 4), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / part / kind / "1.png")
    x, y = rng.integers(0, 256, (8, 4, 4), dtype=np.uint8), np.arange(8) % 2
    np.savez(tmp_path / "a.npz", x=x, y=y, t=x[:4], u=y[:4])
    keys = {"x_train": "x", "y_train": "y", "x_test": "x", "y_test": "y"}
    for source, said in (
        (FolderSource(tmp_path, parts={"train": "T", "test": "T/"}), "for train and test, found T"),
        (NpzSource(tmp_path / "a.npz", keys=keys), "for x_train and x_test, found 'x'"),
        (CsvSource(tmp_path / "a.csv", test=tmp_path / "a.csv"), "for csv and test, found a.csv"),
        (
            IdxSource((tmp_path / "x", tmp_path / "y") * 2),
            "training images and test images, found x",
        ),
    ):
        for name in ("a.csv", "x", "y"):
            (tmp_path / name).write_text("label,p0,p1,p2,p3\n0,1,2,3,255\n1,1,2,3,255\n")
        with pytest.raises(DataError, match=said):
            load(source)
    load(NpzSource(tmp_path / "a.npz", keys={**keys, "x_test": "t", "y_test": "u"}))
    assert load(FolderSource(tmp_path, parts={"train": "T", "test": "E"})).test_start == 2
