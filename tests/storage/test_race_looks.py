"""The looks of a race: written once, read in order.

Oracle: by hand. Cost: nothing. Run: pytest tests/storage/test_race_looks.py
"""

import pytest

from bakeoff.errors import StorageError
from bakeoff.storage.race_looks import (
    dropped,
    dropped_models,
    look_folders,
    read_looks,
    write_look,
)
from bakeoff.storage.study_folder import StudyFolder


def look(after, **out):
    """A look after so many seeds, and which models it drops."""
    standings = [
        {
            "model": name,
            "seeds": list(range(after)),
            "accuracy": 0.5,
            "difference": 0.1,
            "p": 0.001,
            "dropped": gone,
        }
        for name, gone in out.items()
    ]
    return {
        "after": after,
        "leader": "best",
        "delta": 0.005,
        "level": 0.05,
        "images": 100,
        "standings": standings,
    }


@pytest.fixture
def folder(tmp_path):
    return StudyFolder(tmp_path)


def test_a_study_without_a_race_has_none(folder):
    assert read_looks(folder) == look_folders(folder) == []
    assert dropped_models(folder) == {}


def test_looks_are_numbered_and_read_in_order(folder):
    for number in range(11):
        write_look(folder, look(3 + number, a=number == 1, b=False))
    assert [each["look"] for each in read_looks(folder)] == list(range(1, 12))
    assert dropped_models(folder) == {"a": 4}
    assert dropped(read_looks(folder))["a"]["look"] == 2


def test_a_folder_that_is_named_otherwise_than_a_look_is_none(folder):
    write_look(folder, look(3, a=False))
    for name in ("007", "0", "2.partial", "٣"):
        (folder.path / "race" / name).mkdir()
    assert [path.name for path in look_folders(folder)] == ["1"]


def test_a_look_that_was_changed_is_refused(folder):
    write_look(folder, look(3, a=True))
    path = folder.path / "race" / "1" / "race.json"
    path.write_bytes(path.read_bytes().replace(b"true", b"false"))
    with pytest.raises(StorageError):
        dropped_models(folder)
