"""A study on a small Ray cluster of two nodes, both on this machine.

Oracle: the same study by local workers, byte for byte. Cost: 45 s on two quiet cores, most of it
Ray's start and each node's import of Keras. Run: pytest tests/study/executors/test_ray_cluster.py
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types
import warnings

import pytest

from bakeoff.errors import BakeoffError, StorageError, StudyError, UsageError
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.executors import ray_cluster, ray_host
from bakeoff.study.executors.ray_alive import Vitals
from bakeoff.study.executors.ray_places import Node
from tests.helpers import small
from tests.helpers.jobs import Listener

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own, at its start


@pytest.fixture(scope="module")
def address():
    """Start a cluster of two nodes with a CPU each, one of which claims a GPU; give its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ray = ray_cluster._imported()
        from ray.cluster_utils import Cluster

        node = {"num_cpus": 1, "num_gpus": 0, "include_dashboard": False}
        unused = {"no_monitor": True, "include_log_monitor": False}
        try:
            made = Cluster(initialize_head=True, head_node_args={**node, **unused})
            made.add_node(num_cpus=1, num_gpus=1, include_log_monitor=False)
        except Exception as error:  # Ray waits 30 s for its own processes
            if "timed out during startup" not in str(error):
                raise
            pytest.skip(f"this machine is too busy for Ray: {error}")
    yield made.address
    ray.shutdown()
    made.shutdown()


def test_a_study_is_the_same_as_by_local_workers_and_says_what_ran_where(
    address, tmp_path, monkeypatch
):
    npz = small.write_npz(tmp_path / "data.npz")
    small.carry_out(npz, tmp_path / "here")
    monkeypatch.setenv("RAY_ADDRESS", address)
    watcher = Listener()
    result = small.carry_out(
        npz,
        tmp_path / "there",
        workers=None,
        watcher=watcher,
        options={"on": "ray", "device": "cpu"},
    )
    assert small.identical(tmp_path / "here", tmp_path / "there")
    assert small.files(tmp_path / "here", "baselines") == small.files(
        tmp_path / "there", "baselines"
    )
    assert result.lost == ()
    folder = StudyFolder(tmp_path / "there")
    found = [folder.read_environments(name, seed) for name in small.MODELS for seed in (0, 1)]
    nodes = {environment["node"] for (environment,) in found}
    assert nodes == set(nodes_of(watcher))
    assert all(environment["processor"] for (environment,) in found)
    left = [path.name for path in folder.path.rglob("*") if "partial" in path.name]
    assert left == []


def nodes_of(watcher):
    """Return the nodes' names, from the line that says them."""
    (said,) = [note for note in watcher.of("note") if note.startswith("RAY_ADDRESS=")]
    found = re.fullmatch(
        r"RAY_ADDRESS=[\d.:]+: 2 nodes, 2 trials at a time: (\S+) \(1\) and (\S+) \(1\)", said
    )
    return found.groups()


def test_a_node_with_a_gpu_is_given_the_seeds_of_a_model_together(address, tmp_path, monkeypatch):
    """The node has no GPU and trains on its CPU: what is tried is who is given what, and where."""
    received = tmp_path / "received.txt"

    class CpuHost(ray_host.Host):  # sent to the node as code, since it is a local class
        def __init__(self, name, size, device, send_seconds):
            self._said = f"{name} {device} {os.environ['CUDA_VISIBLE_DEVICES']}"
            super().__init__(name, size, "cpu", send_seconds)

        def do(self, orders, *others):
            with received.open("a", encoding="utf-8") as file:
                file.writelines(
                    f"{self._said}: {type(o.job).__name__}, {o.job.label}\n" for o in orders
                )
            super().do(orders, *others)

    monkeypatch.setattr(ray_cluster, "Host", CpuHost)
    monkeypatch.setenv("RAY_ADDRESS", address)
    npz = small.write_npz(tmp_path / "data.npz")
    models = {"mlp": small.MODELS["mlp"]}
    options = {"on": "ray", "keep_sealed": True}
    watcher = Listener()
    small.carry_out(
        npz, tmp_path / "s", workers=1, watcher=watcher, options=options, models=models, seeds=3
    )
    (line,) = [each for each in received.read_text("utf-8").splitlines() if "Baseline" not in each]
    node, found = line.split(" ", 1)
    assert found == "gpu 0: MultiTrialJob, mlp seeds 0, 1, 2"
    (said,) = [note for note in watcher.of("note") if note.startswith("RAY_ADDRESS=")]
    assert said.endswith(f": 1 node, on 1 GPU the seeds of a model together: {node} GPU (1)")
    folder = StudyFolder(tmp_path / "s")
    ran = [folder.read_environments("mlp", seed)[0]["node"] for seed in range(3)]
    assert ran == [node] * 3


