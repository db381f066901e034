"""The folders of a trial's folds become one; tests/study/test_cross_validation.py trains some.

Oracle: hand arithmetic on two folds. Cost: 1 s. Run: pytest tests/storage/test_fold_folders.py
"""

import json

import numpy as np
import pytest

from bakeoff.storage import array_files, formats, written_folder
from bakeoff.storage.fold_folders import join_folds, median_epoch
from bakeoff.storage.history import history_csv, read_history
from bakeoff.storage.study_folder import StudyFolder


def rows(accuracies):
    return [
        {
            "epoch": epoch,
            "loss": 1.0,
            "accuracy": accuracy,
            "val_loss": None,
            "val_cross_entropy": None,
            "val_accuracy": None,
            "learning_rate": 0.1,
        }
        for epoch, accuracy in enumerate(accuracies)
    ]


def write_fold(folder, fold, *, epoch, accuracies, images, accuracy, seconds):
    document = {
        "model": "cnn",
        "seed": 0,
        "fold": fold,
        "network_seed": 17 + fold,
        "selection": "best-loss",
        "settings": {"training": {"epochs": 3}},
        "input_shape": [8, 8, 1],
        "n_classes": 2,
        "parameters": 10,
        "trainable_parameters": 10,
        "epochs_trained": len(accuracies),
        "selected_epoch": epoch,
        "diverged_epoch": None,
        "validation": {"images": images, "accuracy": accuracy, "cross_entropy": accuracy / 2},
    }
    clocks = {"seconds": seconds, "finished": f"2026-01-0{fold + 1}"}
    files = {
        "trial.json": formats.canonical(document),
        "history.csv": history_csv(rows(accuracies)),
        "weights.safetensors": array_files.weights_bytes({"w": np.full(2, fold, np.float32)}),
        written_folder.TIMING: formats.sealed_json(clocks),
        written_folder.ENVIRONMENT: formats.sealed_json({"jax": "0.10.2"}),
    }
    path = folder.fold("cnn", 0, fold)
    written_folder.write_folder(path, files, scratch=path.with_name("scratch"))


@pytest.fixture
def folder(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    one = {"epoch": 2, "accuracies": [0.2, 0.4, 0.6], "images": 10, "accuracy": 0.8}
    write_fold(folder, 0, **one, seconds=3.0)
    return folder


def test_a_trial_is_written_once_all_of_its_folds_are_there(folder):
    join_folds(folder, "cnn", 0, 2)
    assert folder.finished() == {}
    two = {"epoch": 1, "accuracies": [0.4, 0.8], "images": 30, "accuracy": 0.4}
    write_fold(folder, 1, **two, seconds=4.5)
    join_folds(folder, "cnn", 0, 2)
    assert folder.finished() == {"cnn": [0]}
    assert not folder.partial("cnn", 0).exists()
    path = folder.trial("cnn", 0)
    assert written_folder.check_folder(path) == []
    document = folder.read_trial("cnn", 0)
    assert (document["epochs_trained"], document["selected_epoch"]) == (3, 1)
    expected = {"images": 40, "accuracy": 0.5, "cross_entropy": 0.25}  # weighted by images
    assert document["validation"] == pytest.approx(expected)
    assert [each["selected_epoch"] for each in document["folds"]] == [2, 1]
    history = read_history(path / "history.csv", (path / "history.csv").read_bytes())
    assert history["accuracy"] == pytest.approx([0.3, 0.6, 0.6])  # of those that got so far
    clocks = folder.read_timing("cnn", 0)
    assert (clocks["seconds"], clocks["finished"]) == (7.5, "2026-01-02")
    assert json.loads((path / "fold-1" / "trial.json").read_bytes())["network_seed"] == 18


@pytest.mark.parametrize(
    ("epochs", "median"), [([3], 3), ([1, 4], 1), ([5, 1, 4], 4), ([None, 2], 2), ([None], None)]
)
def test_the_median_is_the_lower_of_two(epochs, median):
    assert median_epoch([{"selected_epoch": epoch} for epoch in epochs]) == median
