"""What lies in a folder of images and below: levels, links, what is read once.

Oracle: the folders written out here by hand. Cost: 1 s.
Run: pytest tests/data/folders/test_folder_walk.py
"""

from bakeoff.data.folders.folder_walk import Seen, Walk
from tests.helpers.folders import grey, read, save


def fill(folder):
    for number in (0, 1):
        save(folder / f"{number}.png", grey(number))


def two(folder):
    for name in ("cat", "dog"):
        fill(folder / name)


def test_folders_too_deep_are_noted(tmp_path):
    two(tmp_path)
    fill(tmp_path / "cat/a/b/c/d/e/f/g/h")
    assert len(read(tmp_path).labels) == 6
    fill(tmp_path / "cat/a/b/c/d/e/f/g/h/i/j")
    data = read(tmp_path)
    assert len(data.labels) == 6
    assert data.notes[1] == (
        "did not look into 1 folder more than 8 levels inside a class folder: cat/a/b/c/d/e/f/g/h/i"
    )


def test_marks_of_downloads_are_not_seen(tmp_path):
    """Windows's, beside every file that is copied from it to its Linux."""
    two(tmp_path)
    (tmp_path / "cat" / "0.png:Zone.Identifier").write_text("[ZoneTransfer]\nZoneId=3\n")
    (tmp_path / "read.csv:Zone.Identifier").write_text("[ZoneTransfer]\nZoneId=3\n")
    assert not any("Zone" in note for note in read(tmp_path).notes)


def test_no_folder_is_read_twice_in_a_class(tmp_path):
    """Classes that are linked into each other were read nine times."""
    two(tmp_path)
    fill(tmp_path / "cat" / "b")
    (tmp_path / "cat" / "d").symlink_to(tmp_path / "dog")
    (tmp_path / "dog" / "c").symlink_to(tmp_path / "cat")
    (tmp_path / "cat" / "e").symlink_to(tmp_path / "cat" / "b")
    data = read(tmp_path)
    assert data.files == (
        *("cat/0.png", "cat/1.png", "cat/b/0.png", "cat/b/1.png", "dog/0.png", "dog/1.png"),
    )
    assert data.notes[1] == (
        "did not enter 3 folders again, here or in another class: cat/d, cat/e, dog/c"
    )


def test_pictures_are_looked_for_below(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    (tmp_path / "c").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "b" / "read.txt").write_text("x")
    assert not Walk(tmp_path, Seen()).has_pictures(str(tmp_path))
    (tmp_path / "a" / "b" / "1.PNG").write_text("x")
    assert Walk(tmp_path, Seen()).has_pictures(str(tmp_path))