def test_another_version_of_bakeoff_on_a_node_is_an_error_in_a_line(address, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", address)
    real = ray_cluster.environment("cpu")
    with ray_cluster.connected("ray", workers=None) as cluster:
        (node, *_) = cluster.nodes()
        one = Node(node["NodeID"], "box", 1, 0)
        cluster.require_same_versions([one])
        for name, here in (("bakeoff", "9.0"), ("python", "3.99"), ("jax", "0.1")):
            other = {**real, name: here}
            monkeypatch.setattr(ray_cluster, "environment", lambda device, other=other: other)
            text = rf"^RAY_ADDRESS=\S+: expected {name} {re.escape(here)} on every node, as here, "
            with pytest.raises(StudyError, match=text + rf"found {name} \S+ on box: install the"):
                cluster.require_same_versions([one])


def test_another_python_or_ray_of_the_cluster_is_an_error_in_a_line():
    raised = RuntimeError(
        "Version mismatch: The cluster was started with:\n    Ray: 2.50.0\n    Python: 3.12.1\n"
        "This process on 10.0.0.1 was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
    )
    assert str(ray_cluster._in_words(raised, "--on ray://a:1")) == (
        "--on ray://a:1: expected Ray 2.50.0 and Python 3.12.1, which the cluster has, found Ray "
        "2.60.0 and Python 3.11.7 here: install the same versions"
    )


def test_a_ray_that_does_not_start_here_is_not_said_to_want_a_token():
    raised = RuntimeError("Timed out waiting for file /tmp/ray/x\nmore")
    found = ray_cluster._in_words(raised, "--on ray", started="/tmp/ray")
    assert str(found) == (
        "--on ray: expected a Ray that starts on this machine, found none (Timed out waiting for "
        "file /tmp/ray/x): see what it wrote in /tmp/ray/session_latest/logs, or leave --on out: "
        "the same workers train"
    )


def test_the_sockets_of_a_ray_that_starts_here_lie_where_their_names_are_short(monkeypatch):
    monkeypatch.setenv("RAY_TMPDIR", "/dev/shm")
    assert ray_cluster._place() == "/dev/shm/ray"
    monkeypatch.setenv("RAY_TMPDIR", "/" + "x" * 70)
    assert ray_cluster._place() == "/tmp/ray"
    monkeypatch.delenv("RAY_TMPDIR")
    monkeypatch.setattr(tempfile, "tempdir", "/" + "x" * 70)
    assert ray_cluster._place() == "/tmp/ray"


def test_a_full_folder_for_temporary_files_is_named(monkeypatch):
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(9, 9, 0))
    text = (
        "/tmp: no space left for the Ray that --on ray starts here: free some, or name another "
        "folder in RAY_TMPDIR"
    )
    with pytest.raises(StorageError, match=f"^{re.escape(text)}$"):
        ray_cluster._place()


KILLED = """
import os
from bakeoff.study.executors.ray_cluster import connected

with connected("ray", workers=1) as cluster:
    (process,) = cluster._ray._private.worker._global_node.all_processes["raylet"]
    os.kill(process.process.pid, 9)
    process.process.wait()
    cluster._vitals._looked = float("-inf")
    try:
        cluster.nodes()
    except Exception as error:  # said at once: Ray may still end this process when it lets go
        print(type(error).__name__, error, flush=True)
"""


def test_a_cluster_whose_process_here_is_killed_is_an_error_in_a_line():
    """Ray ended it, with pages of its own and none of ours."""
    own = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    done = subprocess.run(
        [sys.executable, "-c", KILLED], capture_output=True, text=True, env=own, timeout=300
    )
    assert done.stdout.splitlines() == [
        "BakeoffError --on ray: expected a Ray cluster that stays until the end, found that its "
        "process on this machine, the raylet, has gone: what is finished is kept, and the same "
        "command goes on"
    ]


def test_a_connection_of_rays_client_that_is_cut_is_an_error_in_a_line():
    def cut():
        raise ConnectionError("Failed to reconnect within the reconnection grace period (30s)")

    ray = types.SimpleNamespace(remote=lambda made: made, nodes=cut)
    nothing = Vitals(None, None, patience=0.0)
    text = (
        "--on ray://a:1: expected a Ray cluster that stays until the end, found that the "
        "connection to it was cut: what is finished is kept, and the same command goes on as soon "
        "as there is a cluster again"
    )
    with pytest.raises(BakeoffError, match=f"^{re.escape(text)}$"):
        ray_cluster.RayCluster(ray, "--on ray://a:1", nothing).nodes()


@pytest.mark.parametrize("on", ["rays", "ray:", "ray://", "ray://host", "ray://a b:1", "ray://a:b"])
def test_what_on_does_not_take_is_refused(on):
    text = f"--on: expected ray or ray://HOST:PORT, found {on!r}"
    with pytest.raises(UsageError, match=f"^{re.escape(text)}$"):
        ray_cluster.require_place(on)


def test_a_cluster_that_cannot_be_reached_is_an_error_in_a_line(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    npz = small.write_npz(tmp_path / "data.npz")
    text = (
        "{}: expected a Ray cluster there, found none (connection refused): start one with `ray "
        "start --head`, or see whether the address is right"
    )
    for on, name in (("ray", "RAY_ADDRESS=127.0.0.1:1"), ("ray://127.0.0.1:1", "--on {}")):
        with pytest.raises(StudyError, match=f"^{re.escape(text.format(name.format(on)))}$"):
            small.carry_out(npz, tmp_path / "study", options={"on": on})
    assert not (tmp_path / "study").exists()


def test_without_ray_the_extra_is_named():
    script = (
        "import sys; sys.modules['ray'] = None\n"
        "from bakeoff.study.executors.ray_cluster import connected\n"
        "from bakeoff.errors import UsageError\n"
        "try:\n"
        "    connected('ray', workers=None).__enter__()\n"
        "except UsageError as error:\n"
        "    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == (
        "--on: expected Ray, found none: install Bakeoff with its ray extra (pip install "
        "'bakeoff[ray]')\n"
    )


def test_ray_is_imported_for_a_cluster_alone():
    script = (
        "import json, sys; import bakeoff.study.run, bakeoff.study.executors.choose\n"
        "print(json.dumps('ray' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert json.loads(done.stdout) is False
