"""The machine as a run finds it: cores, memory, processor, devices."""

import math
import os
import platform
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

from bakeoff.utils import macos
from bakeoff.utils.control_groups import core_quotas, memory_left

Device = Literal["cpu", "gpu"]
FEWEST_FILES = 64  # open at once; a small study was seen to need 26
_RATE_SECONDS = 0.2  # for measuring


def cores(root: Path = Path("/")) -> int:
    """Return how many cores this process may use: the machine's or, where less, the container's.

    A quota of 1.5 cores counts as two: two workers, each at times halted, make use of all of it.

    root : where proc/ and sys/ are
    """
    try:
        found = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        found = os.cpu_count() or 1
    return max(min([found, *(math.floor(quota + 0.5) for quota in core_quotas(root))]), 1)


def open_standard_streams() -> None:
    """Open those of the streams 0, 1 and 2 that are closed, on nothing.

    Otherwise a file or a socket would get such a number, and whoever writes to standard error, or
    closes standard input, would hit it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            found = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
            os.set_inheritable(found, True)  # processes that are started have it, too


def default_device() -> Device:
    """Return "gpu" where JAX's CUDA plugin is installed and a device is there, else "cpu"."""
    from importlib.util import find_spec

    plugged = find_spec("jax_cuda13_plugin") or find_spec("jax_cuda12_plugin")
    return "gpu" if plugged and Path("/dev/nvidiactl").exists() else "cpu"


def available_memory(root: Path = Path("/")) -> int:
    """Return how many bytes may be asked for now: the machine's or, where less, the container's.

    root : where proc/ and sys/ are
    """
    found = []
    with suppress(OSError, ValueError, IndexError):
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")]
    if not found and (free := macos.free_memory()) is not None:
        found.append(free)
    if not found:
        with suppress(OSError, ValueError, AttributeError):
            found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    found += memory_left(root)
    return max(min(found, default=1 << 32), 0)


def allow_open_files(wanted: int = 4096) -> None:
    """Let this process have so many files open, where the system permits it.

    macOS begins with 256; each trial that is compared holds a file of predictions open.
    """
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


def lacks(root: Path = Path("/")) -> str | None:
    """Return what training needs and this machine lacks, and what to do; None if it lacks nothing.

    XLA reads in /proc/cpuinfo what the processor can do; without that file training fails half-way.
    With too few open files no worker can be started, or no figure drawn at the end.
    """
    allow_open_files(FEWEST_FILES)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if most != resource.RLIM_INFINITY and most < FEWEST_FILES:
        return (
            f"expected at least {FEWEST_FILES} files that a process may have open, found {most}: "
            f"raise the limit (ulimit -n {FEWEST_FILES} or more)"
        )
    if sys.platform != "linux" or (root / "proc/cpuinfo").exists():
        return None
    return "expected /proc/cpuinfo, found none: mount it (mount -t proc proc /proc)"


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    if names and names[0]:
        return names[0]
    return macos.processor() or platform.processor() or platform.machine()


def measured_rate() -> float:
    """Return the operations a second of a float32 matrix product on one core, measured now.

    Seconds are this process's own on a core: other programs, which take turns with it, do not
    count, except for what they do to memory and to the core's other thread.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    size = 1024
    matrix = np.ones((size, size), dtype=np.float32)
    best, tick = float("inf"), time.get_clock_info("process_time").resolution
    with threadpool_limits(1):
        end = time.perf_counter() + _RATE_SECONDS
        while best == float("inf") or time.perf_counter() < end:
            started = time.process_time()
            matrix @ matrix
            best = min(best, max(time.process_time() - started, tick))
    return 2 * size**3 / best
