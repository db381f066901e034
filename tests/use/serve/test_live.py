"""What the page of a study in training is told of trials in progress.

Oracle: histories written here. Cost: nothing. Run: pytest tests/use/serve/test_live.py
"""

import numpy as np

from bakeoff.storage.history import HISTORY_COLUMNS, history_csv
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.use.serve import live


def history(*accuracies):
    return history_csv(
        [dict.fromkeys(HISTORY_COLUMNS, each) | {"epoch": k} for k, each in enumerate(accuracies)]
    )


def test_the_folds_of_a_repeat_in_progress_are_seen(tmp_path, monkeypatch):
    """A repeat had no epoch and no curve until all of its folds were done."""
    folder = StudyFolder(tmp_path)
    for fold, accuracies in ((0, (0.2, 0.4, 0.6)), (1, (0.4, 0.6))):  # the second one diverged
        place = folder.fold("cnn", 3, fold)
        place.mkdir(parents=True)
        (place / "history.csv").write_bytes(history(*accuracies))
    saved = [{"val_accuracy": 0.9, "val_cross_entropy": None, "accuracy": 0.3}]
    running = folder.fold("cnn", 3, 2).with_name("fold-2.partial")
    monkeypatch.setattr(live, "history_saved", lambda place: saved if place == running else [])
    epochs, columns = live._of_folds(folder, "cnn", 3, 4)
    assert epochs == 1  # six of twelve
    np.testing.assert_allclose(columns["accuracy"], [0.5, 0.5, 0.6])
    np.testing.assert_allclose(columns["loss"], [0.3, 0.5, 0.6])
    assert live._of_folds(folder, "cnn", 4, 4) == (0, {"accuracy": [], "loss": [], "fit": []})
