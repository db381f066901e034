"""The versions, the machine and the kernels that a study, or one trial, is carried out with."""

import os
import platform
from functools import cache
from importlib import metadata
from typing import Any

from bakeoff.training.native.load import choose, in_use
from bakeoff.utils.machine import processor

NODE = "BAKEOFF_NODE"  # names the cluster's node that a worker runs on
_PACKAGES = ("bakeoff", "keras", "jax", "jaxlib", "numpy", "scipy", "scikit-learn")


def environment(device: str) -> dict[str, Any]:
    """Return the versions and the machine that a study is carried out with."""
    return {
        **_versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "device": device,
        "kernels": choose().kernels if device == "cpu" else "plain",
    }


@cache
def _versions() -> dict[str, str]:
    """Return the versions of the packages, read once a process: each stands in a long text."""
    return {name: metadata.version(name) for name in _PACKAGES}


def environment_here() -> dict[str, Any]:
    """Return the versions and the machine that this process trains with, once it has begun to."""
    from bakeoff.training.backend import device_in_use

    node = {"node": os.environ[NODE]} if NODE in os.environ else {}
    return {**environment(device_in_use()), "kernels": in_use(), **node}
