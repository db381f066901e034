"""Several trials of a model in one program, as on a GPU; here on the CPU.

Oracle: the same trials by themselves, and with other mates, bit for bit or to rounding.
Cost: 30 s, nearly all of it compiling. Run: pytest tests/training/test_multi_trial.py
"""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from bakeoff.recipe import Recipe, parse
from bakeoff.storage import written_folder
from bakeoff.storage.study_folder import StudyFolder, trial_lock
from bakeoff.study.create import prepare
from bakeoff.study.development_data import DEVELOPMENT, write_development
from bakeoff.study.executors.local_processes import run_jobs
from bakeoff.study.jobs import Busy, TrainJob
from bakeoff.study.multi_trial_job import MultiTrialJob
from bakeoff.study.run import run
from bakeoff.study.schedule import LANES, lanes_of, train
from bakeoff.training import multi_trial
from bakeoff.training.trainer import Trainer
from bakeoff.utils.events import Watcher
from tests.helpers.trainers import MLP, declare, development, trained

CNN = [
    {"random_translation": {"height_factor": 0.2, "width_factor": 0.2}},
    {"conv2d": {"filters": 4, "kernel_size": 3, "activation": "relu"}},
    {"max_pooling2d": 2},
    "batch_normalization",
    {"dropout": 0.3},
]
EVERYTHING = [
    *({"random_rotation": 0.05}, {"random_zoom": 0.1}, {"random_contrast": 0.2}),
    *({"random_brightness": 0.1}, {"random_crop": {"height": 5, "width": 5}}, {"cutout": 2}),
    {"dense": {"units": 8, "activation": "tanh"}},
]
OPTIONS = {"label_smoothing": 0.1, "mixup": 0.3, "class_weight": "balanced", "epochs": 2}
AVERAGED = {"sgd": {"learning_rate": 0.05, "use_ema": True, "ema_momentum": 0.8}}
MODELS = {"mlp": declare(), "cnn": declare(CNN)}


def group(model, seeds, *, lanes=4, epochs=None, selection="best-loss", data=None):
    data = multi_trial.resident(data or development())
    trainers = [Trainer(model, data, seed=seed, selection=selection) for seed in seeds]
    for _ in range(epochs or model.training.epochs):
        multi_trial.epoch([each for each in trainers if not each.done], lanes=lanes)
    return trainers


def weights(trainer):
    return trainer.result().weights


def equal(a, b):
    return all(a[name].tobytes() == b[name].tobytes() for name in a)


OF_SGD = {  # Adam would magnify the rounding of small gradients
    "mlp": declare(MLP, optimizer="sgd"),
    "cnn": declare(CNN, optimizer="sgd"),
    "everything": declare(EVERYTHING, **OPTIONS, optimizer=AVERAGED),
}


@pytest.mark.parametrize("name", OF_SGD)
def test_a_trial_ends_where_it_ends_alone(name):
    model = OF_SGD[name]
    for trainer, seed in zip(group(model, (0, 1, 5)), (0, 1, 5), strict=True):
        ours = trainer.result()
        alone = trained(Trainer(model, development(), seed=seed, selection="best-loss"))
        assert ours.selected_epoch == alone.selected_epoch
        for key in alone.weights:
            np.testing.assert_allclose(ours.weights[key], alone.weights[key], atol=2e-4)
        np.testing.assert_allclose(ours.validation, alone.validation, atol=2e-4)
        for here, there in zip(ours.history, alone.history, strict=True):
            assert here.loss == pytest.approx(there.loss, abs=2e-4)
            assert here.val_cross_entropy == pytest.approx(there.val_cross_entropy, abs=2e-4)
            assert here.learning_rate == there.learning_rate


@pytest.mark.parametrize("name", MODELS)
def test_a_trial_does_not_depend_on_its_mates_or_its_lane(name):
    first, second, third = (weights(each) for each in group(MODELS[name], (0, 1, 2)))
    swapped = [weights(each) for each in group(MODELS[name], (2, 7, 8, 0))]
    assert equal(swapped[3], first) and equal(swapped[0], third)
    assert equal(weights(group(MODELS[name], (1,))[0]), second)
    assert not equal(first, second)


