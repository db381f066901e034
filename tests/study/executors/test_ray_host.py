"""Worker processes on a node; tests/study/executors/test_ray_executor.py gives them jobs.

Oracle: by hand. Cost: 1 s. Run: pytest tests/study/executors/test_ray_host.py
"""

import os
import platform
from pathlib import Path
from types import SimpleNamespace

import pytest

from bakeoff.errors import BakeoffError
from bakeoff.study.executors import ray_host, remote_job
from bakeoff.study.executors.ray_host import Host, look_around


@pytest.fixture
def host(monkeypatch):
    """A host without workers."""
    monkeypatch.setenv(ray_host.NODE, "")
    monkeypatch.setattr(Host, "_live", lambda self: None)
    return Host("node-7", 2, "cpu", 60.0)


def test_a_node_tells_its_versions_and_its_name():
    found = look_around()
    assert found["host"] == platform.node()
    assert {"python", "bakeoff", "keras", "jax", "processor"} <= found.keys()
    assert "rate" not in found


def test_workers_are_told_what_they_run_on(host):
    assert os.environ[ray_host.NODE] == "node-7"
    assert host.hello() == os.getpid()


def test_a_label_becomes_one_folder():
    assert Host._job_folder("study/cnn seed 3") == "job study-cnn seed 3"


def test_a_host_that_has_ended_takes_no_files(host):
    host._closing = True
    with pytest.raises(BakeoffError, match=r"^expected a host that works, found one that has"):
        host._place()


def test_a_trial_s_newest_checkpoint_is_told_once_and_again_when_it_fails(host, tmp_path):
    place = "trials/mlp/seed-0.partial"
    job = remote_job.RemoteJob(SimpleNamespace(label="mlp seed 0"), (), {}, (), (place,))
    host._folder, host._orders = tmp_path, {"mlp seed 0": job}
    partial = tmp_path / "job mlp seed 0" / place
    partial.mkdir(parents=True)

    def told():
        host._looked = float("-inf")
        host._tell_due_checkpoints()
        events, host._events = host._events, []
        return events

    first, second = (f"{place}/checkpoint-00000{epoch}-0.safetensors" for epoch in (1, 2))
    assert told() == []
    (partial / Path(first).name).write_bytes(b"first")
    assert told() == [("kept", "mlp seed 0", {first: b"first"})]
    (partial / Path(second).name).write_bytes(b"second")
    assert told() == []  # too soon after the other
    host.failed("mlp seed 0", "killed")
    assert host._events == [
        ("kept", "mlp seed 0", {second: b"second"}),
        ("failed", "mlp seed 0", "killed"),
    ]
    assert not partial.exists()
