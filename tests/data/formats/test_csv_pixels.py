"""Tables of pixels, as Kaggle's Digit Recognizer has them.

Oracle: scikit-learn's digits written as CSV. Cost: 2 s.
Run: pytest tests/data/formats/test_csv_pixels.py
"""

import re

import numpy as np
import pytest

from bakeoff.data import CsvSource, load
from bakeoff.data.recognise import recognise
from bakeoff.errors import DataError
from tests.helpers.tables import write_pixels


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"header": False},
        {"names": "{}", "label": "class", "last": True},
        {"names": "1x{}", "extra": "id"},
    ],
)
def test_forms(tmp_path, rows, form):
    data = load(CsvSource(write_pixels(tmp_path / "train.csv", rows, **form)))
    assert (data.input_shape, data.maximum) == ((8, 8, 1), 16)
    np.testing.assert_array_equal(data.images.reshape(40, 64), rows[0])
    np.testing.assert_array_equal(data.labels, rows[1])
    assert isinstance(recognise(tmp_path / "train.csv"), CsvSource)


def test_text_labels_a_test_part_and_a_shape(tmp_path, rows):
    pixels, labels = rows
    named = (pixels, [f"class {each}" for each in labels])
    train = write_pixels(tmp_path / "train.csv", named)
    test = write_pixels(tmp_path / "test.csv", (pixels[:10], named[1][:10]))
    data = load(CsvSource(train, test=test, shape=(4, 16)))
    assert (data.input_shape, data.test_start) == ((4, 16, 1), 40)
    assert data.class_names[3] == "class 3"


def test_tables_of_two_folders_may_have_the_same_name(tmp_path, rows):
    """They ended in a traceback."""
    (tmp_path / "test").mkdir()
    train, test = (write_pixels(tmp_path / each, rows) for each in ("a.csv", "test/a.csv"))
    data = load(CsvSource(train, test=test))
    assert (data.test_start, len(data.images), len(data.labels)) == (40, 80, 80)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"label": "digit"}, "label: expected a column (label, pixel0,"),
        ({"shape": (7, 7)}, "shape: expected 49 columns of pixels for 7 × 7, found 64"),
    ],
)
def test_refusals(tmp_path, rows, source, message):
    path = write_pixels(tmp_path / "train.csv", rows)
    with pytest.raises(DataError) as error:
        load(CsvSource(path, **source))
    assert str(error.value).startswith(f"{path}: {message}")


USAGES = {
    "fer": (["Training", "PublicTest", "PrivateTest"], "validation"),
    "train only": (["Training"], None),
    "names": (["train", "val", "test"], "validation"),
}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("kind", USAGES)
def test_a_column_says_the_parts(tmp_path, rows, packed, kind):
    """As in FER2013: pixels in one cell, and the parts of Kaggle's contest."""
    usages, _ = USAGES[kind]
    pixels, labels = rows
    said = [usages[place % len(usages)] for place in range(40)]
    cells = [" ".join(map(str, each)) if packed else ",".join(map(str, each)) for each in pixels]
    header = "emotion,pixels,Usage" if packed else f"emotion,{','.join(map(str, range(64)))},Usage"
    lines = [f"{kind},{cell},{use}" for kind, cell, use in zip(labels, cells, said, strict=True)]
    path = tmp_path / "fer.csv"
    path.write_text("\n".join([header, *lines]), encoding="utf-8")
    assert isinstance(recognise(path), CsvSource)
    data = load(CsvSource(path))
    order = np.argsort([usages.index(each) for each in said], kind="stable")
    np.testing.assert_array_equal(data.images.reshape(40, 64), pixels[order])
    np.testing.assert_array_equal(data.labels, labels[order])
    several = len(usages) > 1
    assert (data.validation_start, data.test_start) == ((14, 27) if several else (None, None))
    assert data.notes[0] == "fer.csv: labels from the column emotion, parts from Usage"


@pytest.mark.parametrize("form", [str, lambda each: " ".join(map(str, each))])
def test_all_pixels_in_one_cell_as_a_list(tmp_path, rows, form):
    """As a frame's column of lists, or of arrays, is written."""
    pixels, labels = rows
    cells = [form(each.tolist()) for each in pixels]
    lines = [f'{kind},"{cell}"' for kind, cell in zip(labels, cells, strict=True)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["label,pixels", *lines]), encoding="utf-8")
    np.testing.assert_array_equal(load(CsvSource(path)).images.reshape(40, 64), pixels)
    path.write_text(path.read_text().replace("0", "?"))
    with pytest.raises(DataError) as error:
        load(CsvSource(path))
    assert len(str(error.value)) < 300


def test_decimal_commas_in_one_cell_are_not_two_numbers(tmp_path, rows):
    """32 pixels were read as a square of 64."""
    lines = [f'{kind},"{" ".join(f"0,{each}" for each in pixels[:32])}"'
             for pixels, kind in zip(*rows, strict=True)]  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["label,pixels", *lines]), encoding="utf-8")
    with pytest.raises(DataError, match="expected a number for every pixel: could not convert"):
        load(CsvSource(path))


