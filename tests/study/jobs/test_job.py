"""Trials as jobs: what they are given, what they write, how checkpoints are chosen.

Oracle: a trial done without a stop; a checkpoint's every byte; the fields of a job.
Cost: 6 s, most of it compiling. Run: pytest tests/study/jobs/test_job.py
"""

import dataclasses
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from bakeoff.errors import RecipeError, StorageError
from bakeoff.storage import array_files, written_folder
from bakeoff.storage.history import read_history
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.jobs import checkpoints, development_data
from bakeoff.study.jobs import job as jobs
from bakeoff.study.jobs.job import Busy, TrainJob
from bakeoff.training.trainer import Trainer
from bakeoff.utils.events import Resumed
from tests.helpers.train_jobs import MODEL, job, write_images
from tests.helpers.trainers import development


@pytest.fixture
def data(tmp_path):
    return write_images(tmp_path / "data")


class Stop(Exception):
    pass


def stop_after(epochs):
    """Return an `on_epoch` that ends the job as if its process had died."""

    def heard(result):
        if result.epoch == epochs:
            raise Stop

    return heard


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in written_folder.APART
    }


def test_a_training_job_names_no_test_image(tmp_path, data):
    """Its fields are these, and its data folder holds these files; a new one has to be judged."""
    assert sorted(field.name for field in dataclasses.fields(TrainJob)) == [
        "begun_with",
        "builder",
        "called",
        "checkpoint_seconds",
        "class_names",
        "data",
        "declared",
        "fold",
        "identity",
        "maximum",
        "model",
        "n_classes",
        "n_folds",
        "seed",
        "selection",
        "study",
        "thresholds",
    ]
    assert sorted(path.name for path in data.iterdir()) == [
        "train_images.npy",
        "train_labels.npy",
        "validation_images.npy",
        "validation_labels.npy",
    ]


def test_a_finished_trial_holds_what_the_study_folder_promises(tmp_path, data):
    heard = []
    job(tmp_path, data).run(heard.append)
    folder = StudyFolder(tmp_path / "study")
    place = folder.trial("mlp", 3)
    assert written_folder.check_folder(place) == []
    assert not folder.partial("mlp", 3).exists()
    assert sorted(path.name for path in place.iterdir()) == [
        "environment.json",
        "history.csv",
        "manifest.json",
        "timing.json",
        "trial.json",
        "validation.npy",
        "weights.safetensors",
    ]
    document = folder.read_trial("mlp", 3)
    assert document["settings"] == MODEL.resolved()
    assert document["epochs_trained"] == 4
    assert document["diverged_epoch"] is None
    history = read_history(place / "history.csv")
    assert history["val_cross_entropy"].tolist() == [each.val_cross_entropy for each in heard]
    chosen = heard[document["selected_epoch"]]
    assert document["validation"] == {
        "images": 30,
        "accuracy": chosen.val_accuracy,
        "cross_entropy": pytest.approx(chosen.val_cross_entropy, abs=1e-6),
    }
    validation = array_files.read_npy(place / "validation.npy")
    assert (validation.dtype, validation.shape) == (np.float32, (30, 3))


def test_a_trial_without_a_validation_part_has_no_scores_of_one(tmp_path):
    made = development(validation=0)
    folder = tmp_path / "data"
    development_data.write_development(
        folder, {name: getattr(made, name) for name in development_data.DEVELOPMENT}
    )
    job(tmp_path, folder, selection="last").run(lambda result: None)
    place = StudyFolder(tmp_path / "study").trial("mlp", 3)
    assert not (place / "validation.npy").exists()
    document = json.loads((place / "trial.json").read_text())
    assert (document["validation"], document["selected_epoch"]) == (None, 3)
    assert np.isnan(read_history(place / "history.csv")["val_loss"]).all()
    assert (place / "history.csv").read_text().splitlines()[1].count(",") == 3


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_trial_that_died_goes_on_and_ends_in_the_same_bytes(tmp_path, data, epochs):
    job(tmp_path, data, out="whole").run(lambda result: None)
    with pytest.raises(Stop):
        job(tmp_path, data).run(stop_after(epochs))
    partial = StudyFolder(tmp_path / "study").partial("mlp", 3)
    assert len(list(partial.iterdir())) == min(epochs, checkpoints.CHECKPOINTS_KEPT)
    trained = []
    job(tmp_path, data).run(trained.append)
    before, *after = trained
    assert isinstance(before, Resumed)
    assert [each.epoch for each in (*before.results, *after)] == [0, 1, 2, 3]
    assert len(before.results) == epochs
    whole, resumed = (
        contents(StudyFolder(tmp_path / out).trial("mlp", 3)) for out in ("whole", "study")
    )
    assert whole == resumed
    assert not partial.exists()


