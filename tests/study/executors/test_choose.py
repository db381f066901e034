"""The executor that a run asks for.

Oracle: by hand, and the processes' numbers; tests/study/executors/test_ray_cluster.py has that of a
cluster. Cost: 3 s, most of it the fork server's imports.
Run: pytest tests/study/executors/test_choose.py
"""

import os
import signal
import time

import pytest

from bakeoff.study.executors import choose
from bakeoff.study.executors.choose import LocalExecutor, executor
from bakeoff.study.executors.worker_count import WORKER_BYTES
from tests.helpers.jobs import Act, Listener


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(choose, "worker_count", lambda workers, device: workers or 4)
    monkeypatch.setattr(
        choose, "fitting_workers", lambda size, *, each, free: (2, "memory is short")
    )


@pytest.mark.parametrize(
    ("workers", "device", "trials", "size", "notes"),
    [
        (None, "cpu", 9, 2, ["memory is short"]),
        (None, "cpu", 2, 2, []),  # nobody waits longer for it
        (4, "cpu", 9, 4, []),  # asked for
        (None, "gpu", 9, 4, []),
    ],
)
def test_fewer_workers_where_memory_is_short(few, workers, device, trials, size, notes):
    listener = Listener()
    found = LocalExecutor(workers, device, lanes=1, watcher=listener)
    found.fit(10**9, trials=trials)
    assert found.size == size
    assert listener.of("note") == notes


def test_workers_that_stay_after_a_search_are_not_counted_as_memory_that_is_gone(monkeypatch):
    """With as many as fit the search, next to nothing was free, and one trained at a time."""
    monkeypatch.setattr(choose, "worker_count", lambda workers, device: 4)
    free = iter((8 * WORKER_BYTES, WORKER_BYTES))
    monkeypatch.setattr(choose, "available_memory", lambda: next(free))
    listener = Listener()
    found = LocalExecutor(None, "cpu", lanes=1, watcher=listener)
    sizes = []
    for times in (3, 3, 1):  # the last is the chosen setting, which is smaller
        found.fit(times * WORKER_BYTES, trials=9)
        sizes.append(found.size)
    assert sizes == [2, 2, 4]
    assert len(listener.of("note")) == 1


def test_jobs_go_to_this_machine_s_workers(few, monkeypatch, tmp_path):
    given = {}

    def run_jobs(jobs, **settings):
        given.update(settings, jobs=jobs)
        return ["lost"]

    monkeypatch.setattr(choose, "run_jobs", run_jobs)
    how = {"home": tmp_path, "workers": 3, "device": "cpu", "lanes": 8, "watcher": Listener()}
    with executor(None, **how) as found:
        assert found.run_jobs(["a job"]) == ["lost"]
    assert (given["jobs"], given["workers"], given["device"], given["lanes"]) == (
        *(["a job"], 3, "cpu", 8),
    )


def test_workers_stay_for_the_next_jobs_and_end_with_the_block(tmp_path, real_workers):
    listener = Listener()
    with executor(None, home=tmp_path, workers=1, device="cpu", lanes=1, watcher=listener) as found:
        for label in ("first", "second"):
            assert found.run_jobs([Act(label, "nothing", str(tmp_path), affinity=label)]) == []
        pid = int((tmp_path / "first").read_text())
        assert int((tmp_path / "second").read_text()) == pid
        os.kill(pid, signal.SIGKILL)  # while it waits: nobody's job fails
        time.sleep(0.2)
        assert found.run_jobs([Act("third", "nothing", str(tmp_path))]) == []
        pid = int((tmp_path / "third").read_text())
    assert listener.of("note") == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
