"""Checks whether this machine is ready: versions, memory, places, data sets, a tiny trial."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bakeoff import data as datasets
from bakeoff import recipe as recipes
from bakeoff.data.published import PUBLISHED, missing, places
from bakeoff.errors import BakeoffError
from bakeoff.storage.user_ledger import read_user_ledger, user_ledger
from bakeoff.study.environment import environment
from bakeoff.study.run import run
from bakeoff.training.native.load import choose
from bakeoff.utils import machine
from bakeoff.utils.machine import available_memory
from bakeoff.utils.text import shown
from bakeoff.utils.user_paths import current_folder, to_install, user_cache

State = Literal["good", "note", "bad"]
MARKS: Mapping[State, str] = {"good": "✓", "note": "–", "bad": "✗"}
_SMALL_MEMORY = 2 << 30
_SMALL_DISK = 1 << 30
_TINY = {
    "name": "doctor",
    "data": "digits",
    "seeds": 1,
    "training": {"epochs": 1},
    "baselines": [],
    "models": {"tiny": {"layers": [{"dense": 8}]}},
}


@dataclass(frozen=True)
class Diagnostic:
    """One thing looked at: what was found, and what to do where something is wrong."""

    state: State
    name: str
    found: str
    advice: str = ""


def examine() -> Iterator[Diagnostic]:
    """Yield what is found, one thing after the other; the last takes some seconds."""
    device = machine.default_device()
    versions = environment(device)
    yield Diagnostic(
        "good", "bakeoff", f"{versions['bakeoff']} on Python {platform.python_version()}"
    )
    names = ("keras", "jax", "numpy", "scipy", "scikit-learn")
    yield Diagnostic("good", "libraries", ", ".join(f"{name} {versions[name]}" for name in names))
    yield Diagnostic(
        "good", "processor", f"{versions['processor']}, {machine.cores()} cores to use"
    )
    if lacking := machine.lacks():
        yield Diagnostic("bad", "system", lacking)
    yield _memory()
    yield _gpu(device)
    yield _kernels()
    yield _place("this folder", current_folder(), "change to another folder, or use --out")
    cache, advice = user_cache(), "set XDG_CACHE_HOME to a folder of yours"
    if cache is None:
        yield Diagnostic("bad", "cache", "there is no home folder for it", f"set HOME, or {advice}")
    else:
        yield _place("cache", cache, advice)
    yield from _ledgers()
    for name in datasets.NAMES:
        yield _data_set(name)
    yield _tiny_trial(device)


def _memory() -> Diagnostic:
    free = available_memory()
    found = f"{free / 1e9:.1f} GB free"
    if free < _SMALL_MEMORY:
        return Diagnostic("note", "memory", found, "use --workers 1, or free some")
    return Diagnostic("good", "memory", found)


def _gpu(device: str) -> Diagnostic:
    if device == "gpu":
        return Diagnostic("good", "GPU", "there is one, and JAX can use it")
    if Path("/dev/nvidiactl").exists():
        return Diagnostic("note", "GPU", "there is one, not used", to_install("gpu"))
    return Diagnostic("good", "GPU", "none; trials run on the CPU, one on each core")


def _kernels() -> Diagnostic:
    choice = choose()
    return Diagnostic(
        "note" if choice.remark else "good", "kernels", choice.kernels, choice.remark or ""
    )


def _place(name: str, path: Path, advice: str) -> Diagnostic:
    """Return whether one may write in a folder, or where it would be made, and what is free."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Diagnostic("bad", name, f"{shown(path)} cannot be written", advice)
    free = shutil.disk_usage(there).free
    found = f"{shown(path)}, {free / 1e9:.0f} GB free"
    if free < _SMALL_DISK:
        return Diagnostic("note", name, found, "a study of large networks may not fit: free some")
    return Diagnostic("good", name, found)


def _ledgers() -> Iterator[Diagnostic]:
    try:
        folder = user_ledger("0" * 64).parent
    except BakeoffError as error:
        yield Diagnostic("bad", "ledgers", str(error))
        return
    yield _place("ledgers", folder, "set BAKEOFF_HOME to a folder of yours")
    for path in sorted(folder.glob("*.jsonl")):
        try:
            read_user_ledger(path)
        except BakeoffError as error:
            yield Diagnostic("bad", "ledger", str(error))


def _data_set(name: str) -> Diagnostic:
    published = PUBLISHED.get(name)
    found = [each for each in places(published) if not missing(each)] if published else []
    try:
        data = datasets.load(name, offline=True)
    except BakeoffError as error:
        if published is None or found:
            return Diagnostic("bad", name, str(error))
        return Diagnostic(
            "note", name, "not on this machine", "a run downloads it; see docs/data.md"
        )
    where = "inside scikit-learn"
    if published is not None:
        where = shown(found[0]) if found else "mnist.npz of Keras"
    return Diagnostic("good", name, f"{len(data.labels):,} images, {where}")


def _tiny_trial(device: str) -> Diagnostic:
    """Train for a second, as a run does: worker processes, Keras, JAX, the disk."""
    started = time.monotonic()
    recipe = recipes.parse(_TINY, origin="doctor", folder=current_folder())
    with tempfile.TemporaryDirectory(prefix="bakeoff-") as place:
        try:
            result = run(recipe, out=Path(place) / "study", keep_sealed=True)
        except BakeoffError as error:
            return Diagnostic("bad", "a trial", str(error))
        for lost in result.lost:
            return Diagnostic(
                "bad", "a trial", lost.reason, "BAKEOFF_DEBUG=1 bakeoff doctor shows more"
            )
    seconds = time.monotonic() - started
    return Diagnostic(
        "good", "a trial", f"trained on the {device.upper()} in {seconds:.0f} s, start included"
    )
