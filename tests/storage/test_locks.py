"""Locks between processes: a holder that lives, one that was killed, a disk that refuses; 1 s.

Run: pytest tests/storage/test_locks.py
"""

import errno
import os
import re
import subprocess
import sys

import pytest
from filelock import Timeout

from bakeoff.errors import StorageError
from bakeoff.storage.study_folder import StudyFolder
from tests.helpers.disks import failing

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
