"""The study folder under disks that fail and hands that edit.

Oracle: errors injected into every call that writes, every byte of small folders flipped.
Cost: 3 s. Run: pytest tests/storage/test_study_folder.py
"""

import errno
import io
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from filelock import Timeout

from bakeoff.errors import StorageError, StudyError
from bakeoff.storage import atomic, formats, written_folder
from bakeoff.storage.history import HISTORY_COLUMNS, history_csv, read_history
from bakeoff.storage.ledger import append_ledger, read_ledger
from bakeoff.storage.study_folder import StudyFolder
from tests.helpers.fake_study import write_study

FILES = {
    "trial.json": formats.canonical({"model": "cnn", "seed": 3}),
    "inner/weights.npy": formats.npy_bytes(np.arange(4, dtype=np.float32)),
    "empty": b"",
    written_folder.TIMING: formats.sealed_json({"seconds": 1.5}),
}
DAMAGED = (
    "expected the bytes that were recorded, found others: the file was changed or damaged; "
    "restore it, or delete its folder and run the study again"
)


def write(tmp_path):
    target = tmp_path / "trials" / "cnn" / "seed-3"
    written_folder.write_folder(target, FILES, scratch=tmp_path / "scratch")
    return target


def failing(call, number, code):
    """Return `call`, made to fail as the operating system does the `number`th time."""
    calls = iter(range(10_000))

    def replacement(*arguments, **settings):
        if next(calls) == number:
            raise OSError(code, os.strerror(code))
        return call(*arguments, **settings)

    return replacement


# ── written whole or not at all ──────────────────────────────────────────────────────────────


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
        errno.EACCES: "permission denied: choose another place with --out, or change who may "
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


def test_a_file_that_cannot_be_written_keeps_what_it_held(tmp_path, monkeypatch):
    path = tmp_path / "study.json"
    atomic.write_file(path, b"old")
    monkeypatch.setattr(os, "fsync", failing(os.fsync, 0, errno.ENOSPC))
    with pytest.raises(StorageError):
        atomic.write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["study.json"]


