"""What Linux's control groups, and so containers, leave a process: cores, and memory."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# By kind of group (version 2; version 1): its limit, its use, and in memory.stat what of that the
# kernel gives back when it is asked: files that were read.
_MEMORY = {
    "": ("memory.max", "memory.current", "inactive_file"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def core_quotas(root: Path) -> list[float]:
    """Return the limits, in cores, that control groups set to this process's time.

    root : where proc/ and sys/ are
    """
    found = []
    for group in _own_groups(root, ""):
        with suppress(OSError, ValueError, ZeroDivisionError):  # "max": no limit
            quota, period = (group / "cpu.max").read_text(encoding="ascii").split()
            found.append(int(quota) / int(period))
    for group in _own_groups(root, "cpu"):
        with suppress(OSError, ValueError, ZeroDivisionError):
            share = _number(group / "cpu.cfs_quota_us") / _number(group / "cpu.cfs_period_us")
            found += [share] if share > 0 else []  # -1: no limit
    return found


def memory_left(root: Path) -> list[int]:
    """Return the bytes left in this process's control group and in all that it lies in.

    root : where proc/ and sys/ are
    """
    return [
        left
        for kind, names in _MEMORY.items()
        for group in _own_groups(root, kind)
        for left in _left_in(group, *names)
    ]


def _own_groups(root: Path, kind: str) -> Iterator[Path]:
    """Yield the folder of this process's control group and of all that it lies in.

    kind : "" for version 2; of version 1 what the groups limit
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        lines = []
    parts = [line.split(":", 2) for line in lines if line.count(":") > 1]
    groups = {each: name for _, kinds, name in parts for each in kinds.split(",")}
    top = root / "sys/fs/cgroup" / kind
    group = top / groups.get(kind, "/").strip("/")  # not there: as a container shows its own
    while group.is_relative_to(top):
        yield group
        group = group.parent


def _left_in(group: Path, limit: str, use: str, given_back: str) -> list[int]:
    with suppress(OSError, ValueError):  # "max": no limit
        most, used = _number(group / limit), _number(group / use)
        with suppress(OSError, ValueError):
            stat = (line.split() for line in (group / "memory.stat").read_text().splitlines())
            used -= next((int(value) for name, value in stat if name == given_back), 0)
        return [most - used]
    return []


def _number(file: Path) -> int:
    return int(file.read_text(encoding="ascii"))
