"""Checkpoints told by their names.

Oracle: names by hand. Cost: nothing. Run: pytest tests/study/jobs/test_checkpoint_names.py
"""

import errno
import os

from bakeoff.study.jobs.checkpoint_names import epochs_saved, newest_first

NAMES = ("checkpoint-000002-ab.safetensors", "checkpoint-000010-ab.safetensors", "place.json")


def test_the_newest_comes_first_and_tells_how_many_epochs_are_saved(tmp_path):
    assert (newest_first(tmp_path), epochs_saved(tmp_path)) == ([], 0)
    for name in NAMES:
        (tmp_path / name).touch()
    assert [path.name for path in newest_first(tmp_path)] == [NAMES[1], NAMES[0]]
    assert epochs_saved(tmp_path) == 10


def test_a_folder_that_goes_while_it_is_looked_at_has_none(tmp_path, monkeypatch):
    """A host of a cluster looks while the trial is finished: that stopped a study of 1,000."""
    plain = os.scandir

    def gone(folder="."):
        if str(folder) == str(tmp_path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
        return plain(folder)

    monkeypatch.setattr(os, "scandir", gone)
    monkeypatch.setattr(os, "listdir", gone)
    assert newest_first(tmp_path) == []
