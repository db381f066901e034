"""Jobs on a cluster: who gets what, what comes back, and what dies; against hosts in this process.

Oracle: what the jobs write when they are done here, and hand-made plans of deaths.
Cost: 1 s. Run: pytest tests/study/executors/test_ray_executor.py
"""

import re

import pytest

from bakeoff.errors import BakeoffError, StorageError, StudyError
from bakeoff.storage import atomic, formats, written_folder
from bakeoff.study.executors import ray_executor
from bakeoff.study.executors.interface import Lost
from bakeoff.study.executors.ray_executor import ClusterExecutor
from bakeoff.study.executors.ray_places import Node
from bakeoff.study.jobs.checkpoint_names import PLACE
from bakeoff.study.jobs.job import TrainJob
from bakeoff.utils.events import Watcher
from tests.helpers.fake_cluster import FakeCluster, Writer
from tests.helpers.jobs import Listener
from tests.helpers.trainers import declare

ONE, TWO, GPU = Node("1", "one", 1, 0), Node("2", "two", 2, 0), Node("3", "gpu", 8, 1)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(ray_executor, "_WAIT_SECONDS", 0.0)


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "data.npy").write_bytes(b"images of ")
    return folder


def jobs(study, *seeds, **changes):
    return [Writer(str(study), seed, str(study / "data.npy"), **changes) for seed in seeds]


def executor(cluster, study, *, watcher=None, workers=None, device=None, lanes=1):
    return ClusterExecutor(
        cluster,
        home=study,
        workers=workers,
        device=device,
        lanes=lanes,
        watcher=watcher or Watcher(),
    )


def done(study):
    return {path.parent.name for path in study.glob("trials/*/*/manifest.json")}


def test_results_are_written_here_as_if_they_had_been_made_here(study, tmp_path):
    watcher = Listener()
    cluster = FakeCluster(tmp_path, [ONE, TWO])
    place = executor(cluster, study, watcher=watcher)
    assert place.run_jobs(jobs(study, *range(5))) == []
    assert done(study) == {f"seed-{seed}" for seed in range(5)}
    for seed in range(5):
        folder = study / "trials" / "model" / f"seed-{seed}"
        assert (folder / "weights.txt").read_bytes() == f"images of {seed}".encode()
        assert written_folder.check_folder(folder) == []
    assert sorted(path.name for path in (study / "trials" / "model").iterdir()) == sorted(
        f"seed-{seed}" for seed in range(5)
    )
    labels = [f"model seed {seed}" for seed in range(5)]
    assert sorted(watcher.of("finished")) == labels
    assert sorted(watcher.of("epoch")) == labels
    assert watcher.of("note") == ["--on ray: 2 nodes, 3 trials at a time: one (1) and two (2)"]
    place.close()
    assert [host.asked[-1] for host in cluster.killed] == ["close", "close"]


def test_what_all_jobs_read_is_put_once_and_sent_to_every_host_once(study, tmp_path):
    cluster = FakeCluster(tmp_path, [ONE, TWO])
    executor(cluster, study).run_jobs(jobs(study, *range(9)))
    assert cluster.puts == [study / "data.npy"]
    assert [len(host.contents) for host in cluster.hosts] == [1, 1]
    assert all(len(host.received) > 1 for host in cluster.hosts)


def test_what_no_job_reads_any_more_is_forgotten(study, tmp_path):
    (study / "fold.npy").write_bytes(b"a fold of ")
    cluster = FakeCluster(tmp_path, [ONE])
    first = [Writer(str(study), seed, str(study / "fold.npy"), affinity="a") for seed in (0, 1)]
    executor(cluster, study).run_jobs([*first, *jobs(study, 2, 3, affinity="b")])
    (host,) = cluster.hosts
    assert cluster.puts == [study / "fold.npy", study / "data.npy"]
    assert [path.read_bytes() for path in host.contents.values()] == [b"images of "]


def test_what_is_read_in_several_rounds_is_sent_once(study, tmp_path):
    """A search has a round of jobs for every few settings; all of them read the same images."""
    cluster = FakeCluster(tmp_path, [TWO])
    place = executor(cluster, study)
    for seeds in ((0, 1), (2, 3), (4,), (5, 6, 7)):
        assert place.run_jobs(jobs(study, *seeds)) == []
    assert done(study) == {f"seed-{seed}" for seed in range(8)}
    assert cluster.puts == [study / "data.npy"]