def test_a_trial_may_be_at_another_epoch_than_its_mates():
    model, data = MODELS["mlp"], multi_trial.resident(development())
    whole = weights(group(model, (3,))[0])
    late = Trainer(model, data, seed=3, selection="best-loss")
    early = group(model, (4,), epochs=2, data=data)[0]
    for _ in range(model.training.epochs):
        multi_trial.epoch([each for each in (early, late) if not each.done], lanes=4)
    assert early.done and late.done
    assert equal(weights(late), whole)
    assert equal(weights(early), weights(group(model, (4,))[0]))


def test_a_trial_that_diverges_ends_alone():
    """Seed 0 has one epoch behind it when its weights are made to explode; seed 1 goes on."""
    data = multi_trial.resident(development())
    first, second = (Trainer(MODELS["mlp"], data, seed=seed, selection="last") for seed in (0, 1))
    multi_trial.epoch([first, second], lanes=2)
    kept = weights(first)
    first.state = ([leaf * np.nan for leaf in first.state[0]], *first.state[1:])
    multi_trial.epoch([first, second], lanes=2)
    assert first.done and not second.done
    assert first.result().diverged_epoch == 1 and not first.history[1].finite
    assert np.isnan(first.history[1].val_loss)
    assert equal(weights(first), kept)
    while not second.done:
        multi_trial.epoch([second], lanes=2)
    assert equal(weights(second), weights(group(MODELS["mlp"], (1,), lanes=2, selection="last")[0]))


def test_without_validation_images_the_last_epoch_is_kept():
    data = development(validation=0)
    trainer = group(MODELS["mlp"], (0, 1), selection="last", data=data)[1]
    assert trainer.result().validation is None
    assert trainer.result().selected_epoch == MODELS["mlp"].training.epochs - 1


@pytest.mark.parametrize(("free", "lanes"), [(None, 32), (1e12, 32), (4e6, 16), (1, 1)])
def test_lanes_fit_into_the_device_memory(monkeypatch, free, lanes):
    stats = free and {"bytes_limit": free + 1000, "bytes_in_use": 1000}
    device = SimpleNamespace(memory_stats=lambda: stats)
    monkeypatch.setattr(multi_trial.jax, "local_devices", lambda: [device])
    model = declare([{"dense": 512}, {"dense": 12}])  # about 100 kB in all
    monkeypatch.setattr(multi_trial, "training_bytes", lambda *a, **k: 100_000)
    assert multi_trial.fitting(model, development(), 32) == lanes


@pytest.mark.parametrize(("seeds", "lanes"), [(1, 1), (2, 2), (5, 8), (32, 32), (100, LANES)])
def test_lanes_follow_from_the_number_of_seeds(seeds, lanes):
    raw = {"name": "x", "data": "digits", "seeds": seeds, "models": {"m": {"layers": []}}}
    recipe: Recipe = parse(raw, origin="x", folder=StudyFolder(".").path)
    assert lanes_of(recipe) == lanes


# ── the job ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def jobs(tmp_path):
    data = development()
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "study").mkdir()
    (tmp_path / "whole").mkdir()
    write_development(folder, {name: getattr(data, name) for name in DEVELOPMENT})
    return tuple(
        TrainJob(
            study=str(tmp_path / "study"),
            model="model",
            seed=seed,
            selection="best-loss",
            declared=MODELS["mlp"].model_dump_json(),
            identity="a" * 64,
            data=str(folder),
            maximum=255.0,
            n_classes=3,
            checkpoint_seconds=0,
        )
        for seed in range(3)
    )


def weight_bytes(job, name="weights.safetensors"):
    return (StudyFolder(job.study).trial(job.model, job.seed) / name).read_bytes()


