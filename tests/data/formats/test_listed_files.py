"""Files that tables and frames list: names in two Unicode forms, lines that are there twice.

Oracle: pictures of one grey, written here. Cost: 1 s.
Run: pytest tests/data/formats/test_listed_files.py
"""

import unicodedata

import pandas as pd
import pytest
from PIL import Image

from bakeoff.data import TableSource, load, own_parts
from bakeoff.data.in_memory.python_data import from_python
from bakeoff.errors import DataError


def read(root, lines):
    (root / "labels.csv").write_text("\n".join(["file,label,split", *lines]), encoding="utf-8")
    return load(TableSource(root / "labels.csv", size=(4, 4), scale=255))


@pytest.fixture
def photos(tmp_path):
    for number in range(6):
        Image.new("L", (4, 4), 10 * number).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize(("disk", "table"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_names_in_another_unicode_form_are_found(tmp_path, disk, table):
    """macOS takes accents apart; the two forms look the same."""
    for number in range(4):
        name = unicodedata.normalize(disk, f"été {number}.png")
        Image.new("L", (4, 4), 10 * number).save(tmp_path / name)
    lines = [f"été {number}.png,{'ab'[number % 2]},train" for number in range(4)]
    data = read(tmp_path, [unicodedata.normalize(table, line) for line in lines])
    assert data.images[:, 0, 0, 0].tolist() == [0, 10, 20, 30]
    assert not any("did not find" in note for note in data.notes)


def test_scanners_write_endings_in_capitals(tmp_path):
    for number in range(4):
        Image.new("L", (4, 4), 10 * number).save(tmp_path / f"S{number}.TIF")
    data = read(tmp_path, [f"S{number},{'ab'[number % 2]},train" for number in range(4)])
    assert data.images[:, 0, 0, 0].tolist() == [0, 10, 20, 30]


def test_a_file_in_several_lines_is_read_once(photos):
    """As in tables of boxes, a line for each box; copies would stand in training and test."""
    lines = [f"{n}.png,{'ab'[n % 2]},{'test' if n > 3 else 'train'}" for n in range(6)]
    data = read(photos, [*lines, lines[1], "./5.png,b,test", lines[1]])
    assert {part: len(rows) for part, rows in own_parts(data).items()} == {"train": 4, "test": 2}
    assert data.images[:, 0, 0, 0].tolist() == [0, 10, 20, 30, 40, 50]
    assert "read once 2 files listed more than once: 1.png and 5.png" in data.notes


def test_a_file_of_several_labels_is_refused(photos):
    lines = [f"{number}.png,{'ab'[number % 2]},train" for number in range(6)]
    with pytest.raises(DataError, match=r"found 1 file with several, such as 3\.png \(b and a\)"):
        read(photos, [*lines, "3.png,a,train"])


def test_labels_that_say_the_same_number_are_one(photos):
    """Of two tables put together: pandas writes whole numbers as 1.0 where some are missing."""
    lines = [f"{number}.png,{number % 2},train" for number in range(6)]
    assert len(read(photos, [*lines, "3.png,1.0,train"]).labels) == 6


def test_a_frame_that_holds_lines_twice(photos):
    frame = pd.DataFrame(
        {"path": [str(photos / f"{n}.png") for n in range(6)], "label": [*"ababab"]}
    )
    data = from_python(pd.concat([frame, frame]))
    assert data.images[:, 0, 0, 0].tolist() == [0, 10, 20, 30, 40, 50]


def test_what_a_table_says_and_what_is_there_are_shown(photos):
    lines = [f"/content/drive/MyDrive/{number}.png,{'ab'[number % 2]},train" for number in range(6)]
    with pytest.raises(DataError) as error:
        read(photos, lines)
    assert "file says /content/drive/MyDrive/0.png, and pictures in" in str(error.value)
    assert "are called 0.png, 1.png, 2.png and 3 more; say where" in str(error.value)


def test_files_in_folders_of_parts_are_noted(tmp_path):
    """As in a metadata.csv of Hugging Face's; test images were trained on, without a word."""
    files = [f"{part}/{number}.png" for part in ("train", "test") for number in range(4)]
    for number, file in enumerate(files):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        Image.new("L", (4, 4), 10 * number).save(tmp_path / file)
    note = (
        "the files lie in train/ and test/, which are not taken for parts: where they are, say so "
        "by a column split (train, val, test)"
    )

    def notes(files):
        labels = [number % 2 for number in range(len(files))]
        frame = pd.DataFrame({"path": [tmp_path / file for file in files], "label": labels})
        pd.DataFrame({"path": files, "label": labels}).to_csv(tmp_path / "all.csv", index=False)
        table = load(TableSource(tmp_path / "all.csv", size=(4, 4), scale=255))
        return from_python(frame).notes, table.notes

    assert all(note in each for each in notes(files))
    assert not any(note in each for each in notes(files[:4]))
    lines = [f"{file},{number % 2},{file[:-6]}" for number, file in enumerate(files)]
    assert note not in read(tmp_path, lines).notes


def test_paths_of_a_frame_may_be_relative_and_absolute(photos, monkeypatch):
    """Looking for folders of parts among them ended in a ValueError."""
    monkeypatch.chdir(photos)
    (photos / "more").mkdir()
    Image.new("L", (4, 4), 200).save("more/6.png")
    paths = ["0.png", "more/6.png", str(photos / "1.png"), str(photos / "2.png")]
    read = from_python(pd.DataFrame({"path": paths, "label": [0, 1, 0, 1]}))
    assert sorted(read.images[:, 0, 0, 0].tolist()) == [0, 10, 20, 200]