def test_what_is_asked_for_when_a_job_has_ended_is_done_and_nothing_is_sent_again(study, tmp_path):
    """A search: the next setting begins when one has ended, well or not."""
    heard, waiting = [], jobs(study, *range(2, 6))
    bad = jobs(study, 0, affinity="bad", reason="it fails")

    def more(label, lost):
        heard.append((label, lost))
        return [waiting.pop(0)] if waiting else []

    cluster = FakeCluster(tmp_path, [TWO])
    lost = executor(cluster, study).run_jobs([*bad, *jobs(study, 1)], more)
    assert lost == [Lost("bad seed 0", "it fails (on two)")]
    assert sorted(heard) == [
        ("bad seed 0", lost[0]),
        *((f"model seed {n}", None) for n in range(1, 6)),
    ]
    assert done(study) == {f"seed-{seed}" for seed in range(1, 6)}
    assert cluster.puts == [study / "data.npy"]


def test_what_was_let_go_of_is_sent_again_where_it_is_needed_again(study, tmp_path):
    (study / "other.npy").write_bytes(b"others of ")
    cluster = FakeCluster(tmp_path, [TWO])
    place = executor(cluster, study)
    for seeds, data in (((0, 1), "data.npy"), ((2, 3), "other.npy"), ((4, 5), "data.npy")):
        todo = [Writer(str(study), seed, str(study / data)) for seed in seeds]
        assert place.run_jobs(todo) == []
    assert done(study) == {f"seed-{seed}" for seed in range(6)}
    assert [path.name for path in cluster.puts] == ["data.npy", "other.npy", "data.npy"]
    (host,) = cluster.hosts
    assert [path.read_bytes() for path in host.contents.values()] == [b"images of "]


def test_the_hosts_with_the_largest_share_free_get_jobs_first(study, tmp_path):
    cluster = FakeCluster(tmp_path, [TWO, Node("4", "four", 4, 0)])
    executor(cluster, study).run_jobs(jobs(study, 0, 1, 2))
    assert [len(host.received) for host in cluster.hosts] == [1, 2]


def test_a_node_that_dies_costs_its_job_alone_and_another_goes_on_from_the_checkpoint(
    study, tmp_path
):
    watcher = Listener()

    def plan(host, label):
        return "die with a checkpoint" if (host.name, label) == ("two", "model seed 0") else ""

    cluster = FakeCluster(tmp_path, [TWO, ONE], plan=plan)
    cluster.there.append(ONE)
    assert executor(cluster, study, watcher=watcher).run_jobs(jobs(study, *range(4))) == []
    assert done(study) == {f"seed-{seed}" for seed in range(4)}
    begun = formats.read_sealed_json(study / "trials/model/seed-0" / written_folder.ENVIRONMENT)
    assert begun["begun"] == "two"
    (said,) = [note for note in watcher.of("note") if note.startswith("model seed 0")]
    assert said == "model seed 0: two is gone (its node has gone); trying once more"


def test_a_job_whose_nodes_die_again_and_again_is_lost_and_the_others_are_done(study, tmp_path):
    cluster = FakeCluster(
        tmp_path, [ONE], plan=lambda host, label: "die" if label == "model seed 1" else ""
    )
    lost = executor(cluster, study).run_jobs(jobs(study, 0, 1, 2))
    assert lost == [Lost("model seed 1", "one is gone (its node has gone)")]
    assert done(study) == {"seed-0", "seed-2"}
    assert len(cluster.killed) == ray_executor.NODE_ATTEMPTS


def test_a_job_that_fails_is_tried_twice(study, tmp_path):
    watcher = Listener()
    cluster = FakeCluster(tmp_path, [ONE])
    bad = jobs(study, 7, reason="it does not converge", affinity="bad")
    lost = executor(cluster, study, watcher=watcher).run_jobs([*bad, *jobs(study, 0)])
    assert lost == [Lost("bad seed 7", "it does not converge (on one)")]
    assert done(study) == {"seed-0"}
    assert watcher.of("note")[1:] == [
        "bad seed 7: it does not converge (on one); trying once more",
        "bad seed 7: it does not converge (on one); given up, the others go on",
    ]


