"""Folders written whole or not at all, every byte of small ones flipped; 2 s.

Run: pytest tests/storage/test_written_folder.py
"""

import errno
import json
import os
import re
import shutil

import numpy as np
import pytest

from bakeoff.errors import StorageError
from bakeoff.storage import array_files, formats, written_folder
from tests.helpers.disks import DAMAGED, failing

FILES = {
    "trial.json": formats.canonical({"model": "cnn", "seed": 3}),
    "inner/weights.npy": array_files.npy_bytes(np.arange(4, dtype=np.float32)),
    "empty": b"",
    written_folder.TIMING: formats.sealed_json({"seconds": 1.5}),
}


def write(tmp_path):
    target = tmp_path / "trials" / "cnn" / "seed-3"
    written_folder.write_folder(target, FILES, scratch=tmp_path / "scratch")
    return target


def test_a_folder_is_what_was_given_and_its_scratch_is_gone(tmp_path):
    target = write(tmp_path)
    found = {
        str(path.relative_to(target)): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file()
    }
    manifest = json.loads(found.pop("manifest.json"))
    assert found == FILES
    assert sorted(manifest["files"]) == ["empty", "inner/weights.npy", "trial.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["trials"]
    assert written_folder.check_folder(target) == []


def test_what_a_system_leaves_in_a_folder_is_no_stranger(tmp_path):
    target = write(tmp_path)
    (target / ".ipynb_checkpoints").mkdir()
    left = (".DS_Store", "inner/.DS_Store", "._trial.json", "Thumbs.db", "inner/desktop.ini")
    for name in (*left, ".ipynb_checkpoints/trial-checkpoint.json", ".hidden"):
        (target / name).write_bytes(b"x")
    assert written_folder.check_folder(target) == [f"{target / '.hidden'}: not written by Bakeoff"]
    files = {str(p.relative_to(target)): p.read_bytes() for p in target.rglob("*") if p.is_file()}
    assert written_folder.unlike_manifest(files) == [".hidden"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize(
    ("name", "times"), [("fsync", 11), ("replace", 5), ("rename", 1), ("open", 6)]
)
def test_a_disk_that_fails_at_any_step_leaves_no_folder(tmp_path, monkeypatch, name, times, code):
    """Five files are written, each with two fsyncs and a replace; then the folder is renamed."""
    target = tmp_path / "trials" / "cnn" / "seed-3"
    advice = {
        errno.ENOSPC: "no space left on device: free some space and run the same command again; "
        "finished trials are kept",
        errno.EIO: "input/output error: check the disk before you trust anything on it",
        errno.EACCES: "permission denied: choose another place for it, or change who may "
        "write and read there",
    }[code]
    for number in range(times):
        with monkeypatch.context() as patched:
            patched.setattr(os, name, failing(getattr(os, name), number, code))
            with pytest.raises(StorageError) as caught:
                write(tmp_path)
        place, _, text = str(caught.value).partition(": ")
        assert text == advice
        assert place.startswith(str(tmp_path))
        if name in ("fsync", "open") and number == times - 1:  # it was renamed before: it is whole
            assert target.exists()
        else:
            assert not target.exists()
            write(tmp_path)  # what was left over is in nobody's way
        assert written_folder.check_folder(target) == []
        shutil.rmtree(target)


def test_a_written_folder_is_not_written_again(tmp_path):
    target = write(tmp_path)
    text = f"{target}: directory not empty: see what is there"
    with pytest.raises(StorageError, match=f"^{re.escape(text)}$"):
        write(tmp_path)
    assert written_folder.check_folder(target) == []


def test_every_flipped_byte_is_found_and_its_file_named(tmp_path):
    target = write(tmp_path)
    for name in [*FILES, "manifest.json"]:
        path = target / name
        content = path.read_bytes()
        for position in range(len(content)):
            flipped = bytearray(content)
            flipped[position] ^= 1
            path.write_bytes(flipped)
            assert written_folder.check_folder(target) == [f"{path}: {DAMAGED}"]
        path.write_bytes(content)
    assert written_folder.check_folder(target) == []


def test_a_file_cut_short_or_lost_or_added_is_found(tmp_path):
    target = write(tmp_path)
    weights = target / "inner" / "weights.npy"
    weights.write_bytes(FILES["inner/weights.npy"][:-1])
    assert written_folder.check_folder(target) == [f"{weights}: {DAMAGED}"]
    weights.unlink()
    (target / "note.txt").write_text("mine")
    assert written_folder.check_folder(target) == [
        f"{weights}: no such file or directory: restore it, or delete its folder and run the "
        "study again; if that opens the test set again, that is counted",
        f"{target / 'note.txt'}: not written by Bakeoff",
    ]


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'{"files": {}}', b"[" * 9999])
def test_a_manifest_that_is_none_is_refused(tmp_path, content):
    target = write(tmp_path)
    (target / "manifest.json").write_bytes(content)
    assert written_folder.check_folder(target) == [f"{target / 'manifest.json'}: {DAMAGED}"]


def test_a_sealed_manifest_without_a_list_of_files_is_refused(tmp_path):
    target = write(tmp_path)
    (target / "manifest.json").write_bytes(formats.sealed_json({"files": ["trial.json"]}))
    assert written_folder.check_folder(target) == [
        f"{target / 'manifest.json'}: expected what Bakeoff writes there, found something else at "
        "files (it should be a valid dictionary): restore it, or delete its folder and run the "
        "study again; if that opens the test set again, that is counted"
    ]
