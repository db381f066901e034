"""Which column of a table of pixels holds the labels.

Oracle: tables written here, whose labels are known. Cost: 1 s.
Run: pytest tests/data/formats/test_label_column.py
"""

import numpy as np
import pytest

from bakeoff.data import CsvSource, load
from bakeoff.data.formats.csv_columns import head
from bakeoff.data.formats.label_column import label_column
from bakeoff.errors import DataError


def found(path, text, wanted=None):
    path.write_text(text, encoding="utf-8")
    return label_column(path, head(path), wanted)


@pytest.mark.parametrize(
    ("header", "wanted", "column"),
    [
        ("pixel0,pixel1,label", None, 2),
        ("pixel0,Class Name,pixel1", None, 1),
        ("type,pixel0,label", None, 2),  # the plainer word of two
        ("kind,pixel0,label", "kind", 0),
    ],
)
def test_names_tell_it(tmp_path, header, wanted, column):
    assert found(tmp_path / "a.csv", f"{header}\n1,2,3\n", wanted) == column


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            None,
            "expected a column of labels (label, labels, class, target …), found what, p0, p1, p2, "
            "p3, p4 …: name it, as in {csv: …, label: COLUMN}; a table without labels cannot be "
            "used",
        ),
        ("digit", "label: expected a column (what, p0, p1, p2, p3, p4, p5), found 'digit'"),
    ],
)
def test_names_that_do_not(tmp_path, wanted, message):
    with pytest.raises(DataError) as error:
        found(tmp_path / "a.csv", "what,p0,p1,p2,p3,p4,p5\n1,2,3,4,5,6,7\n", wanted)
    assert str(error.value) == message


FIRST, LAST = 0, 3


@pytest.mark.parametrize(
    ("firsts", "lasts", "column"),
    [
        ([0] * 10, range(10), LAST),  # a corner that is always black, or white
        ([255] * 10, range(10), LAST),
        (range(10), [0] * 10, FIRST),
        (range(10), [0] * 9 + [1], FIRST),  # mostly black
        (range(10), [0, 5, 255] * 3 + [0], FIRST),  # gaps between the values
        (range(10), [0.5, 1.5] * 5, FIRST),
        (range(10), ["a", "b"] * 5, LAST),
        (["a", "b"] * 5, range(10), FIRST),
        (range(10), [1, "2.0"] * 5, None),  # both may be numbers of classes
        (range(200), range(200), FIRST),  # more than data sets have classes
    ],
)
@pytest.mark.parametrize("cells", ["{},7,7,{}", '"{}";"7";"7";"{}"', "{}\t7\t7\t{} "])
def test_values_tell_it_where_there_are_no_names(tmp_path, firsts, lasts, column, cells):
    text = "\n".join(map(cells.format, firsts, lasts))
    if column is None:
        with pytest.raises(DataError, match="10 different values there and 2 in the last: say"):
            found(tmp_path / "a.csv", text)
    else:
        assert found(tmp_path / "a.csv", text) == column


def test_a_line_that_counts_the_columns_is_none_of_their_values(tmp_path):
    lines = [f"255,7,7,{number % 3}" for number in range(9)]
    assert found(tmp_path / "a.csv", "\n".join(["0,1,2,3", *lines])) == LAST


def test_of_two_columns_the_first_is_it(tmp_path):
    assert found(tmp_path / "a.csv", "0,1\n0,2\n0,3\n") == 0


def test_labels_in_the_last_column_of_a_table_without_names(tmp_path, rows):
    """As UCI's optdigits has them: the first pixel is always black."""
    assert not rows[0][:, 0].any()
    lines = [",".join(map(str, [*pixels, label])) for pixels, label in zip(*rows, strict=True)]
    path = tmp_path / "optdigits.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    data = load(CsvSource(path))
    np.testing.assert_array_equal(data.images.reshape(40, 64), rows[0])
    np.testing.assert_array_equal(data.labels, rows[1])
    assert "optdigits.csv: labels from the column 64" in data.notes


def test_labels_that_may_be_in_either_column_are_asked_for(tmp_path, rng):
    values = rng.integers(0, 256, (400, 10))
    values[:, 9] %= 3
    path = tmp_path / "photos.csv"
    np.savetxt(path, values, fmt="%d", delimiter=",")
    first = len(np.unique(values[:, 0]))
    message = (
        f"{path}: expected labels in the first column, found {first} different values there and 3 "
        "in the last: say which it is, as in {csv: …, label: 9} or label: 0"
    )
    with pytest.raises(DataError) as error:
        load(CsvSource(path))
    assert str(error.value) == message
    assert load(CsvSource(path, label="9")).n_classes == 3


def test_rows_sorted_by_class_do_not_hide_the_labels(tmp_path, rng):
    """The first 2,000 rows were looked at: their one label was taken for a black pixel."""
    labels, pixels = np.repeat([0, 1], [2100, 900]), rng.integers(0, 256, (3000, 9))
    path = tmp_path / "photos.csv"
    np.savetxt(path, np.column_stack([labels, pixels]), fmt="%d", delimiter=",")
    data = load(CsvSource(path))
    np.testing.assert_array_equal(data.labels, labels)
    np.testing.assert_array_equal(data.images.reshape(3000, 9), pixels)
    np.savetxt(path, np.column_stack([pixels, labels]), fmt="%d", delimiter=",")
    with pytest.raises(DataError, match="found 256 different values there and 2 in the last"):
        load(CsvSource(path))


def test_few_levels_and_few_rows_are_asked_about_too(tmp_path, rng):
    """Corners that are not black looked like the labels, and the labels like a pixel."""
    for levels, n_rows in {17: 600, 256: 90}.items():
        values = rng.integers(0, levels, (n_rows, 10))
        values[:, 9] = np.arange(n_rows) % 3
        path = tmp_path / "photos.csv"
        np.savetxt(path, values, fmt="%d", delimiter=",")
        with pytest.raises(DataError, match="say which it is"):
            load(CsvSource(path))
        np.savetxt(path, values[:, ::-1], fmt="%d", delimiter=",")
        if levels == 256:  # 90 rows of it have gaps between their values: no labels
            assert load(CsvSource(path, scale=255)).n_classes == 3


def test_labels_that_are_words_are_no_pixels(tmp_path, rng):
    values = rng.integers(0, 10, (40, 9)) + 246  # whose last column could be labels
    lines = [",".join(map(str, [f"kind{i % 3}", *row])) for i, row in enumerate(values)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert load(CsvSource(path)).class_names == ("kind0", "kind1", "kind2")