def test_what_arrives_damaged_is_not_written(study, tmp_path):
    turns = iter(["garble", ""])
    watcher = Listener()
    cluster = FakeCluster(tmp_path, [ONE], plan=lambda host, label: next(turns))
    assert executor(cluster, study, watcher=watcher).run_jobs(jobs(study, 0)) == []
    assert done(study) == {"seed-0"}
    assert watcher.of("note")[1] == (
        "model seed 0: manifest.json came back otherwise than it was written; trying once more"
    )


def test_a_trial_that_is_there_already_is_not_done_again(study, tmp_path):
    watcher = Listener()
    first, second = jobs(study, 0, 1)
    written_folder.write_folder(first.target, {"weights.txt": b"kept"}, scratch=tmp_path / "s")
    cluster = FakeCluster(tmp_path, [ONE])
    executor(cluster, study, watcher=watcher).run_jobs([first, second])
    assert cluster.hosts[0].received == ["model seed 1"]
    assert watcher.of("finished") == ["model seed 0", "model seed 1"]
    assert (first.target / "weights.txt").read_bytes() == b"kept"


def test_while_a_trial_is_elsewhere_its_folder_says_where_and_nobody_else_may_train_it(
    study, tmp_path
):
    seen = []

    def plan(host, label):
        partial = study / "trials" / "model" / "seed-0.partial"
        seen.append(((partial / PLACE).read_text(), (study / "claimed-0").exists()))
        return ""

    executor(FakeCluster(tmp_path, [ONE], plan=plan), study).run_jobs(jobs(study, 0))
    assert seen == [('{"node": "one"}', True)]
    assert not (study / "claimed-0").exists()


def test_a_full_disk_here_stops_everything_and_releases_all_claims(study, tmp_path, monkeypatch):
    def full(path, files, *, scratch):
        raise StorageError(f"{path}: no space left on device")

    monkeypatch.setattr(written_folder, "write_folder", full)
    monkeypatch.setattr(Writer, "run", lambda self, on_epoch: made(self.target))

    def made(target):
        atomic.write_file(target / "manifest.json", formats.sealed_json({"files": {}}))

    cluster = FakeCluster(tmp_path, [TWO])
    with pytest.raises(StorageError, match=r"seed-[01]: no space left on device$"):
        executor(cluster, study).run_jobs(jobs(study, 0, 1))
    assert list(study.glob("claimed-*")) == []


def test_what_a_user_caused_there_is_told_here(study, tmp_path, monkeypatch):
    cluster = FakeCluster(tmp_path, [ONE])
    monkeypatch.setattr(
        cluster, "get", lambda ref: [("stop", StudyError("expected x, found y"))], raising=True
    )
    place = executor(cluster, study)
    with pytest.raises(StudyError, match=r"^expected x, found y$"):
        place.run_jobs(jobs(study, 0))


def test_a_cluster_that_has_gone_is_told_once_and_not_asked_to_end(study, tmp_path, monkeypatch):
    cluster = FakeCluster(tmp_path, [ONE])
    place = executor(cluster, study)

    def has_gone(*arguments):
        raise BakeoffError("it has gone")

    monkeypatch.setattr(cluster, "get", has_gone)
    with pytest.raises(BakeoffError, match=r"^it has gone$"):
        place.run_jobs(jobs(study, 0))
    for host in place._hosts:
        host.up = True
    for name in ("call", "wait"):
        monkeypatch.setattr(cluster, name, has_gone)
    place.close()


