"""Files under disks that fail: errors injected into every call that writes; locks; 2 s.

Run: pytest tests/storage/test_atomic.py
"""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import Timeout

from bakeoff.errors import StorageError, UsageError
from bakeoff.storage import atomic
from bakeoff.storage.study_folder import StudyFolder
from tests.helpers.disks import failing, largest_file


def test_a_file_that_cannot_be_written_keeps_what_it_held(tmp_path, monkeypatch):
    path = tmp_path / "study.json"
    atomic.write_file(path, b"old")
    monkeypatch.setattr(os, "fsync", failing(os.fsync, 0, errno.ENOSPC))
    with pytest.raises(StorageError):
        atomic.write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["study.json"]


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.EROFS, "read-only file system: choose another place for it"),
        (
            errno.EDQUOT,
            "disk quota exceeded: free some space and run the same command again; finished "
            "trials are kept",
        ),
        (
            errno.ENOENT,
            "no such file or directory: restore it, or delete its folder and "
            "run the study again; if that "
            "opens the test set again, it counts",
        ),
        (errno.ELOOP, "too many levels of symbolic links: see what is there"),
    ],
)
def test_what_the_system_refuses_is_a_sentence(tmp_path, code, advice):
    with (
        pytest.raises(StorageError, match=f"^{re.escape(f'{tmp_path}: {advice}')}$"),
        atomic.disk(tmp_path),
    ):
        raise OSError(code, "whatever")


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    def write(content, **how):
        with atomic.whole_folder(tmp_path / "new", **how) as folder:
            atomic.write_file(folder / "a", content)
            atomic.write_file(folder / "b", 2 * content)

    with largest_file(50), pytest.raises(StorageError, match="file too large"):
        write(b"x" * 40)
    assert list(tmp_path.iterdir()) == []
    write(b"x" * 40)
    write(b"y", replace=True)
    assert (tmp_path / "new" / "b").read_bytes() == b"yy"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


HOLD = """
import sys, time
from bakeoff.storage.study_folder import StudyFolder
from tests.helpers.disks import failing
with StudyFolder(sys.argv[1]).lock("study"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_live_lock_is_respected_and_a_dead_ones_is_free(tmp_path):
    folder = StudyFolder(tmp_path)
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Timeout), folder.lock("study", timeout=0):
            pass
        holder.kill()
        holder.wait()
        with folder.lock("study", timeout=5):
            pass


def test_a_lock_that_cannot_be_made_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "open", failing(os.open, 0, errno.EROFS))
    path = tmp_path / ".locks" / "study.lock"
    text = f"{path}: read-only file system: choose another place for it"
    with (
        pytest.raises(StorageError, match=f"^{re.escape(text)}$"),
        StudyFolder(tmp_path).lock("study"),
    ):
        pass


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/proc/nope/file", "no such file or directory: choose another place for it"),
        ("/dev/null/x/file", "not a directory: choose another place for it"),
        (f"{'x' * 300}/file", "file name too long: choose a shorter one"),
    ],
)
def test_a_place_where_nothing_can_be_is_the_users_to_change(path, text):
    """They were told to restore a study that was damaged."""
    for write in (lambda: atomic.write_file(Path(path), b""), lock(path)):
        with pytest.raises(UsageError, match=f"^{re.escape(f'{path}: {text}')}$"):
            write()


def lock(path):
    def hold():
        with atomic.lock_file(Path(path)):
            pass

    return hold
