"""Worker processes that die, fail, hang and talk.

Oracle: jobs that do one bad thing each (jobs.py), and the processes the system still knows.
Cost: 20 s, most of it the fork server's imports.
Run: pytest tests/study/executors/test_local_processes.py
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bakeoff.errors import StudyError
from bakeoff.study.executors import local_processes
from bakeoff.study.executors.interface import Lost
from bakeoff.study.executors.local_processes import run_jobs
from tests.helpers.jobs import Act, Listener

DEATHS = {
    "exit": "its worker process ended with code 7",
    "leave": "its worker process ended with code 3",
    "be_killed": "its worker process was killed (out of memory?)",
    "crash": "its worker process died of signal 6",
    "fail": "ZeroDivisionError: nothing to divide by (jobs.py:{line})",
    "lose": "lost it",
}


def run(jobs, *, workers=2, more=None):
    listener = Listener()
    how = {"workers": workers, "device": "cpu", "cache": None, "more": more}
    lost = run_jobs(jobs, watcher=listener, **how)
    return lost, listener


def begun(folder, label):
    """How often a job was begun."""
    path = Path(folder) / label
    return len(path.read_text().splitlines()) if path.exists() else 0


def reason(action):
    lines = Path(sys.modules["tests.helpers.jobs"].__file__).read_text().splitlines()
    raising = next(n for n, line in enumerate(lines, 1) if "ZeroDivisionError" in line)
    return DEATHS[action].format(line=raising)


def test_a_worker_that_does_nothing_is_named_killed_and_its_job_tried_again(tmp_path, monkeypatch):
    """U3."""
    monkeypatch.setattr(local_processes, "_SILENT_SECONDS", 1.0)
    monkeypatch.setattr(local_processes, "_STUCK_SECONDS", 3.0)
    lost, listener = run([Act("stopped", "be_stopped", str(tmp_path), times=1)])
    assert lost == []
    named, killed = listener.of("note")
    assert re.fullmatch(
        r"stopped: its worker process \d+ has done nothing for \d+ seconds \(stopped\?\); after 3 "
        r"it is killed and the trial goes on in another",
        named,
    )
    assert re.fullmatch(
        r"stopped: its worker process did nothing for \d+ seconds; trying once more", killed
    )
    assert begun(tmp_path, "stopped") == 2


def test_jobs_that_go_wrong_twice_are_lost_by_name_and_the_others_finish(tmp_path):
    bad = [Act(action, action, str(tmp_path), affinity=action) for action in DEATHS]
    good = [Act(f"good {n}", "nothing", str(tmp_path)) for n in range(4)]
    lost, listener = run([good[0], *bad, *good[1:]])
    assert sorted(lost, key=str) == sorted((Lost(a, reason(a)) for a in DEATHS), key=str)
    assert sorted(listener.of("finished")) == [job.label for job in good]
    assert {action: begun(tmp_path, action) for action in DEATHS} == dict.fromkeys(DEATHS, 2)
    assert [begun(tmp_path, job.label) for job in good] == [1] * 4
    notes = listener.of("note")
    for action in DEATHS:
        assert [note for note in notes if note.startswith(f"{action}:")] == [
            f"{action}: {reason(action)}; trying once more",
            f"{action}: {reason(action)}; given up, the others go on",
        ]


@pytest.mark.parametrize("action", ["be_killed", "fail"])
def test_a_job_that_goes_wrong_once_is_done_by_a_new_worker(tmp_path, action):
    lost, listener = run([Act("job", action, str(tmp_path), times=1)])
    assert lost == []
    assert listener.heard == [
        ("started", "job"),
        ("note", f"job: {reason(action)}; trying once more"),
        ("started", "job"),
        ("finished", "job"),
    ]
    assert len(set((tmp_path / "job").read_text().split())) == 2


def test_a_users_error_stops_everything_and_leaves_no_process(tmp_path):
    jobs = [Act("sleeps", "sleep", str(tmp_path)), Act("accuses", "accuse_user", str(tmp_path))]
    start = time.monotonic()
    with pytest.raises(StudyError, match=r"^expected something else$"):
        run(jobs)
    assert time.monotonic() - start < 30
    if begun(tmp_path, "sleeps"):
        assert gone(int((tmp_path / "sleeps").read_text()))


def test_a_job_that_another_process_is_doing_is_asked_for_again(tmp_path):
    lost, listener = run([Act("job", "be_busy", str(tmp_path), times=2)])
    assert lost == []
    assert begun(tmp_path, "job") == 3
    assert listener.of("finished") == ["job"]
    assert listener.of("note") == ["job: another process is at it; waiting for that"]  # U3, once


def test_a_parent_hears_of_epochs_without_keras_and_keeps_standard_output(tmp_path):
    script = (
        "import sys; from tests.helpers.jobs import Act, Listener\n"
        "from bakeoff.study.executors.local_processes import run_jobs\n"
        "listener = Listener()\n"
        "jobs = [Act(n, n, sys.argv[1]) for n in ('report', 'write_to_standard_output')]\n"
        "run_jobs(jobs, workers=1, device='cpu', cache=None, watcher=listener)\n"
        "print(*({'keras', 'jax', 'vl_convert'} & set(sys.modules)))\n"
        "print(*(event[2].epoch for event in listener.heard if event[0] == 'epoch'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stderr == "printed by a builder\nwritten by a library\n"
    assert done.stdout == "\n0 1 2\n"


def test_workers_die_with_a_parent_that_is_killed(tmp_path):
    script = (
        "import sys; from tests.helpers.jobs import Act, Listener\n"
        "from bakeoff.study.executors.local_processes import run_jobs\n"
        "jobs = [Act(str(n), 'sleep', sys.argv[1], affinity=str(n)) for n in range(2)]\n"
        "run_jobs(jobs, workers=2, device='cpu', cache=None, watcher=Listener())"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, env=environment()) as parent:
        wait_for(lambda: begun(tmp_path, "0") and begun(tmp_path, "1"), seconds=60)
        workers = [int((tmp_path / name).read_text()) for name in "01"]
        assert not any(gone(pid) for pid in workers)
        parent.kill()
    wait_for(lambda: all(gone(pid) for pid in workers), seconds=5)


def of_two_models(folder, *, code_of_a=False, code_of_b=False):
    """Do two jobs of each of two models, one after the other; return who did them, by label."""
    jobs = [
        Act(f"{affinity}{n}", "nothing", str(folder), affinity=affinity, runs_user_code=code)
        for affinity, code in [("a", code_of_a), ("b", code_of_b)]
        for n in "12"
    ]
    assert run(jobs, workers=1)[0] == []
    pids = [(folder / job.label).read_text().strip() for job in jobs]
    assert all(gone(int(pid)) for pid in pids)
    return pids


def test_a_worker_goes_on_with_another_model_and_ends_with_the_jobs(tmp_path):
    assert len(set(of_two_models(tmp_path))) == 1


@pytest.mark.parametrize("code", ["code_of_a", "code_of_b"])
def test_code_of_the_user_has_a_worker_of_its_own(tmp_path, code):
    a1, a2, b1, b2 = of_two_models(tmp_path, **{code: True})
    assert a1 == a2 != b1 == b2


def test_a_worker_that_has_grown_is_replaced_between_models(tmp_path, monkeypatch):
    monkeypatch.setattr(local_processes, "WORKER_BYTES", 1 << 20)
    a1, a2, b1, b2 = of_two_models(tmp_path)
    assert a1 == a2 != b1 == b2


def test_no_jobs_start_no_worker():
    lost, listener = run([])
    assert (lost, listener.heard) == ([], [])


# ── helpers ──────────────────────────────────────────────────────────────────────────────────


def environment():
    tests = str(Path(__file__).parents[3])
    return {**os.environ, "PYTHONPATH": tests}


def gone(pid):
    """Say whether a process has ended; a zombie has."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return re.search(r"\) Z ", status) is not None


