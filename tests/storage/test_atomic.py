"""Files under disks that fail: errors injected into every call that writes; 1 s.

Run: pytest tests/storage/test_atomic.py
"""

import errno
import os
import re
from pathlib import Path

import pytest

from bakeoff.errors import StorageError, UsageError
from bakeoff.storage import atomic
from bakeoff.storage.locks import lock_file
from tests.helpers.disks import failing, largest_file


def test_a_file_that_cannot_be_written_keeps_what_it_held(tmp_path, monkeypatch):
    path = tmp_path / "study.json"
    atomic.write_file(path, b"old")
    monkeypatch.setattr(os, "fsync", failing(os.fsync, 0, errno.ENOSPC))
    with pytest.raises(StorageError):
        atomic.write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["study.json"]


@pytest.mark.parametrize("able", [True, False])
def test_on_macos_the_drive_is_asked_to_write(able, tmp_path, monkeypatch):
    """fsync leaves what was written in its cache there."""
    asked, plain = [], []

    def fcntl(descriptor, command):
        asked.append(command)
        if not able:
            raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(atomic.fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(atomic.fcntl, "fcntl", fcntl)
    monkeypatch.setattr(os, "fsync", plain.append)
    atomic.write_file(tmp_path / "study.json", b"new")
    assert asked == [51, 51]  # the file and its folder
    assert len(plain) == (0 if able else 2)


def test_a_file_that_is_interrupted_leaves_nothing(tmp_path, monkeypatch):
    """Ctrl-C and SIGTERM left a temporary file."""

    def interrupted(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        atomic.write_file(tmp_path / "study.json", b"new")
    assert list(tmp_path.iterdir()) == []


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
            errno.EFBIG,
            "file too large: raise the limit on the size of a file (ulimit -f) and run the same "
            "command again; finished trials are kept",
        ),
        (
            errno.ENOENT,
            "no such file or directory: restore it, or delete its folder and "
            "run the study again; if that "
            "opens the test set again, that is counted",
        ),
        (
            errno.EMFILE,
            "too many open files: raise the limit on open files (ulimit -n) and run the same "
            "command again; finished trials are kept",
        ),
        (errno.EISDIR, "is a directory: move that away"),
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
    with pytest.raises(UsageError, match=f"^{re.escape(f'{path}: {text}')}$"):
        atomic.write_file(Path(path), b"")
    with (
        pytest.raises(UsageError, match=f"^{re.escape(f'{path}: {text}')}$"),
        lock_file(Path(path)),
    ):
        pass
