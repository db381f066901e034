"""The machine as a run finds it: cores, memory, processor, devices."""

import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Literal

Device = Literal["cpu", "gpu"]


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def default_device() -> Device:
    """Return "gpu" where JAX's CUDA plugin is installed and a device is there, else "cpu"."""
    from importlib.util import find_spec

    plugged = find_spec("jax_cuda13_plugin") or find_spec("jax_cuda12_plugin")
    return "gpu" if plugged and Path("/dev/nvidiactl").exists() else "cpu"


def available_memory() -> int:
    """Return how many bytes may be asked for now: the machine's or, where less, the container's."""
    found = []
    with suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")]
    with suppress(OSError, ValueError):
        group = Path("/sys/fs/cgroup")
        used = int((group / "memory.current").read_text())
        found.append(int((group / "memory.max").read_text()) - used)  # "max": no limit
    if not found:
        with suppress(OSError, ValueError, AttributeError):
            found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    return max(min(found, default=1 << 32), 0)


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
