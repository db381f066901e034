"""Which columns of a table hold pixels, and their order.

Oracle: names written here, and values that were written in the order of the image. Cost: 1 s.
Run: pytest tests/data/formats/test_pixel_columns.py
"""

import numpy as np
import pytest

from bakeoff.data import CsvSource, load
from bakeoff.data.formats.pixel_columns import in_order, is_of_pixels


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["emotion", "Pixels", "Usage"], True),  # all in one cell
        (["label", *(f"pixel{each}" for each in range(784))], True),
        ([str(each) for each in range(17)], True),
        ([str(each) for each in range(16)], False),  # as few may be measurements
        (["file", "label"], False),
        ([*(f"finding{each}" for each in range(12)), *"abcdefgh"], False),
    ],
)
def test_tables_of_pixels_are_told_by_their_columns(columns, expected):
    assert is_of_pixels(columns) is expected


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        ("p0 p1 p10 p11 p2 p3 p4 p5 p6 p7 p8 p9", "p0 p1 p2 p3 p4 p5 p6 p7 p8 p9 p10 p11"),
        ("10 8 9", "8 9 10"),
        ("p2 P1", "P1 p2"),
        ("p1 p2 p3", "p1 p2 p3"),
        ("10x1 10x2 1x1 1x2", "1x1 1x2 10x1 10x2"),
        ("r1 r2 g1 g2 b1 b2", "r1 g1 b1 r2 g2 b2"),
        ("B_1 B_2 G_1 G_2 R_1 R_2", "R_1 G_1 B_1 R_2 G_2 B_2"),
        ("red1 green1 blue1 red2 green2 blue2", "red1 green1 blue1 red2 green2 blue2"),
    ],
)
def test_numbers_give_the_order(names, ordered):
    columns = ["label", *names.split()]
    found, moved = in_order(columns, list(range(1, len(columns))))
    assert [columns[each] for each in found] == ordered.split()
    assert moved is (names != ordered)


@pytest.mark.parametrize(
    "names",
    [
        "p3 p1 p9",  # some are missing
        "p2 p1 p2",  # or there twice
        "p2 q1 p0",  # of two kinds
        "p p1 p0",
        "2x1 1x1",  # a grid whose names no sorting has put so
        "10x1 1x1 1x2",  # no grid
        "r2 r1 g2 g1",  # no colours without the third
        "r2 g2 b2 r1 g1",
        "1x1x2 1x1x1",
    ],
)
def test_names_that_tell_no_order_stay_as_they_are(names):
    columns = names.split()
    pixels = list(range(len(columns)))
    assert in_order(columns, pixels) == (pixels, False)


def columns(path, names, values):
    lines = [",".join(map(str, [number % 2, *row])) for number, row in enumerate(values)]
    path.write_text("\n".join([",".join(["label", *names]), *lines]), encoding="utf-8")
    return path


def test_names_of_rows_and_columns_sorted_as_text_are_put_in_order(tmp_path, rng):
    """Kaggle's mnist_train.csv has 1x1 … 28x28, which pandas sorts as 10x1, 10x10, …, 1x1."""
    names = [f"{row}x{column}" for row in range(1, 12) for column in range(1, 12)]
    values = rng.integers(0, 256, (20, 121))
    order = sorted(range(121), key=names.__getitem__)
    path = columns(tmp_path / "a.csv", [names[each] for each in order], values[:, order])
    data = load(CsvSource(path))
    np.testing.assert_array_equal(data.images.reshape(20, 121), values)
    assert "in the order of their columns' numbers" in data.notes[0]
    turned = [f"{column}x{row}" for row in range(1, 12) for column in range(1, 12)]
    path = columns(tmp_path / "b.csv", turned, values)  # no order of text: as they stand
    np.testing.assert_array_equal(load(CsvSource(path)).images.reshape(20, 121), values)


@pytest.mark.parametrize("colours", [("r", "g", "b"), ("Red_", "Green_", "Blue_")])
def test_colours_one_after_the_other_are_put_side_by_side(tmp_path, rng, colours):
    planes = rng.integers(0, 256, (20, 3, 4, 4))
    names = [f"{colour}{number}" for colour in colours for number in range(16)]
    path = columns(tmp_path / "a.csv", names, planes.reshape(20, 48))
    data = load(CsvSource(path, shape=(4, 4, 3)))
    np.testing.assert_array_equal(data.images, planes.transpose(0, 2, 3, 1))
