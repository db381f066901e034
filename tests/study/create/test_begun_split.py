"""A study whose split this version would draw otherwise goes on with its own.

Oracle: the study's files from before. Cost: 3 s. Run: pytest tests/study/create/test_begun_split.py
"""

import numpy as np
import pytest

from bakeoff.cli import main
from bakeoff.data import split
from bakeoff.errors import StudyError
from tests.helpers.small import carry_out, files

ONE_EPOCH = {"epochs": 1}
pytestmark = pytest.mark.usefixtures("jobs_in_process")


@pytest.fixture
def earlier(tmp_path, monkeypatch):
    """A study of ten classes of which version 0.1.0 gave the first ones an image more."""
    labels = np.arange(210) % 10
    pixels = np.random.default_rng(0).integers(0, 256, (210, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "few.npz", x=pixels, y=labels)
    with monkeypatch.context() as before:
        before.setattr(split, "_FEW", 0)
        carry_out(tmp_path / "few.npz", tmp_path / "study", training=ONE_EPOCH)
    return tmp_path / "study"


def test_seeds_are_added_and_trials_are_trained_again(earlier, capsys):
    before = files(earlier, "trials") | {"split": (earlier / "split.npz").read_bytes()}
    carry_out(earlier.parent / "few.npz", earlier, training=ONE_EPOCH, seeds=3)
    after = files(earlier, "trials") | {"split": (earlier / "split.npz").read_bytes()}
    assert before.items() <= after.items() and len(after) > len(before)
    assert main(["verify", str(earlier), "--retrain", "mlp:1"]) == 0
    assert "every byte the same" in capsys.readouterr().out


def test_another_split_is_refused_as_ever(earlier):
    with pytest.raises(StudyError, match="expected the split this study was begun with, found"):
        carry_out(earlier.parent / "few.npz", earlier, training=ONE_EPOCH, split={"seed": 1})
