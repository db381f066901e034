"""Folders for a while: locked as long as they are used, then removed.

Oracle: what lies there. Cost: 1 s. Run: pytest tests/storage/test_scratch.py
"""

import os
import stat

import pytest

from bakeoff.storage.scratch import clear_scratch, scratch_folder


def test_a_folder_is_the_users_own_and_gone_afterwards(tmp_path):
    with scratch_folder(tmp_path, prefix="mine-") as path:
        assert path.parent == tmp_path and path.name.startswith("mine-")
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        (path / "images.npy").write_bytes(b"x")
    assert os.listdir(tmp_path) == []


def test_it_goes_after_an_error_too(tmp_path):
    with pytest.raises(ZeroDivisionError), scratch_folder(tmp_path):
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []


def test_what_a_killed_process_left_is_cleared_and_what_is_used_is_not(tmp_path):
    (tmp_path / "mine-dead.d").mkdir()
    (tmp_path / "mine-dead.d" / "images.npy").write_bytes(b"x")
    (tmp_path / "other.d").mkdir()
    with scratch_folder(tmp_path, prefix="mine-") as used:
        clear_scratch(tmp_path, prefix="mine-")
        assert used.is_dir()
        assert sorted(p.name for p in tmp_path.glob("*.d")) == sorted([used.name, "other.d"])


def test_a_new_one_clears_away_what_killed_processes_left(tmp_path):
    """Each killed `bakeoff tune` left its images, which only the next `run` removed."""
    (tmp_path / "dead.d").mkdir()
    with scratch_folder(tmp_path) as first, scratch_folder(tmp_path) as second:
        assert sorted(tmp_path.glob("*.d")) == sorted([first, second])
