"""CSV files as tables: separators, headers, columns.

Oracle: tables written here. Cost: 1 s.

Run: pytest tests/data/formats/test_csv_columns.py
"""

import csv
import tracemalloc

import numpy as np
import pytest

from bakeoff.data import CsvSource, load, safe_reading
from bakeoff.data.formats import csv_columns
from bakeoff.errors import DataError
from tests.helpers.tables import write_pixels


def test_broken_tables(tmp_path, rows):
    path = write_pixels(tmp_path / "train.csv", (rows[0][:, :63], rows[1]))
    with pytest.raises(DataError, match="as a square image has, found 63"):
        load(CsvSource(path))
    text = write_pixels(path, rows).read_text(encoding="utf-8")
    path.write_text(text.replace(",16", ",x", 1), encoding="utf-8")
    with pytest.raises(DataError, match="expected a number for every pixel"):
        load(CsvSource(path))
    path.write_bytes(b"\0\1\2")
    with pytest.raises(DataError, match="expected a table with a line for each image"):
        load(CsvSource(path))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("1 0 255 16\n0 3 4 5\n", "1 0 255 16"),  # numpy.savetxt without delimiter
        ("images/1.jpg 0\nimages/2.jpg 1\n", "images/1.jpg 0"),
        ("# from the label tool\nfile,label\n1.jpg,cat\n", "# from the label tool"),
    ],
)
def test_spaces_separate_no_columns(tmp_path, text, first):
    """All numbers of a line were called the name of its one column."""
    path = tmp_path / "train.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        csv_columns.head(path)
    assert str(error.value) == (
        f"{path}: expected columns separated by commas, semicolons, tabs or |, found spaces in the "
        f"first line ({first}): save it with commas, and with the columns' names in the first line"
    )


@pytest.mark.parametrize(
    "header",
    [
        [str(each) for each in range(65)],
        ["0", *(f"0.{each}" for each in range(1, 65))],  # pandas, of a file without a header
        ["5", "0", *(f"0.{each}" for each in range(1, 64))],
    ],
)
def test_a_header_of_numbers_is_no_image(tmp_path, rows, header):
    path = write_pixels(tmp_path / "a.csv", rows, header=False)
    path.write_text(",".join(header) + "\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    data = load(CsvSource(path))
    np.testing.assert_array_equal(data.images.reshape(40, 64), rows[0])
    np.testing.assert_array_equal(data.labels, rows[1])


@pytest.mark.parametrize("first", [0, 1])
def test_a_header_that_names_the_label_and_counts_the_pixels(tmp_path, rows, first):
    """As pandas writes a frame of pixels; it was read as an image of a class called label."""
    header = ["label", *map(str, range(first, first + 64))]
    path = write_pixels(tmp_path / "a.csv", rows, header=False)
    path.write_text(",".join(header) + "\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    data = load(CsvSource(path))
    np.testing.assert_array_equal(data.labels, rows[1])
    assert data.notes == ("a.csv: labels from the column label",
                          "the largest pixel is 16: pixels are divided by 16")  # fmt: skip


def test_parts_that_some_rows_do_not_say_are_asked_for(tmp_path, rows):
    path = write_pixels(tmp_path / "a.csv", rows)
    lines = path.read_text(encoding="utf-8").splitlines()
    said = ["split", *["train"] * 20, *[""] * 10, *["test"] * 10]
    path.write_text("\n".join(f"{a},{b}" for a, b in zip(lines, said, strict=True)), "utf-8")
    with pytest.raises(DataError) as error:
        load(CsvSource(path))
    message = (
        f"{path}: split: expected train, validation or test, found '': write one of these, or "
        "call the column something else"
    )
    assert str(error.value) == message


def test_a_table_of_text_takes_little_more_memory_than_its_bytes(tmp_path):
    """FER2013 has 301 MB in cells of text: it was refused as too large."""
    path = tmp_path / "faces.csv"
    path.write_text("label,pixels\n" + f"0,{'255 ' * 2304}\n" * 500, encoding="utf-8")
    begin = csv_columns.head(path)
    tracemalloc.start()
    assert len(csv_columns.rows(path, begin)) == 500
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * path.stat().st_size


def test_a_table_of_text_is_judged_by_the_free_memory(tmp_path, monkeypatch):
    path = tmp_path / "faces.csv"
    path.write_text("label,pixels\n0,1 2 3 4\n", encoding="utf-8")
    monkeypatch.setattr(safe_reading, "available_memory", lambda: 100)
    with pytest.raises(DataError, match="expected at most 50 bytes of arrays"):
        csv_columns.rows(path, csv_columns.head(path))


@pytest.mark.parametrize("header", [None, "{}", "{:04}"])
def test_words_in_the_last_column_are_labels(tmp_path, rows, header):
    """Without a header the first image was taken for one, and no column of labels was found."""
    path = tmp_path / "a.csv"
    lines = [[*pixels, f"kind {label}"] for pixels, label in zip(*rows, strict=True)]
    if header is not None:
        lines = [[*map(header.format, range(64)), "label"], *lines]
    path.write_text("\n".join(",".join(map(str, line)) for line in lines), encoding="utf-8")
    data = load(CsvSource(path))
    np.testing.assert_array_equal(data.images.reshape(40, 64), rows[0])
    assert [data.class_names[each] for each in data.labels] == [f"kind {each}" for each in rows[1]]


def test_a_cell_may_hold_a_large_image(tmp_path):
    """Of 224 × 224 pixels; no table was said to be there."""
    path = tmp_path / "faces.csv"
    usual = csv.field_size_limit()
    path.write_text("label,pixels\n" + "".join(f"{n},{'255 ' * 224**2}\n" for n in (0, 1)), "utf-8")
    assert load(CsvSource(path)).images.shape == (2, 224, 224, 1)
    assert csv.field_size_limit() == usual