def wait_for(condition, *, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_a_worker_that_is_free_does_what_is_asked_for_then_and_waits_for_no_other(tmp_path):
    """A search: of two settings the short one has ended, and another takes its worker at once."""
    heard = []

    def more(label, lost):
        heard.append((label, lost))
        if len(heard) == 4:
            (tmp_path / "go").touch()
        number = len(heard) + 1
        return [Act(f"short {number}", "nothing", str(tmp_path))] if number < 5 else []

    first = [Act("long", "wait_for_go", str(tmp_path)), Act("short 1", "fail", str(tmp_path))]
    lost, listener = run(first, more=more)
    bad = Lost("short 1", reason("fail"))
    assert lost == [bad]
    assert heard == [("short 1", bad), *((f"short {n}", None) for n in (2, 3, 4)), ("long", None)]
    assert listener.of("finished") == ["short 2", "short 3", "short 4", "long"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("enough", "kept"), [(1 << 50, 1), (1 << 20, 0)])
def test_programs_go_where_a_process_holds_much_memory(monkeypatch, enough, kept):
    from bakeoff.training.backend import jax

    monkeypatch.setattr(local_processes, "_ENOUGH", enough)
    program = jax.jit(lambda value: value + 1)
    assert program(1) == 2
    local_processes._let_programs_go()
    assert program._cache_size() == kept
    assert program(1) == 2
