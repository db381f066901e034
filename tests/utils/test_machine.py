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


def system(root, **files):
    """Write files, with "__" for "/" in their names."""
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


@pytest.fixture
def root(tmp_path):
    """A machine with 8 GB free and no limit on any group."""
    return system(
        tmp_path,
        proc__meminfo=f"MemTotal: 9 kB\nMemAvailable: {8 * GB // 1024} kB\n",
        proc__self__cgroup="0::/\n",
        sys__fs__cgroup__memory__current=f"{GB}\n",
    )


def group(root, where, limit, used, stat=None, *, version=2):
    names = {2: ("memory.max", "memory.current"), 1: ("memory.limit_in_bytes",)}
    names[1] += ("memory.usage_in_bytes",)
    place = root / "sys/fs/cgroup" / where
    place.mkdir(parents=True, exist_ok=True)
    for name, value in zip(names[version], (limit, used), strict=True):
        (place / name).write_text(f"{value}\n")
    if stat is not None:
        (place / "memory.stat").write_text(stat)


def test_a_machine_without_limits(root):
    group(root, "", "max", GB)
    assert machine.available_memory(root) == pytest.approx(8 * GB, abs=1024)


def test_a_container_of_version_2_with_a_namespace_of_its_own(root):
    """U2: what its files take of the memory is given back when it is asked for."""
    group(root, "", 3 * GB, 2 * GB, f"anon 5\ninactive_file {GB}\n")
    assert machine.available_memory(root) == 2 * GB
    group(root, "", 3 * GB, 4 * GB, "anon 5\n")
    assert machine.available_memory(root) == 0


@pytest.mark.parametrize("smaller", ["user", "user/session", "user/session/job"])
def test_the_smallest_of_nested_groups_counts(root, smaller):
    """U2: a batch system limits a group somewhere above the process's own."""
    (root / "proc/self/cgroup").write_text("0::/user/session/job\n")
    for where in ("user", "user/session", "user/session/job"):
        group(root, where, 3 * GB if where == smaller else "max", GB)
    group(root, "other", GB, GB)
    assert machine.available_memory(root) == 2 * GB


@pytest.mark.parametrize("seen", ["docker/abc", ""], ids=["as the host sees it", "as its own top"])
def test_a_container_of_version_1(root, seen):
    """U2."""
    (root / "proc/self/cgroup").write_text("5:cpu,cpuacct:/\n4:memory:/docker/abc\n0::/\n")
    group(root, "memory", 2**63 - 4096, GB, version=1)
    group(
        root,
        f"memory/{seen}",
        2 * GB,
        GB,
        f"inactive_file 7\ntotal_inactive_file {GB // 2}\n",
        version=1,
    )
    assert machine.available_memory(root) == GB + GB // 2


@pytest.mark.parametrize("lines", ["", "nonsense\n0::\n:::\n", None])
def test_groups_that_nobody_can_read_limit_nothing(root, lines):
    (root / "proc/self/cgroup").unlink()
    if lines is not None:
        (root / "proc/self/cgroup").write_text(lines)
    assert machine.available_memory(root) == pytest.approx(8 * GB, abs=1024)


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


def test_a_share_of_the_cores_of_version_1_counts(root, monkeypatch):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    (root / "proc/self/cgroup").write_text("4:cpu,cpuacct:/docker/abc\n")
    place = root / "sys/fs/cgroup/cpu/docker"
    place.mkdir(parents=True)
    (place / "cpu.cfs_period_us").write_text("50000\n")
    (place / "cpu.cfs_quota_us").write_text("-1\n")
    assert machine.cores(root) == 8
    (place / "cpu.cfs_quota_us").write_text("150000\n")
    assert machine.cores(root) == 3


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