def test_a_group_writes_each_trial_and_says_how_far_it_is(jobs):
    heard = []
    job = MultiTrialJob(jobs, lanes=4)
    job.run(heard.append)
    assert job.label == "model seeds 0, 1, 2" and job.affinity == "model"
    assert [each.epoch for each in heard] == [0, 1, 2, 3]
    for each in jobs:
        folder = StudyFolder(each.study).trial("model", each.seed)
        written_folder.read_manifest(folder)
        assert json.loads((folder / "trial.json").read_bytes())["seed"] == each.seed
    assert StudyFolder(jobs[0].study).finished() == {"model": [0, 1, 2]}
    assert weight_bytes(jobs[0]) != weight_bytes(jobs[1])


def test_a_group_that_died_goes_on_and_ends_in_the_same_bytes(jobs, tmp_path):
    class Killed(Exception):
        pass

    def stop(result):
        if result.epoch == 1:
            raise Killed

    whole = [replace(job, study=str(tmp_path / "whole")) for job in jobs]
    MultiTrialJob(tuple(whole), lanes=4).run(lambda result: None)
    with pytest.raises(Killed):
        MultiTrialJob(jobs[:2], lanes=4).run(stop)
    heard = []
    MultiTrialJob(jobs, lanes=4).run(heard.append)  # seed 2 has yet to begin
    assert [each.epoch for each in heard] == [0, 1, 2, 3]
    for ours, theirs in zip(jobs, whole, strict=True):
        for name in ("weights.safetensors", "history.csv", "validation.npy", "trial.json"):
            assert weight_bytes(ours, name) == weight_bytes(theirs, name), name
    assert not list((tmp_path / "study").glob("trials/*/*.partial"))


def test_a_group_trains_only_what_is_missing(jobs):
    MultiTrialJob(jobs[:1], lanes=4).run(lambda result: None)
    before = weight_bytes(jobs[0]), weight_bytes(jobs[0], written_folder.TIMING)
    MultiTrialJob(jobs, lanes=4).run(lambda result: None)
    assert (weight_bytes(jobs[0]), weight_bytes(jobs[0], written_folder.TIMING)) == before
    heard = []
    MultiTrialJob(jobs, lanes=4).run(heard.append)
    assert heard == []


def test_more_trials_than_lanes_take_turns(jobs):
    MultiTrialJob(jobs, lanes=2).run(lambda result: None)
    assert StudyFolder(jobs[0].study).finished() == {"model": [0, 1, 2]}


def test_a_group_waits_while_somebody_trains_one_of_its_trials(jobs):
    folder = StudyFolder(jobs[0].study)
    with folder.lock(trial_lock("model", 1)), pytest.raises(Busy):
        MultiTrialJob(jobs, lanes=4).run(lambda result: None)
    assert folder.finished() == {}


def test_a_study_trains_in_groups_and_is_compared_as_any_other(tmp_path):
    class Listening(Watcher):
        def __init__(self):
            self.planned = []

        def begin(self, title, jobs):
            self.planned += [(each.label, each.epochs) for each in jobs]

    raw = {
        "name": "groups",
        "data": "digits",
        "seeds": 3,
        "training": {"epochs": 2},
        "baselines": ["majority"],
        "models": {"one": {"layers": [{"dense": 4}]}, "two": {"layers": [{"dense": 5}]}},
    }
    recipe = parse(raw, origin="x", folder=tmp_path)
    folder, heard = StudyFolder(tmp_path / "study"), Listening()

    def do(jobs):
        return run_jobs(jobs, workers=1, device="cpu", cache=None, watcher=heard)

    prepared = prepare(recipe, folder, device="cpu")
    assert train(prepared, [], do, lanes=lanes_of(recipe), watcher=heard) == ()
    assert sorted(heard.planned) == [
        ("majority baseline", 0),
        ("one seeds 0, 1, 2", 2),
        ("two seeds 0, 1, 2", 2),
    ]
    assert folder.finished() == {"one": [0, 1, 2], "two": [0, 1, 2]}
    result = run(recipe, out=folder.path)
    assert [len(model.seeds) for model in result.comparison.models] == [3, 3]
