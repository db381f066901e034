"""What the measurements depend on: the machine, the versions, the code that was measured."""

import hashlib
import os
import platform
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from bakeoff.study.environment import environment

REPOSITORY = Path(__file__).parents[1]
PACKAGES = (
    *("bakeoff", "keras", "jax", "jaxlib", "tensorflow", "torch", "lightning"),
    *("scikit-learn", "numpy"),
)
_OWN = tuple(f"src/bakeoff/training/{files}" for files in ("*.py", "layers/*.py", "native/**/*.*"))
_SEARCHING = tuple(
    f"src/bakeoff/{file}.py"
    for file in ("recipe/search_space", "storage/search_folder", "study/samplers", "study/search")
)
_EVERYONES = ("benchmarks/workloads.py", "benchmarks/opponents/*.py")


def machine() -> dict[str, Any]:
    """Return the processor, the cores to use, the memory in bytes and the operating system."""
    known = environment("cpu")
    return {
        "processor": known["processor"],
        "cores": cores(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


@cache
def versions() -> dict[str, str | None]:
    """Return the versions of what is compared; None for what is not installed."""

    def version(name: str) -> str | None:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return None

    return {name: version(name) for name in PACKAGES}


def identity() -> str:
    """Return a short hash of all that a measurement of speed depends on."""
    return _hashed(*_EVERYONES, "benchmarks/contestants.py", *_OWN)


def searching() -> str:
    """Return a short hash of what else a search depends on: how Bakeoff chooses settings."""
    return _hashed(*_SEARCHING, "benchmarks/searching.py")


def learning(*, ours: bool) -> str:
    """Return a short hash of what an accuracy depends on: others' not on our engine."""
    return _hashed(*_EVERYONES, *(_OWN if ours else ()))


def _hashed(*patterns: str) -> str:
    digest = hashlib.sha256()
    digest.update(f"{machine()['processor']} {cores()} {versions()}\n".encode())
    paths = [path for pattern in patterns for path in sorted(REPOSITORY.glob(pattern))]
    for path in (each for each in paths if each.parent.name != "__pycache__"):
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def load() -> float:
    """Return how many processes have wanted a core in the last minute; 2 cores carry 2."""
    return os.getloadavg()[0]
