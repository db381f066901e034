"""What the machine has: memory as containers limit it, and systems without /proc.

Oracle: files as Linux writes them, by hand. Cost: under 1 s.
Run: pytest tests/utils/test_machine.py
"""

import os
import subprocess
import sys
import time

import pytest

from bakeoff.utils import machine

GB = 10**9


@pytest.fixture
def root(tmp_path):
    """A machine with 8 GB free and no limit on any group."""
    for name, content in {
        "proc/meminfo": f"MemTotal: 9 kB\nMemAvailable: {8 * GB // 1024} kB\n",
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": "max\n",
        "sys/fs/cgroup/memory.current": f"{GB}\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_the_memory_of_a_machine_without_limits(root):
    assert machine.available_memory(root) == pytest.approx(8 * GB, abs=1024)


@pytest.mark.parametrize(("limit", "used", "left"), [(3, 1, 2), (1, 2, 0), (100, 1, 8)])
def test_the_memory_of_a_container_counts_where_it_is_less(root, limit, used, left):
    """And what is used beyond a limit that was lowered leaves nothing, not less."""
    (root / "sys/fs/cgroup/memory.max").write_text(f"{limit * GB}\n")
    (root / "sys/fs/cgroup/memory.current").write_text(f"{used * GB}\n")
    assert machine.available_memory(root) == pytest.approx(left * GB, abs=1024)


def test_without_proc_half_of_the_memory_is_taken_for_free(tmp_path):
    """As on macOS."""
    half = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    assert machine.available_memory(tmp_path) == half


@pytest.mark.parametrize(
    ("quota", "found"),
    [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 2), ("20000 100000", 1)],
)
def test_a_containers_share_of_the_cores_counts(root, monkeypatch, quota, found):
    """Version 2: in microseconds a period; the smallest of nested groups."""
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert machine.cores(root) == 8
    (root / "proc/self/cgroup").write_text("0::/user/job\n")
    (root / "sys/fs/cgroup/user/job").mkdir(parents=True)
    (root / "sys/fs/cgroup/user/cpu.max").write_text(f"{quota}\n")
    (root / "sys/fs/cgroup/user/job/cpu.max").write_text("900000 100000\n")
    assert machine.cores(root) == found


STREAMS = """
import os, subprocess, sys
for number in {closed}:
    os.close(number)
from bakeoff.utils.machine import open_standard_streams
open_standard_streams()
code = "import os; print([os.path.samestat(os.fstat(n), os.stat('/dev/null')) for n in range(3)])"
done = subprocess.run([sys.executable, "-S", "-c", code], stdout=int(sys.argv[1]), close_fds=False)
"""


@pytest.mark.parametrize("closed", [(0,), (0, 2), (0, 1, 2)])
def test_closed_streams_are_opened_for_this_process_and_those_that_it_starts(closed, tmp_path):
    """B11: with 0 and 2 closed, sockets got these numbers, and all trials were lost."""
    with (tmp_path / "said").open("w+") as said:
        command = [sys.executable, "-c", STREAMS.format(closed=closed), str(said.fileno())]
        subprocess.run(command, check=True, pass_fds=[said.fileno()])
        said.seek(0)
        found = said.read()
    assert [each == "True" for each in found.strip("[]\n").split(", ")] == [
        number in closed and number != 1 for number in range(3)
    ]


def test_a_linux_without_proc_is_named_and_a_mac_is_not(tmp_path, monkeypatch):
    """XLA loses trials in mid-training there."""
    text = "expected /proc/cpuinfo, found none: mount it (mount -t proc proc /proc)"
    assert machine.lacks(tmp_path) == text
    assert machine.lacks() is None
    monkeypatch.setattr(machine.sys, "platform", "darwin")
    assert machine.lacks(tmp_path) is None


def test_a_limit_on_open_files_that_no_study_can_do_with_is_named(monkeypatch):
    """The fork server printed a traceback; or all was trained and no figure could be drawn."""
    limits = [20, 20]
    monkeypatch.setattr(machine.resource, "getrlimit", lambda _: tuple(limits))
    monkeypatch.setattr(machine.resource, "setrlimit", lambda _, now: limits.__setitem__(0, now[0]))
    assert machine.lacks() == (
        "expected at least 64 files that a process may have open, found 20: raise the limit "
        "(ulimit -n 64 or more)"
    )
    limits[1] = 4096  # the system permits more: nobody has to do anything
    assert machine.lacks() is None
    assert limits == [64, 4096]


def test_the_rate_is_that_of_a_core_whatever_else_runs_on_it(monkeypatch):
    """Four others take turns: of 10 ms of this process's own time, 50 ms go by."""

    class Clock:
        now = own = 0.0
        get_clock_info = staticmethod(time.get_clock_info)

        def perf_counter(self):
            self.now += 0.05
            return self.now

        def process_time(self):
            self.own += 0.01
            return self.own

    monkeypatch.setattr(machine, "time", Clock())
    assert machine.measured_rate() == pytest.approx(2 * 1024**3 / 0.01)