def test_a_checkpoint_is_written_at_most_every_5_s(tmp_path, data, monkeypatch):
    ends, saved = [2.0, 5.0, 9.0, 18.0], []  # of the epochs, in seconds
    monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(jobs.Checkpoints, "save", lambda *_, seconds: saved.append(now))
    now = 0.0

    def heard(result):
        nonlocal now
        now = ends[result.epoch]

    job(tmp_path, data, checkpoint_seconds=5.0).run(heard)
    assert saved == [5.0]  # at 9 the last is 4 s old, and at 18 the trial is finished


def test_a_checkpoint_of_another_environment_is_recorded(tmp_path, data, monkeypatch):
    """B3."""
    """A trial may go on with other kernels or versions; what it has come from is kept."""
    with pytest.raises(Stop):
        job(tmp_path, data).run(stop_after(1))
    before = jobs.environment_here()
    now = {**before, "jax": "99.0", "kernels": "native"}
    monkeypatch.setattr(jobs, "environment_here", lambda: now)
    job(tmp_path, data).run(lambda result: None)
    assert StudyFolder(tmp_path / "study").read_environments("mlp", 3) == [before, now]
    job(tmp_path, data, out="other").run(lambda result: None)
    assert StudyFolder(tmp_path / "other").read_environments("mlp", 3) == [now]


def test_a_network_of_other_sizes_than_planned_is_refused(tmp_path, data, monkeypatch):
    """B2."""
    """Whatever sets Keras up otherwise is found before an epoch is trained."""
    monkeypatch.setattr(Trainer, "parameters", property(lambda trainer: (7, 5)))
    text = (
        "models.model: expected a network of 355 parameters, of which 339 are trained, found 7 and "
        "5: Keras is set up otherwise in this process than Bakeoff sets it up"
    )
    with pytest.raises(RecipeError, match=f"^{re.escape(text)}$"):
        job(tmp_path, data).run(lambda result: None)
    assert not StudyFolder(tmp_path / "study").trial("mlp", 3).exists()


def test_a_study_that_is_moved_while_it_trains_leaves_no_folder_behind(tmp_path, data):
    """U7: a new folder of the old name got the trial, and the study did not."""
    study = tmp_path / "study"
    with pytest.raises(StorageError) as raised:
        job(tmp_path, data).run(lambda result: study.rename(tmp_path / "moved"))
    text = (
        f"{study}: expected the study's folder where it was, found none: it was moved or deleted "
        "while it ran; run the recipe again with the folder's new place"
    )
    assert str(raised.value) == text
    assert not study.exists()
    heard = []
    job(tmp_path, data, out="moved").run(heard.append)
    assert StudyFolder(tmp_path / "moved").finished() == {"mlp": [3]}
    late = job(tmp_path, data)
    study.rmdir()
    with pytest.raises(StorageError, match=f"^{re.escape(text)}$"):
        late.run(heard.append)
    assert not study.exists()


def test_a_finished_trial_is_not_trained_again(tmp_path, data):
    job(tmp_path, data).run(lambda result: None)
    place = StudyFolder(tmp_path / "study").trial("mlp", 3)
    before = place.stat().st_mtime_ns
    job(tmp_path, data).run(stop_after(0))
    assert place.stat().st_mtime_ns == before


def test_a_folder_in_the_place_of_a_trial_is_named(tmp_path, data):
    place = StudyFolder(tmp_path / "study").trial("mlp", 3)
    place.mkdir(parents=True)
    text = (
        f"{place}/manifest.json: no such file or directory: restore it, or delete its folder and "
        "run the study again; if that opens the test set again, that is counted"
    )
    with pytest.raises(StorageError, match=f"^{re.escape(text)}$"):
        job(tmp_path, data).run(stop_after(0))


def test_a_trial_that_somebody_trains_is_not_touched(tmp_path, data):
    folder = StudyFolder(tmp_path / "study")
    with folder.lock(jobs.trial_lock("mlp", 3)), pytest.raises(Busy):
        job(tmp_path, data).run(stop_after(0))
    assert not folder.partial("mlp", 3).exists()