@pytest.mark.parametrize(
    "rows_of",
    [
        lambda pixels: ",".join(map(str, pixels)) + ",",
        lambda pixels: "\t".join(map(str, pixels)),
        lambda pixels: " ,".join(map(str, pixels)),
        lambda pixels: "\n".join(",".join(map(str, pixels[i : i + 8])) for i in range(0, 64, 8)),
    ],
)
def test_numbers_in_one_cell_are_read_whatever_is_between_them(tmp_path, rows, rows_of):
    lines = [f'{kind},"{rows_of(pixels)}"' for pixels, kind in zip(*rows, strict=True)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["label,pixels", *lines]), encoding="utf-8")
    assert (load(CsvSource(path)).images.reshape(len(lines), -1) == np.array(rows[0])).all()


def test_a_column_that_is_called_usage_and_says_something_else(tmp_path, rows):
    lines = [f"{kind},{' '.join(map(str, each))},home" for each, kind in zip(*rows, strict=True)]
    path = tmp_path / "a.csv"
    path.write_text("label,pixels,usage\n" + "\n".join(lines), encoding="utf-8")
    assert load(CsvSource(path)).notes[0] == "a.csv: labels from the column label; ignored usage"


def test_columns_sorted_as_text_are_put_in_the_order_of_their_numbers(tmp_path, rows):
    pixels, labels = rows
    order = sorted(range(64), key=str)  # pixel0, pixel1, pixel10, pixel11 …
    header = ",".join(["label", *(f"pixel{each}" for each in order)])
    lines = [
        ",".join(map(str, [label, *row[order]])) for row, label in zip(pixels, labels, strict=True)
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["", header, *lines]), encoding="utf-8")  # an empty line does no harm
    data = load(CsvSource(path))
    np.testing.assert_array_equal(data.images.reshape(40, 64), pixels)
    assert data.notes[0] == (
        "a.csv: labels from the column label; pixels in the order of their columns' numbers"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\n2,", "\n2,7,", "row 4: expected 65 columns as in the first row, found 66"),
        ("\n", "\n1,", "row 2: expected 65 columns as in the first row, found 66"),  # R's row names
        ("\n2,", "\nKäfer,", "expected text in UTF-8, found other bytes: save it as UTF-8"),
    ],
)
def test_rows_that_would_be_shifted(tmp_path, rows, old, new, message):
    path = write_pixels(tmp_path / "a.csv", rows)
    text = path.read_text(encoding="utf-8").replace(old, new, 1)
    path.write_text(text, encoding="latin-1")
    with pytest.raises(DataError) as error:
        load(CsvSource(path))
    assert str(error.value) == f"{path}: {message}"


def test_a_test_table_without_labels_is_no_test_part(tmp_path, rows):
    """As Kaggle's Kannada-MNIST: id and pixels, as many columns as in training."""
    train = write_pixels(tmp_path / "train.csv", rows)
    write_pixels(tmp_path / "test.csv", rows, label="id")
    assert recognise(train) == CsvSource(train)
    write_pixels(tmp_path / "test.csv", rows)
    assert recognise(train) == CsvSource(train, test=tmp_path / "test.csv")


@pytest.mark.parametrize("broken", ["x", ""])
def test_rows_are_counted_in_one_way(tmp_path, rows, broken):
    """From 1, the header with them: a wrong pixel was said to be two lines above its own."""
    path = write_pixels(tmp_path / "train.csv", rows)
    lines = path.read_text(encoding="utf-8").splitlines()
    for line, found in (
        (f"1,{broken}" + ",0" * 63, f"could not convert string '{broken}' to float32 at row 5, "),
        ("1,2,3", "row 5: expected 65 columns as in the first row, found 3"),
    ):
        path.write_text("\n".join([*lines[:4], line, *lines[5:]]), encoding="utf-8")
        with pytest.raises(DataError, match=re.escape(found)):
            load(CsvSource(path))


def test_columns_that_are_no_pixels_are_named(tmp_path):
    """Chinese MNIST as a table has a column of characters beside the labels."""
    rows = [",".join(["1"] * 64 + [str(n % 2), "零一"[n % 2]]) for n in range(4)]
    header = ",".join([*(f"pixel_{n}" for n in range(64)), "label", "character"])
    path = tmp_path / "a.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    with pytest.raises(DataError, match="found 65: take out character, or write shape"):
        load(CsvSource(path))
    rows = [",".join(["0"] * 63 + [str(n)]) for n in range(4)]  # as AHCD's csvTrainImages
    path.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(DataError, match="found 63: the column of labels is one more; a table "):
        load(CsvSource(path))
    header = ",".join(["label", *(f"pixel{n}" for n in range(35))])  # letters of 7×5
    path.write_text("\n".join([header, *(f"{n}" + ",1" * 35 for n in range(4))]), encoding="utf-8")
    with pytest.raises(DataError, match="found 35: write shape: "):
        load(CsvSource(path))
    assert load(CsvSource(path, shape=(7, 5))).input_shape == (7, 5, 1)


def test_tables_of_other_parts_are_named(tmp_path, rows):
    """A validation table beside the two, or a test table not named, was lost in silence."""
    for name in ("mnist_train", "mnist_valid", "mnist_test", "other_test"):
        write_pixels(tmp_path / f"{name}.csv", rows)
    (tmp_path / "mnist_dev.csv").write_text("id,pixel0\n1,2\n", encoding="utf-8")  # no labels
    cure = "test: names a table of test images, and validation images are taken from training"
    source = recognise(tmp_path)
    assert load(source).notes[2] == f"left out mnist_valid.csv beside mnist_train.csv: {cure}"
    assert load(CsvSource(source.csv)).notes[1] == (
        f"left out mnist_test.csv and mnist_valid.csv beside mnist_train.csv: {cure}"
    )
