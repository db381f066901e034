"""A job's way to another machine and back: files at the same places of another folder.

Oracle: the folders before and after, byte for byte. Cost: nothing.
Run: pytest tests/study/executors/test_remote_job.py
"""

import os
import re
from pathlib import Path

import pytest

from bakeoff.errors import StudyError
from bakeoff.storage import feature_cache, written_folder
from bakeoff.storage.formats import sealed_json
from bakeoff.study.executors import remote_job
from bakeoff.study.jobs.feature_jobs import FeatureJob
from bakeoff.study.jobs.job import TrainJob
from bakeoff.study.jobs.multi_trial_job import MultiTrialJob
from tests.helpers.fake_cluster import Writer
from tests.helpers.trainers import declare


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study that is named by a relative path, as most are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "data.npy").write_bytes(b"images")
    return Path("study")


def train(study, seed, **changes):
    settings = {
        "study": str(study),
        "model": "cnn",
        "seed": seed,
        "selection": "last",
        "declared": declare(epochs=1).model_dump_json(),
        "identity": "a" * 64,
        "data": str(study.resolve() / ".scratch" / "x.d"),
        "maximum": 1.0,
        "n_classes": 2,
        "checkpoint_seconds": 5.0,
    }
    return TrainJob(**settings | changes)


def write_data(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("train_images", "train_labels", "validation_images", "validation_labels"):
        (folder / f"{name}.npy").write_bytes(name.encode())


def test_every_path_of_a_job_moves_and_nothing_else(study, tmp_path):
    write_data(tmp_path / "study" / ".scratch" / "x.d")
    job = MultiTrialJob((train(study, 0), train(study, 1)), 2)
    made, files = remote_job.to_send(job, study)
    assert sorted(made.files) == [
        ".scratch/x.d/train_images.npy",
        ".scratch/x.d/train_labels.npy",
        ".scratch/x.d/validation_images.npy",
        ".scratch/x.d/validation_labels.npy",
    ]
    assert made.writes == ("trials/cnn/seed-0", "trials/cnn/seed-1")
    assert made.keeps == ("trials/cnn/seed-0.partial", "trials/cnn/seed-1.partial")
    there = tmp_path / "there"
    away = remote_job.unpack_job(made, there, files.__getitem__)
    assert [(each.study, each.data, each.declared) for each in away.job.jobs] == [
        (str(there), str(there / ".scratch" / "x.d"), job.jobs[0].declared)
    ] * 2
    assert (there / ".scratch/x.d/train_labels.npy").read_bytes() == b"train_labels"
    assert (away.label, away.affinity) == (job.label, "cnn")


def test_the_newest_checkpoint_goes_along_and_comes_back(study):
    write_data(Path(train(study, 0).data))
    partial = study / "trials" / "cnn" / "seed-0.partial"
    partial.mkdir(parents=True)
    for number in (1, 2):
        (partial / f"checkpoint-00000{number}-x.safetensors").write_bytes(b"old")
    made, _ = remote_job.to_send(train(study, 0), study)
    place = "trials/cnn/seed-0.partial"
    assert [name for name in made.files if name.startswith(place)] == [
        f"{place}/checkpoint-000002-x.safetensors"
    ]
    remote_job.keep_checkpoints({f"{place}/checkpoint-000003-y.safetensors": b"new"}, made, study)
    assert sorted(path.name for path in partial.iterdir()) == [
        "checkpoint-000002-x.safetensors",
        "checkpoint-000003-y.safetensors",
    ]


def test_another_content_of_a_file_has_another_key(study):
    (job,) = [Writer(str(study), 0, str(study / "data.npy"))]
    first, _ = remote_job.to_send(job, study)
    assert remote_job.to_send(job, study)[0].files == first.files
    (study / "data.npy").write_bytes(b"other images")
    os.utime(study / "data.npy", (0, 0))
    assert remote_job.to_send(job, study)[0].files != first.files


def test_features_go_from_one_users_cache_to_another(study, tmp_path, monkeypatch):
    job = FeatureJob("efficientnet_lite0", str(study / "data.npy"), 0, 2, 1.0)
    made, files = remote_job.to_send(job, study)
    (place,) = made.writes
    assert re.fullmatch(r"\.user/features/[0-9a-f]{16}", place)
    away = remote_job.unpack_job(made, tmp_path / "there", files.__getitem__)
    assert away.user == str(tmp_path / "there" / ".user")
    with monkeypatch.context() as there:
        there.setenv("BAKEOFF_HOME", away.user)
        assert feature_cache.features_root() == tmp_path / "there" / ".user" / "features"
    computed = tmp_path / "there" / place
    computed.mkdir(parents=True)
    (computed / "a.safetensors").write_bytes(b"features")
    (computed / "computing.lock").touch()
    remote_job.write_results(remote_job.pack_results(tmp_path / "there", made.writes), made, study)
    (found,) = feature_cache.features_root().rglob("*.*")
    assert (found.parent.name, found.name) == (Path(place).name, "a.safetensors")


@pytest.mark.parametrize(
    "name", ["study.json", "trials/model/seed-0/../../../x", "trials/model/seed-00/x"]
)
def test_nothing_is_written_but_what_the_job_writes(study, name):
    made, _ = remote_job.to_send(Writer(str(study), 0, str(study / "data.npy")), study)
    text = f"{name}: expected what the job writes, found something else"
    with pytest.raises(remote_job.Garbled, match=f"^{re.escape(text)}$"):
        remote_job.write_results({name: b""}, made, study)
    assert sorted(path.name for path in study.rglob("*")) == ["data.npy"]


def test_a_folder_is_written_only_if_it_is_what_was_written_there(study, tmp_path):
    made, _ = remote_job.to_send(Writer(str(study), 0, str(study / "data.npy")), study)
    there = tmp_path / "there"
    written_folder.write_folder(
        there / made.writes[0],
        {"weights": b"1", "timing.json": sealed_json({})},
        scratch=tmp_path / "s",
    )
    files = remote_job.pack_results(there, made.writes)
    for change in ({"trials/model/seed-0/weights": b"2"}, {"trials/model/seed-0/more": b""}):
        with pytest.raises(remote_job.Garbled, match=r" came back otherwise than it was written$"):
            remote_job.write_results(files | change, made, study)
    with pytest.raises(
        remote_job.Garbled, match=r": expected it among what came back, found nothing"
    ):
        remote_job.write_results({}, made, study)
    remote_job.write_results(files, made, study)
    assert remote_job.pack_results(study, made.writes) == files
    assert written_folder.check_folder(study / made.writes[0]) == []


def test_a_file_outside_the_study_does_not_travel(study, tmp_path):
    (tmp_path / "elsewhere.npy").touch()
    text = "expected a file of the study in study, found one elsewhere"
    with pytest.raises(StudyError, match=text):
        remote_job.to_send(Writer(str(study), 0, str(tmp_path / "elsewhere.npy")), study)
