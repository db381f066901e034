"""When a model is trained once more on all images; tests/study/test_cross_validation.py trains it.

Oracle: trials whose folds' epochs are written by hand. Cost: nothing.
Run: pytest tests/study/test_ship.py
"""

from types import SimpleNamespace

import pytest

from bakeoff.errors import DamagedFile
from bakeoff.study import ship as module
from bakeoff.study.ship import ship


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
