"""Every kind of job is one: a frozen value that a worker can be sent, with a name of its own.

Oracle: the protocol `Job`. Cost: 1 s. Run: pytest tests/study/executors/test_interface.py
"""

import pickle
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from bakeoff.study.executors.interface import Job, Lost
from bakeoff.study.executors.remote_job import UnpackedJob
from bakeoff.study.jobs.baseline_job import BaselineJob
from bakeoff.study.jobs.feature_jobs import FeatureJob
from bakeoff.study.jobs.job import TrainJob
from bakeoff.study.jobs.multi_trial_job import MultiTrialJob
from bakeoff.study.jobs.predict_job import PredictJob
from bakeoff.study.winner.ship import ShipJob
from tests.helpers.trainers import declare

TRAIN = TrainJob(
    study="s",
    model="cnn",
    seed=3,
    selection="last",
    declared=declare().model_dump_json(),
    identity="a" * 64,
    data="d",
    maximum=255.0,
    n_classes=3,
    checkpoint_seconds=5,
)
JOBS: dict[str, Job] = {
    "cnn seed 3": TRAIN,
    "cnn seeds 3, 4": MultiTrialJob((TRAIN, TRAIN.__class__(**{**vars(TRAIN), "seed": 4})), 2),
    "majority baseline": BaselineJob("s", "majority", "d", 255.0, 3),
    "test of cnn": PredictJob("test of cnn", "cnn", "s", None, "i", "t", 255.0, 3),
    "lite, train images 1 to 128": FeatureJob("lite", "train_images.npy", 0, 128, 255.0),
    "cnn on all images": ShipJob(TRAIN, 3),
}


@pytest.mark.parametrize("label", JOBS)
def test_a_job_has_a_label_an_affinity_and_can_be_sent(label):
    job = JOBS[label]
    assert job.label == label
    assert isinstance(job.affinity, str) and callable(job.run)
    again = pickle.loads(pickle.dumps(job))
    assert again == job and (again.label, again.affinity) == (job.label, job.affinity)
    name = fields(job)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(job, name, None)


def test_jobs_of_one_model_go_to_the_worker_that_has_its_program():
    several, shipped = JOBS["cnn seeds 3, 4"], JOBS["cnn on all images"]
    assert TRAIN.affinity == several.affinity == shipped.affinity == "cnn"


def test_a_job_says_whether_its_network_is_made_by_code_of_the_user():
    assert not any(job.runs_user_code for job in JOBS.values())
    made = declare().model_copy(update={"layers": None, "python": "/mine.py:build"})
    builder = made.model_dump_json()
    trains = replace(TRAIN, declared=builder)
    predicts = replace(JOBS["test of cnn"], declared=builder)
    jobs = (
        trains,
        MultiTrialJob((trains,), 2),
        predicts,
        ShipJob(trains, 3),
        UnpackedJob(trains, "u"),
    )
    assert all(job.runs_user_code for job in jobs)


def test_a_lost_job_has_a_reason():
    assert Lost("cnn seed 3", "killed").reason == "killed"
