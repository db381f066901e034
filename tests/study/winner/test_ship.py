"""When a model is trained once more on all images; tests/study/test_cross_validation.py trains it.

Oracle: trials whose folds' epochs are written by hand. Cost: nothing.
Run: pytest tests/study/winner/test_ship.py
"""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from bakeoff.errors import DamagedFile
from bakeoff.study.winner import ship as module
from bakeoff.study.winner.ship import ShipJob, ship


def folder(trained=None, diverged=None):
    def read_shipped(model):
        if trained is None:
            raise DamagedFile("none")
        return {"epochs_trained": trained, "diverged_epoch": diverged}

    return SimpleNamespace(read_shipped=read_shipped)


@pytest.mark.parametrize(
    ("found", "whole"),
    [(folder(5), True), (folder(4), False), (folder(4, diverged=3), True), (folder(), False)],
    ids=["trained", "of fewer epochs", "diverged", "missing"],
)
def test_a_shipped_model_is_whole_after_the_median_s_epochs(found, whole):
    assert module._is_shipped(found, "cnn", 5) is whole


@pytest.mark.parametrize(("epoch", "found"), [(None, folder()), (4, folder(5))])
def test_nothing_is_trained_without_an_epoch_or_twice(monkeypatch, epoch, found):
    monkeypatch.setattr(module, "median_fold_epoch", lambda folder, model: epoch)

    def do(jobs):
        raise AssertionError("it was trained")

    ship(SimpleNamespace(folder=found), "cnn", do, watcher=None)


def test_an_image_counts_once_in_whatever_passes_its_features_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "environment_here", dict)
    trainer = SimpleNamespace(done=True, history=[], result=lambda: None)
    training = SimpleNamespace(
        model="linear",
        development=lambda: SimpleNamespace(train_labels=np.zeros(36), passes=3),
        trainer=lambda data: trainer,
        files=lambda *_: {"trial.json": b"{}"},
    )
    ShipJob(training, 1)._train(tmp_path / "linear", None)
    assert json.loads((tmp_path / "linear" / "trial.json").read_text()) == {"images": 12}