def test_a_written_folder_is_not_written_again(tmp_path):
    target = write(tmp_path)
    text = f"{target}: directory not empty: see what is there"
    with pytest.raises(StorageError, match=f"^{re.escape(text)}$"):
        write(tmp_path)
    assert written_folder.check_folder(target) == []


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.EROFS, "read-only file system: choose another place with --out"),
        (
            errno.EDQUOT,
            "disk quota exceeded: free some space and run the same command again; finished "
            "trials are kept",
        ),
        (
            errno.ENOENT,
            "no such file or directory: restore it, or delete its folder and run the study again",
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


# ── read back checked ────────────────────────────────────────────────────────────────────────


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


def test_a_study_s_recipe_is_read_once(tmp_path, monkeypatch):
    """It was hashed, and read again: what was used need not have been what was checked."""
    folder = write_study(tmp_path / "study")
    study = folder.read_study()
    seen = []

    def watched(plain):
        def opened(file, *rest, **named):
            if not isinstance(file, int):
                seen.append(file)
            return plain(file, *rest, **named)

        return opened

    for module in (os, io):
        monkeypatch.setattr(module, "open", watched(module.open))
    assert list(folder.read_recipe(study).models) == ["mlp", "cnn"]
    assert seen == [folder.recipe_file]


def test_a_file_cut_short_or_lost_or_added_is_found(tmp_path):
    target = write(tmp_path)
    weights = target / "inner" / "weights.npy"
    weights.write_bytes(FILES["inner/weights.npy"][:-1])
    assert written_folder.check_folder(target) == [f"{weights}: {DAMAGED}"]
    weights.unlink()
    (target / "note.txt").write_text("mine")
    assert written_folder.check_folder(target) == [
        f"{weights}: no such file or directory: restore it, or delete its folder and run the "
        "study again",
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
        "study again"
    ]


def test_arrays_and_weights_that_are_none_are_refused(tmp_path):
    path = tmp_path / "array.npy"
    for content in (b"", b"\x93NUMPY", formats.npy_bytes(np.zeros(9))[:-1]):
        path.write_bytes(content)
        with pytest.raises(StorageError, match=f"^{re.escape(f'{path}: {DAMAGED}')}$"):
            formats.read_npy(path)
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(StorageError, match=f"^{re.escape(f'{path}: {DAMAGED}')}$"):
        formats.read_npy(path)
    for content in (b"", b"\xff" * 40, formats.weights_bytes({"a": np.zeros(9)})[:-1]):
        path.write_bytes(content)
        with pytest.raises(StorageError, match=f"^{re.escape(f'{path}: {DAMAGED}')}$"):
            formats.read_weights(path)


def test_an_array_without_images_can_be_read(tmp_path):
    path = tmp_path / "empty.npy"
    atomic.write_file(path, formats.npy_bytes(np.zeros((0, 8, 8, 1), np.uint8)))
    assert formats.read_npy(path).shape == (0, 8, 8, 1)


def test_a_history_comes_back_with_what_is_missing_as_nan(tmp_path):
    row = dict.fromkeys(HISTORY_COLUMNS) | {"epoch": 0, "loss": 0.1 + 0.2, "accuracy": 0.5}
    path = tmp_path / "history.csv"
    path.write_bytes(history_csv([row | {"learning_rate": 1e-3}, row | {"loss": np.inf}]))
    history = read_history(path)
    assert history["loss"].tolist() == [0.1 + 0.2, np.inf]
    assert np.isnan(history["val_loss"]).all()
    for content in (b"\xff", b"epoch,loss\n0,1\n", path.read_bytes() + b"x,,,,,,\n"):
        path.write_bytes(content)
        with pytest.raises(StorageError, match=f"^{re.escape(f'{path}: {DAMAGED}')}$"):
            read_history(path)


def test_a_study_of_another_format_or_none_is_refused(tmp_path):
    folder = StudyFolder(tmp_path)
    text = (
        f"{tmp_path}: expected a study's folder, found no study.json in it: name the folder that "
        "`bakeoff run` printed, for instance studies/digits"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        folder.read_study()
    atomic.write_file(folder.study_file, formats.sealed_json({"format": 2}))
    text = (
        f"{folder.study_file}: expected format 1, found 2: this study was written by another "
        "version of Bakeoff; run it with that version"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        folder.read_study()


def test_only_whole_trials_count_as_finished(tmp_path):
    folder = StudyFolder(tmp_path)
    for seed in (2, 10):
        scratch = folder.partial("cnn", seed) / "finished"
        written_folder.write_folder(folder.trial("cnn", seed), FILES, scratch=scratch)
    (tmp_path / "trials" / "cnn" / "seed-7").mkdir()
    (tmp_path / "trials" / "cnn" / "seed-x").mkdir()
    assert folder.finished() == {"cnn": [2, 10]}


# ── ledgers ──────────────────────────────────────────────────────────────────────────────────


def ledger(tmp_path):
    path = tmp_path / "ledger.jsonl"
    for opening in (1, 2, 3):
        append_ledger(path, {"opening": opening, "study": "ünïcode"})
    return path


def test_a_ledger_is_a_chain(tmp_path):
    path = ledger(tmp_path)
    lines = read_ledger(path)
    assert [line["opening"] for line in lines] == [1, 2, 3]
    assert [line["before"] for line in lines[1:]] == [line["sha256"] for line in lines[:-1]]
    assert lines[0]["before"] == ""
    assert read_ledger(tmp_path / "none.jsonl") == []


def test_a_ledger_that_was_changed_is_refused(tmp_path):
    path = ledger(tmp_path)
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    text = (
        f"{path}: expected a ledger in which every line follows from the one before, found one "
        "that was changed: restore it, or move it away and run the study again"
    )
    flips = [
        content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        for place in range(len(content))
    ]
    swaps = [lines[1] + lines[2], lines[0] + lines[2], lines[1] + lines[0] + lines[2]]
    for changed in [*flips, *swaps, content[:-1], content + b"\n", content + lines[0]]:
        path.write_bytes(changed)
        with pytest.raises(StorageError, match=f"^{re.escape(text)}$"):
            read_ledger(path)


# ── locks ────────────────────────────────────────────────────────────────────────────────────

HOLD = """
import sys, time
from bakeoff.storage.study_folder import StudyFolder
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
    text = f"{path}: read-only file system: choose another place with --out"
    with (
        pytest.raises(StorageError, match=f"^{re.escape(text)}$"),
        StudyFolder(tmp_path).lock("study"),
    ):
        pass
