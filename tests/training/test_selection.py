"""Which epoch of a trial is selected.

Oracle: scores given by hand, epoch by epoch. Cost: 3 s.

Run: pytest tests/training/test_selection.py
"""

import numpy as np
import pytest

from bakeoff.training.selection import Selection
from bakeoff.training.trainer import Trainer
from bakeoff.utils.events import EpochResult
from tests.helpers.trainers import declare, development

#    epoch: 0    1    2    3
ENTROPIES = [0.9, 0.5, 0.7, 0.5]
ACCURACIES = [0.5, 0.7, 0.8, 0.8]


@pytest.mark.parametrize(("rule", "epoch"), [("best-loss", 1), ("best-accuracy", 2), ("last", 3)])
def test_a_rule_keeps_the_earliest_of_its_best_epochs(monkeypatch, rule, epoch):
    trainer = Trainer(declare(), development(), seed=0, selection=rule)

    def given(self, scores):
        number = len(self.history)
        values = (10.0 - number, ENTROPIES[number], ACCURACIES[number])  # val_loss decides nothing
        return dict(zip(("val_loss", "val_cross_entropy", "val_accuracy"), values, strict=True))

    monkeypatch.setattr(Trainer, "_validation_scores", given)
    weights = []
    while not trainer.done:
        trainer.epoch()
        weights.append([np.asarray(leaf) for part in trainer.state[:2] for leaf in part])
    monkeypatch.undo()
    result = trainer.result()
    assert result.selected_epoch == epoch
    assert result.diverged_epoch is None
    for ours, wanted in zip(result.weights.values(), weights[epoch], strict=True):
        assert ours.tobytes() == wanted.tobytes()


def test_patience_stops_and_selects_the_same(monkeypatch):
    trainer = Trainer(declare(patience=2), development(), seed=0, selection="best-loss")

    def given(self, scores):
        values = (0.0, [0.9, 0.5, 0.7, 0.8, 0.1][len(self.history)], 0.5)
        return dict(zip(("val_loss", "val_cross_entropy", "val_accuracy"), values, strict=True))

    monkeypatch.setattr(Trainer, "_validation_scores", given)
    done = []
    while not trainer.done:
        trainer.epoch()
        done.append(trainer.done)
    assert done == [False, False, False, True]
    trainer = Trainer(declare(patience=1), development(), seed=0, selection="best-loss")
    assert [trainer.epoch().epoch for _ in range(3)] == [0, 1, 2] and trainer.done
    assert trainer.result().selected_epoch == 1


@pytest.mark.parametrize("rule", ["best-loss", "best-accuracy", "last"])
def test_without_validation_images_the_last_epoch_is_selected(rule):
    selection = Selection(rule, "initial")
    assert (selection.epoch, selection.weights) == (None, "initial")
    for epoch in range(3):
        selection.offer(EpochResult(epoch, 1.0, 0.5, None, None, None, 0.1), f"after {epoch}")
    assert (selection.epoch, selection.weights) == (2, "after 2")
