"""Several trials of one model as one job.

Oracle: the same trials alone, one after the other. Cost: 20 s.

Run: pytest tests/study/jobs/test_multi_trial_job.py
"""

import json
from dataclasses import replace

import pytest

from bakeoff.recipe import parse
from bakeoff.storage import written_folder
from bakeoff.storage.study_folder import StudyFolder, trial_lock
from bakeoff.study.create import prepare
from bakeoff.study.executors.lanes import lanes_of, together
from bakeoff.study.executors.local_processes import run_jobs
from bakeoff.study.jobs.development_data import DEVELOPMENT, write_development
from bakeoff.study.jobs.job import Busy, TrainJob
from bakeoff.study.jobs.multi_trial_job import MultiTrialJob
from bakeoff.study.run import run
from bakeoff.study.train_missing import train
from bakeoff.utils.events import Watcher
from bakeoff.utils.user_paths import program_cache
from tests.helpers.trainers import declare, development

pytestmark = pytest.mark.usefixtures("figures_undrawn")  # nothing here is looked at


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
            declared=declare().model_dump_json(),
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


def test_a_job_writes_each_trial_and_says_how_far_it_is(jobs):
    heard = []
    job = MultiTrialJob(jobs, lanes=4)
    job.run(heard.append)
    assert job.label == "model seeds 0, 1, 2" and job.affinity == "model"
    labels = [f"model seed {seed}" for seed in range(3)]
    assert [(told.label, told.what.epoch) for told in heard] == [
        (label, epoch) for epoch in range(4) for label in labels
    ]
    for each in jobs:
        folder = StudyFolder(each.study).trial("model", each.seed)
        written_folder.read_manifest(folder)
        assert json.loads((folder / "trial.json").read_bytes())["seed"] == each.seed
    assert StudyFolder(jobs[0].study).finished() == {"model": [0, 1, 2]}
    assert weight_bytes(jobs[0]) != weight_bytes(jobs[1])


def test_a_job_that_died_goes_on_and_ends_in_the_same_bytes(jobs, tmp_path):
    class Killed(Exception):
        pass

    def stop(told):
        if told.what.epoch == 1:
            raise Killed

    whole = [replace(job, study=str(tmp_path / "whole")) for job in jobs]
    MultiTrialJob(tuple(whole), lanes=4).run(lambda result: None)
    with pytest.raises(Killed):
        MultiTrialJob(jobs[:2], lanes=4).run(stop)
    heard = []
    MultiTrialJob(jobs, lanes=4).run(heard.append)  # seed 2 has yet to begin
    last = [told.what.epoch for told in heard if told.label == "model seed 2"]
    assert last == [0, 1, 2, 3]
    for ours, theirs in zip(jobs, whole, strict=True):
        for name in ("weights.safetensors", "history.csv", "validation.npy", "trial.json"):
            assert weight_bytes(ours, name) == weight_bytes(theirs, name), name
    assert not list((tmp_path / "study").glob("trials/*/*.partial"))


def test_a_job_trains_only_what_is_missing(jobs):
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


def test_a_job_waits_while_somebody_trains_one_of_its_trials(jobs):
    folder = StudyFolder(jobs[0].study)
    with folder.lock(trial_lock("model", 1)), pytest.raises(Busy):
        MultiTrialJob(jobs, lanes=4).run(lambda result: None)
    assert folder.finished() == {}


def test_a_study_trains_several_at_once_and_is_compared_as_any_other(tmp_path):
    class Listening(Watcher):
        def __init__(self):
            self.planned = []
            self.done = []

        def begin(self, title, jobs):
            self.planned += [(each.label, each.epochs) for each in jobs]

        def finished(self, label):
            self.done.append(label)

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
        programs = together(jobs, lanes_of(recipe))  # as `run_jobs` has them on a GPU
        assert [type(each).__name__ for each in programs].count("MultiTrialJob") == 2
        return run_jobs(programs, workers=1, device="cpu", cache=program_cache(), watcher=heard)

    prepared = prepare(recipe, folder, device="cpu")
    assert train(prepared, [], do, watcher=heard) == ()
    trials = [(f"{name} seed {seed}", 2) for name in ("one", "two") for seed in range(3)]
    assert sorted(heard.planned) == [("majority baseline", 0), *trials]
    assert sorted(heard.done) == [label for label, _ in sorted(heard.planned)]
    assert folder.finished() == {"one": [0, 1, 2], "two": [0, 1, 2]}
    result = run(recipe, out=folder.path)
    assert [len(model.seeds) for model in result.comparison.models] == [3, 3]


def test_folds_and_baselines_are_not_grouped(jobs):
    folds = [replace(jobs[0], fold=fold, n_folds=2) for fold in range(2)]
    assert together(folds, 4) == folds
    assert together(jobs, 1) == list(jobs)
    found = together([*jobs[:2], *folds, jobs[2]], 2)
    assert [each.label for each in found] == [
        "model seeds 0, 1",
        "model repeat 0 fold 0",
        "model repeat 0 fold 1",
        "model seed 2",
    ]
