"""Which files paths stand for. Oracle: the folder as it was made here.

Cost: milliseconds. `pytest tests/study/winner/test_picture_files.py`
"""

import re
from pathlib import Path

import pytest

from bakeoff.errors import DataError
from bakeoff.study.winner.picture_files import picture_files


def _folder(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).touch()
    return path


def test_a_folder_stands_for_the_pictures_in_it_at_any_depth_in_order(tmp_path):
    pictures = ["a.png", "b/c.JPG", "b/d/e.webp"]
    folder = _folder(tmp_path, *pictures, "b/notes.txt", ".hidden.png")
    assert picture_files([folder]) == sorted(folder / name for name in pictures)


def test_a_file_stands_for_itself_whatever_its_ending_and_as_often_as_it_is_named(tmp_path):
    folder = _folder(tmp_path, "a.dat", "b.png")
    named = [folder / "b.png", str(folder / "a.dat"), folder / "b.png"]
    assert picture_files(named) == [Path(each) for each in named]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "expected the path of a picture or a folder, found an empty one"),
        ("nowhere", "nowhere: expected a picture or a folder, found nothing"),
        ("b", "b: expected pictures in it, found none"),
    ],
)
def test_what_stands_for_nothing_is_refused(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(_folder(tmp_path, "a.png", "b/notes.txt"))
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        picture_files(["a.png", name])
