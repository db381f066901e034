"""What Linux's control groups leave a process: cores, and memory.

Oracle: files as Linux writes them, by hand. Cost: nothing.
Run: pytest tests/utils/test_control_groups.py
"""

import pytest

from bakeoff.utils.control_groups import core_quotas, memory_left

GB = 10**9
NAMES = {
    2: ("memory.max", "memory.current"),
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes"),
}


def process_in(root, lines):
    (root / "proc/self").mkdir(parents=True, exist_ok=True)
    (root / "proc/self/cgroup").write_text(lines)


def write(root, where, **files):
    """Write files of a group, with "__" for the point in their names."""
    place = root / "sys/fs/cgroup" / where
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (place / name.replace("__", ".")).write_text(f"{content}\n")


def group(root, where, limit, used, stat=None, *, version=2):
    names = [each.replace(".", "__") for each in NAMES[version]]
    stat = {} if stat is None else {"memory__stat": stat}
    write(root, where, **dict(zip(names, (limit, used), strict=True)), **stat)


@pytest.fixture
def root(tmp_path):
    """A machine whose process is in no group but that of all."""
    process_in(tmp_path, "0::/\n")
    return tmp_path


def test_without_limits_nothing_is_said(root):
    assert (memory_left(root), core_quotas(root)) == ([], [])
    group(root, "", "max", GB)
    write(root, "", cpu__max="max 100000")
    assert (memory_left(root), core_quotas(root)) == ([], [])


def test_files_that_were_read_do_not_count_as_used(root):
    """U2: what its files take of the memory is given back when it is asked for."""
    group(root, "", 3 * GB, 2 * GB, f"anon 5\nactive_file 7\ninactive_file {GB}\nslab 3")
    assert memory_left(root) == [2 * GB]
    group(root, "", 3 * GB, 4 * GB, "anon 5")
    assert memory_left(root) == [-GB]
    group(root, "", 3 * GB, 2 * GB, "inactive_file\n")  # nothing to be learnt from it
    assert memory_left(root) == [GB]


@pytest.mark.parametrize("smaller", ["user", "user/session", "user/session/job"])
def test_all_groups_that_it_lies_in_count(root, smaller):
    """U2: a batch system limits a group somewhere above the process's own."""
    process_in(root, "0::/user/session/job\n")
    for where in ("user", "user/session", "user/session/job"):
        group(root, where, 3 * GB if where == smaller else "max", GB)
    group(root, "other", GB, GB)
    assert memory_left(root) == [2 * GB]


@pytest.mark.parametrize("seen", ["docker/abc", ""], ids=["as the host sees it", "as its own top"])
def test_memory_of_version_1(root, seen):
    """U2."""
    process_in(root, "5:cpu,cpuacct:/\n4:memory:/docker/abc\n0::/\n")
    group(root, "memory", 2**63 - 4096, GB, version=1)
    stat = f"inactive_file 7\ntotal_inactive_file {GB // 2}"
    group(root, f"memory/{seen}", 2 * GB, GB, stat, version=1)
    assert min(memory_left(root)) == GB + GB // 2


@pytest.mark.parametrize("lines", ["", "nonsense\n0::\n:::\n", None])
def test_where_its_group_cannot_be_read_that_of_all_counts(root, lines):
    (root / "proc/self/cgroup").unlink()
    if lines is not None:
        process_in(root, lines)
    group(root, "", 3 * GB, GB)
    group(root, "other", GB, GB)
    assert memory_left(root) == [2 * GB]


@pytest.mark.parametrize("limit", ["many", "", "-"])
def test_limits_that_nobody_can_read_limit_nothing(root, limit):
    group(root, "", limit, GB)
    group(root, "memory", limit, GB, version=1)
    write(root, "", cpu__max=limit)
    write(root, "cpu", cpu__cfs_quota_us=limit, cpu__cfs_period_us=50_000)
    assert (memory_left(root), core_quotas(root)) == ([], [])


@pytest.mark.parametrize(
    ("quota", "found"),
    [("max 100000", [9]), ("150000 100000", [9, 1.5]), ("20000 50000", [9, 0.4]), ("1 0", [9])],
)
def test_shares_of_the_cores(root, quota, found):
    """In microseconds a period, of the process's own group first."""
    process_in(root, "0::/user/job\n")
    write(root, "user", cpu__max=quota)
    write(root, "user/job", cpu__max="900000 100000")
    write(root, "other", cpu__max="100000 100000")
    assert core_quotas(root) == found


def test_shares_of_the_cores_of_version_1(root):
    process_in(root, "4:cpu,cpuacct:/docker/abc\n")
    write(root, "cpu/docker", cpu__cfs_period_us=50_000, cpu__cfs_quota_us=-1)
    assert core_quotas(root) == []
    write(root, "cpu/docker", cpu__cfs_quota_us=150_000)
    assert core_quotas(root) == [3]
