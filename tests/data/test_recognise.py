"""What a path means.

Oracle: files written here. Cost: 1 s.

Run: pytest tests/data/test_recognise.py
"""

from bakeoff.data import CsvSource, TableSource
from bakeoff.data.recognise import recognise
from tests.helpers.tables import write_pixels


def test_a_folder_with_a_table_is_recognised(images):
    lines = [f"a{number}.png,{number % 2}" for number in range(6)]
    (images / "labels.csv").write_text("\n".join(["file,label", *lines]), encoding="utf-8")
    (images / "._labels.csv").write_bytes(b"of macOS")
    source = recognise(images)
    assert isinstance(source, TableSource)
    assert (source.size, source.color) == ((8, 8), "grey")


def test_a_folder_of_two_tables(tmp_path, rows):
    write_pixels(tmp_path / "mnist_train.csv", rows)
    write_pixels(tmp_path / "mnist_test.csv", rows)
    source = CsvSource(tmp_path / "mnist_train.csv", test=tmp_path / "mnist_test.csv")
    assert recognise(tmp_path) == recognise(tmp_path / "mnist_train.csv") == source
    (tmp_path / "mnist_test.csv").write_text("a,b\n1,2\n", encoding="utf-8")  # without labels
    assert recognise(tmp_path) == CsvSource(tmp_path / "mnist_train.csv")
