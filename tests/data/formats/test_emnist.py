"""EMNIST's files, which store images column by column.

Oracle: images written here, and digits as CSV, transposed by NumPy. Cost: 1 s.
Run: pytest tests/data/formats/test_emnist.py
"""

from pathlib import Path

import numpy as np
import pytest

from bakeoff.data import CsvSource, load
from bakeoff.data.formats.emnist import COLUMN_BY_COLUMN, is_emnist, transposed
from bakeoff.data.in_memory.arrays import Given
from bakeoff.data.recognise import recognise
from tests.helpers.tables import write_pixels

LETTERS = Path("emnist-letters-train-images-idx3-ubyte")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("emnist-letters-train-images-idx3-ubyte", True),
        ("EMNIST/raw/train-images-idx3-ubyte", True),
        ("data/EMNIST_Digits.csv", True),
        ("mnist/train-images-idx3-ubyte", False),
        ("emnist/copies/of/mnist/train.csv", False),  # too far above it to be about it
    ],
)
def test_names(path, expected):
    assert is_emnist(Path(path)) is expected


def test_rows_and_columns_of_every_image_are_exchanged():
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    parts = {part: Given(images, np.array([7, 8]), "a", "b") for part in ("train", "test")}
    found, notes = transposed(parts, True, LETTERS)
    assert (list(found), notes) == (["train", "test"], ())
    for each in found.values():
        assert [image.tolist() for image in each.images] == [image.T.tolist() for image in images]
        assert each.images.flags.c_contiguous
        assert (each.labels.tolist(), each.images_name, each.labels_name) == ([7, 8], "a", "b")


@pytest.mark.parametrize(
    ("transpose", "path", "notes"),
    [
        (None, LETTERS, (COLUMN_BY_COLUMN,)),
        (None, Path("train-images-idx3-ubyte"), ()),
        (False, LETTERS, ()),
    ],
)
def test_they_stay_as_they_are_where_the_recipe_does_not_say_so(transpose, path, notes):
    given = Given(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.array([7, 8]))
    assert transposed({"train": given}, transpose, path) == ({"train": given}, notes)


def test_emnist_in_a_table_lies_column_by_column(tmp_path, rows):
    path = write_pixels(tmp_path / "emnist-letters-train.csv", rows, header=False)
    assert recognise(path) == CsvSource(path, transpose=True)
    upright = load(CsvSource(path, transpose=True)).images
    np.testing.assert_array_equal(upright.transpose(0, 2, 1, 3).reshape(40, 64), rows[0])
    assert any("transpose: true" in note for note in load(CsvSource(path)).notes)
