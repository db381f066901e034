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
from bakeoff.data.python_data import is_declared
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