def test_a_cluster_without_room_is_told_in_a_line(study, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_executor, "PATIENCE_SECONDS", 0.0)
    cluster = FakeCluster(tmp_path, [ONE, TWO], free=0)
    text = (
        "--on ray: expected room for a trial, found none of 3 CPUs free: wait until other work "
        "there is done, or add nodes"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        executor(cluster, study).run_jobs(jobs(study, 0))


def test_a_cluster_without_a_gpu_is_told_in_a_line(study, tmp_path):
    text = "--on ray: expected a GPU that is free, found none: wait for one, or use --device cpu"
    with pytest.raises(StudyError, match=f"^{re.escape(text)}$"):
        executor(FakeCluster(tmp_path, [ONE]), study, device="gpu").run_jobs(jobs(study, 0))


def test_a_host_that_never_comes_up_is_given_up_with_its_reason(study, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_executor, "PATIENCE_SECONDS", 0.2)
    cluster = FakeCluster(tmp_path, [ONE])
    start = cluster.start_host

    def stillborn(place, **named):
        host = start(place, **named)
        host.dead = "its node was out of memory"
        return host

    monkeypatch.setattr(cluster, "start_host", stillborn)
    text = (
        "--on ray: expected a process on a node that does trials, found that it ends at once: its "
        "node was out of memory"
    )
    with pytest.raises(BakeoffError, match=f"^{re.escape(text)}$"):
        executor(cluster, study).run_jobs(jobs(study, 0))
    assert len(cluster.killed) == 3


def test_other_versions_are_refused_before_any_host_is_asked_for(study, tmp_path):
    cluster = FakeCluster(tmp_path, [ONE])
    cluster.refuse = StudyError("expected bakeoff 0.1.0")
    with pytest.raises(StudyError, match=r"^expected bakeoff 0\.1\.0$"):
        executor(cluster, study).run_jobs(jobs(study, 0))
    assert cluster.hosts == []


def test_a_node_that_joins_gets_jobs_too(study, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_executor, "_MUSTER_SECONDS", 0.0)

    def plan(host, label):
        if TWO not in cluster.there:
            cluster.there.append(TWO)
        return ""

    cluster = FakeCluster(tmp_path, [ONE], plan=plan)
    assert executor(cluster, study).run_jobs(jobs(study, *range(6))) == []
    assert [host.name for host in cluster.hosts] == ["one", "two"]
    assert cluster.hosts[1].received


def test_the_more_places_the_rarer_their_checkpoints_come_here(study, tmp_path):
    for cpus, seconds in ((2, 5.0), (16_000, 400.0)):
        cluster = FakeCluster(tmp_path / str(cpus), [Node("1", "one", cpus, 0)])
        executor(cluster, study).run_jobs(jobs(study, cpus))
        assert cluster.seconds == [seconds]


# ── GPUs ─────────────────────────────────────────────────────────────────────────────────────


def trials(study, *seeds, fold=None, called=""):
    return [
        TrainJob(
            study=str(study),
            model="cnn",
            seed=seed,
            selection="last",
            declared=declare(epochs=1).model_dump_json(),
            identity="a" * 64,
            data=str(study / "data"),
            maximum=1.0,
            n_classes=2,
            checkpoint_seconds=5.0,
            fold=fold,
            called=called,
            n_folds=0 if fold is None else 2,
        )
        for seed in seeds
    ]


@pytest.fixture
def given(monkeypatch):
    """Let hosts do nothing but take note: every job is lost."""
    found = []

    def take(self, host, orders, keys, forget, *contents):
        found.extend((host.name, type(each.job).__name__, each.job.label) for each in orders)
        host.events += [("failed", each.job.label, "not here") for each in orders]

    monkeypatch.setattr(FakeCluster, "_do", take)
    monkeypatch.setattr(TrainJob, "reads", lambda self: [])
    return found


def test_a_gpu_takes_the_seeds_of_a_model_together_and_a_cpu_one_trial(study, tmp_path, given):
    cluster = FakeCluster(tmp_path, [GPU, ONE])
    lost = executor(cluster, study, lanes=4).run_jobs(trials(study, *range(5)))
    assert given[:2] == [
        ("gpu", "MultiTrialJob", "cnn seeds 0, 1, 2, 3"),
        ("one", "TrainJob", "cnn seed 4"),
    ]
    assert sorted(each.label for each in lost) == [f"cnn seed {seed}" for seed in range(5)]


def test_folds_train_alone_on_a_gpu_too(study, tmp_path, given):
    executor(FakeCluster(tmp_path, [GPU]), study, lanes=4).run_jobs(trials(study, 0, 1, fold=1))
    assert given[:2] == [
        ("gpu", "TrainJob", "cnn repeat 0 fold 1"),
        ("gpu", "TrainJob", "cnn repeat 0 fold 1"),
    ]


def test_a_setting_of_a_search_trains_alone_on_a_gpu_too(study, tmp_path, given):
    todo = trials(study, 0, called="cnn setting 7")
    executor(FakeCluster(tmp_path, [GPU]), study, lanes=4).run_jobs(todo)
    assert given[0] == ("gpu", "TrainJob", "cnn setting 7")
