"""Which job is next: orders told by hand.

Cost: nothing. Run: pytest tests/study/executors/test_job_queue.py
"""

import pytest

from bakeoff.study.executors import job_queue
from bakeoff.study.executors.interface import Lost
from bakeoff.study.executors.job_queue import JobQueue
from tests.helpers.jobs import Act, Listener


def queue(*names, attempts=2):
    """Return a queue of jobs; "a1" has the affinity a."""
    made = JobQueue(Listener(), attempts=attempts)
    made.add([Act(name, "nothing", "", affinity=name[0]) for name in names])
    return made


def test_the_same_affinity_goes_first_then_one_nobody_has_then_the_first():
    waiting = queue("a1", "b1", "a2", "b2", "c1")
    assert waiting.next("b", {"b"}).label == "b1"
    assert waiting.next("x", {"a", "b"}).label == "c1"
    assert waiting.next(None, {"a", "b"}).label == "a1"
    assert waiting.more("c") is None
    assert [waiting.more("a").label, waiting.more("b").label] == ["a2", "b2"]
    assert (waiting.next(None, set()), waiting.empty, len(waiting)) == (None, True, 0)


def test_a_job_that_failed_goes_before_all_others_and_is_lost_in_the_end():
    watcher = Listener()
    waiting = JobQueue(watcher)
    waiting.add([Act(name, "nothing", "", affinity=name) for name in "ab"])
    for reason in ("it fell", "it fell again"):
        job = waiting.next(None, set())
        assert job.label == "a"
        waiting.failed(job, reason)
    assert waiting.lost == [Lost("a", "it fell again")]
    assert watcher.of("note") == [
        "a: it fell; trying once more",
        "a: it fell again; given up, the others go on",
    ]
    assert waiting.next(None, set()).label == "b"


def test_a_node_that_died_under_a_job_takes_none_of_its_own_attempts():
    waiting = queue("a")
    for reason, attempts in (("node 1", 4), ("it fell", None), ("node 2", 4), ("node 3", 4)):
        waiting.failed(waiting.next(None, set()), reason, attempts=attempts)
        assert not waiting.lost
    waiting.failed(waiting.next(None, set()), "it fell again")
    assert waiting.lost == [Lost("a", "it fell again")]


def test_a_job_tried_only_once_is_lost_without_a_word():
    watcher = Listener()
    waiting = JobQueue(watcher, attempts=1)
    waiting.failed(Act("a", "nothing", ""), "it fell")
    assert (waiting.lost, watcher.heard) == ([Lost("a", "it fell")], [])


@pytest.mark.parametrize("times", [1, 3])
def test_a_job_that_another_process_is_at_is_put_off_and_told_once(times, monkeypatch):
    monkeypatch.setattr(job_queue, "BUSY_SECONDS", 0.0)
    watcher = Listener()
    waiting = JobQueue(watcher)
    waiting.add([Act("a", "nothing", "")])
    for _ in range(times):
        waiting.busy(waiting.next(None, set()))
        assert (len(waiting), waiting.empty) == (0, False)
        waiting.wake()
    assert waiting.next(None, set()).label == "a"
    assert watcher.of("note") == ["a: another process is at it; waiting for that"]
