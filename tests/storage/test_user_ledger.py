"""The user's own ledger: openings of the same test set elsewhere.

Oracle: lines that are written here. Cost: 2 s.

Run: pytest tests/storage/test_user_ledger.py
"""

import errno
import os
import re
import shutil

import pytest

from bakeoff.analysis.compare import compare
from bakeoff.errors import DamagedFile, StorageError
from bakeoff.storage.ledger import append_ledger
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.user_ledger import (
    Elsewhere,
    openings_elsewhere,
    require_user_ledger,
    user_ledger,
)
from tests.helpers.disks import failing, largest_file
from tests.helpers.fake_study import write_study


def test_openings_elsewhere_are_those_of_other_studies(tmp_path):
    study = write_study(tmp_path / "s", name="mine")
    other = write_study(tmp_path / "t", name="other", openings=2)
    test_hash = study.read_study()["data"]["test_hash"]
    for folder in (study, other):
        for line in folder.read_ledger():
            body = {k: v for k, v in line.items() if k not in ("before", "sha256")}
            append_ledger(user_ledger(test_hash), {**body, "folder": str(folder.path)})
    assert compare([study]).openings_elsewhere == 2
    moved = shutil.move(study.path, tmp_path / "elsewhere")
    assert compare([StudyFolder(moved)]).openings_elsewhere == 2
    assert compare([StudyFolder(moved), other]).openings_elsewhere == 0


def test_a_damaged_user_ledger_says_that_nobody_knows(tmp_path):
    study = write_study(tmp_path / "s")
    ledger = user_ledger(study.read_study()["data"]["test_hash"])
    ledger.parent.mkdir(parents=True)
    ledger.write_text("{}\n")
    result = compare([study])
    assert result.openings_elsewhere is None
    assert result.to_json()["openings_elsewhere"] is None
    found = next(each for each in result.findings if each.code == "opened-elsewhere")
    assert found.advice == "Restore the ledger, or move it away; bakeoff doctor names the file."


@pytest.mark.parametrize("text", ["{}\n", '{"a": 1}\r\n'])
def test_what_to_do_about_a_damaged_user_ledger_suits_it_and_not_a_study(text):
    """No other --out helps: the next study of this test set would read the same ledger."""
    ledger = user_ledger("0" * 64)
    ledger.parent.mkdir(parents=True)
    ledger.write_bytes(text.encode())
    with pytest.raises(DamagedFile) as error:
        require_user_ledger("0" * 64)
    assert str(error.value) == (
        f"{ledger}: expected a ledger in which every line follows from the one before, found one "
        "that was changed: restore it from a copy, or move it away, which forgets the openings in "
        "it (BAKEOFF_HOME names the folder of your own ledgers)"
    )
    ledger.rename(ledger.with_suffix(".away"))
    require_user_ledger("0" * 64)


def test_the_user_ledger_lies_where_the_user_wants_it(monkeypatch, tmp_path):
    name = "0123456789abcdef" * 4
    monkeypatch.setenv("BAKEOFF_HOME", str(tmp_path / "home"))
    assert user_ledger(name) == tmp_path / "home/ledger" / f"{name}.jsonl"
    monkeypatch.delenv("BAKEOFF_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tmp_path in user_ledger(name).parents
    assert user_ledger(name).parts[-2:] == ("ledger", f"{name}.jsonl")
    with pytest.raises(ValueError, match=re.escape("expected a test set's SHA-256 of 64 digits")):
        user_ledger("../../etc/passwd")
    assert openings_elsewhere(name, []) == Elsewhere(0, 0.0)


def test_a_full_disk_is_seen_before_a_line_is_written(monkeypatch):
    """B5: an empty file found room there, and the line did not, after all training."""
    name = "0123456789abcdef" * 4
    own = user_ledger(name)
    require_user_ledger(name)
    append_ledger(own, {"opening": 1})
    with largest_file(own.stat().st_size + 1000), pytest.raises(StorageError, match="too large"):
        require_user_ledger(name)
    monkeypatch.setattr(os, "fsync", failing(os.fsync, 0, errno.ENOSPC))
    with pytest.raises(StorageError) as error:
        require_user_ledger(name)
    assert str(error.value) == (
        f"{own}: no space left on device: free some space and run the same command again; finished "
        "trials are kept (BAKEOFF_HOME names the folder of your own ledgers)"
    )
    assert set(os.listdir(own.parent)) == {own.name, own.with_suffix(".lock").name}
