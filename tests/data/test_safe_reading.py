"""What all readers share: whatever goes wrong is a DataError that begins with the name.

Oracle: whole messages. Cost: nothing. Run: pytest tests/data/test_safe_reading.py
"""

import os
import re

import pytest

from bakeoff.data import safe_reading
from bakeoff.data.safe_reading import check_different, check_memory, refusing, regular_file
from bakeoff.errors import ChecksumMismatch, DataError, StorageError


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (DataError("expected images"), "a.png: expected images"),
        (ChecksumMismatch("other content"), "a.png: other content"),
        (MemoryError(), "a.png: needs more memory than there is: free some, or make it smaller"),
        (OSError(13, "Permission denied"), "a.png: cannot be read: Permission denied"),
        (OSError(), "a.png: cannot be read: OSError"),
        (IndexError("b\x1b[31m"), "a.png: broken (b\\x1b[31m): get the file again"),
        (ValueError(), "a.png: broken (ValueError): get the file again"),
    ],
    ids=range(7),
)
def test_every_error_names_the_file(raised, said):
    kind = type(raised) if isinstance(raised, DataError) else DataError
    with pytest.raises(kind, match=f"^{re.escape(said)}$"), refusing("a.png"):
        raise raised


def test_an_error_of_another_kind_of_ours_passes():
    with pytest.raises(StorageError, match=r"^full$"), refusing("a.png"):
        raise StorageError("full")


def test_a_file_is_given_with_its_length(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    with regular_file(tmp_path / "a") as (file, length):
        assert (file.read(), length) == (b"abc", 3)


def test_a_pointer_of_git_lfs_is_called_one(tmp_path):
    """What a clone without Git LFS holds in place of every picture, array and table."""
    path = tmp_path / "a.png"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    text = f"{path}: a pointer of Git LFS, not the file itself: git lfs pull fetches it"
    with pytest.raises(DataError, match=f"^{re.escape(text)}$"), regular_file(path):
        pass


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_not_waited_for(tmp_path, make):
    make(tmp_path / "a")
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    text = f"{tmp_path / 'a'}: expected a file, found a folder, a pipe or a device"
    with pytest.raises(DataError, match=f"^{re.escape(text)}$"), regular_file(tmp_path / "a"):
        pass
    if before:
        assert len(os.listdir("/proc/self/fd")) == before


def test_one_folder_is_not_two_parts(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to("a")
    check_different({"train": tmp_path / "a", "test": tmp_path})
    for again in ("a", "a/", "b"):
        with pytest.raises(DataError, match=r"expected different .* for train and test, found "):
            check_different({"train": tmp_path / "a", "test": f"{tmp_path}/{again}"})


def test_half_of_the_free_memory_is_the_limit(monkeypatch):
    monkeypatch.setattr(safe_reading, "available_memory", lambda: 2001)
    check_memory(1000)
    text = (
        "expected at most 1,000 bytes of arrays (half of the free memory), found 1,001: use "
        "smaller images or fewer"
    )
    with pytest.raises(DataError, match=f"^{re.escape(text)}$"):
        check_memory(1001)
