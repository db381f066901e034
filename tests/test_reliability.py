"""Kills, faults and crowds: nothing lost, nothing half-written taken for whole.

Oracle: what a run that was not disturbed leaves on disk, byte for byte.
Run: pytest tests/test_reliability.py
"""

import os
import subprocess

import numpy as np

from bakeoff import disk, store


def test_a_scalar_comes_back_from_a_checkpoint_as_one(tmp_path):
    """It came back with shape (1,), and no checkpoint was ever gone on from."""
    weights = {"rate": np.array(3, np.int32), "kernel": np.ones((2, 3), np.float32).T}
    path = tmp_path / "weights.safetensors"
    store.write_file(path, store.weights_bytes(weights))
    for name, array in store.read_weights(path).items():
        assert array.shape == weights[name].shape
        assert (array == weights[name]).all()


def test_temporary_files_of_the_dead_are_cleared_away_and_no_others(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    kept = [f".report.html.{os.getpid()}.tmp", ".x.tmp", "x.1.tmp", ".hidden"]
    for name in [f".report.html.{dead.pid}.tmp", f".x.{2**70}.tmp", *kept]:
        (tmp_path / name).write_text("")
    disk.clear_temporary(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(kept)
