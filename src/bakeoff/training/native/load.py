"""Chooses the native library for this processor, checks it, and loads it into this process.

Wherever it cannot be used, the plain path is, and `choose` says why in one line. A file is used
only if its SHA-256 is that of the manifest beside it and a child process computed with it: a
library that crashes, that is damaged or that the processor cannot run never reaches a worker.
"""

import ctypes
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bakeoff.errors import UsageError
from bakeoff.training.native import build
from bakeoff.utils.user_paths import user_cache

SWITCH = "BAKEOFF_CPU"  # "plain", or a variant: no better one is used
PLAIN = "plain"
_NEEDS = {  # as Linux names what a processor is able to do
    "avx2": {"avx2", "fma", "bmi1", "bmi2", "f16c", "abm"},
    "avx512": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
    "amx": {"amx_tile", "amx_bf16"},
    "neon": set[str](),
}
_FUNCTIONS = (
    *("forward", "image_gradient", "kernel_gradient"),
    *("depthwise_forward", "depthwise_gradients"),
    *("normalized", "normalization_gradients"),
    *("max_pool", "max_pool_gradient", "product", "update", "byte_product", "byte_update"),
)
_TEST = "import ctypes, sys; sys.exit(ctypes.CDLL(sys.argv[1]).bakeoff_self_test())"
_TEST_SECONDS = 20
_TEST_RESULTS = {1: "it computes wrong results", 2: "the system does not permit AMX"}
_loaded: list[tuple[str, ctypes.CDLL]] = []


@dataclass(frozen=True)
class Choice:
    """What layers are computed with on a CPU.

    kernels : "plain", or the variant of the native library
    path : its file; None for the plain path
    remark : why it is not the best for this processor, and what to do; None if it is
    broken : whether something is wrong, and not only missing
    """

    kernels: str = PLAIN
    path: Path | None = None
    remark: str | None = None
    broken: bool = False


def choose(folder: Path = build.FOLDER) -> Choice:
    """Return the fastest variant that works here; it takes milliseconds, the first time longer.

    Raises
    ------
    UsageError
        If BAKEOFF_CPU names something else than "plain" or a variant for this processor.
    """
    wanted = os.environ.get(SWITCH)
    able = usable_variants()
    if wanted and wanted not in (PLAIN, *able):
        raise UsageError(
            f"{SWITCH}: expected {', '.join((PLAIN, *able))} on this processor, found {wanted}"
        )
    if wanted == PLAIN:
        return Choice()
    if not able:
        return Choice(remark=f"there are no native kernels for this processor ({build.machine()})")
    manifest = build.read_manifest(folder)
    files = manifest.get("files")
    if not isinstance(files, dict) or not files:
        return Choice(remark=_how_to_build("there are no native kernels in this installation"))
    if build.source_hash() not in ("", manifest.get("source")):
        return Choice(remark=_how_to_build("the native kernels are older than their source"))
    remark = None
    for name in reversed(able[: able.index(wanted) + 1] if wanted else able):
        path = folder / f"{name}.so"
        problem = _problem(path, str(files[name])) if name in files else "it was not built"
        if problem is None:
            return Choice(name, path, remark, broken=remark is not None)
        remark = remark or f"the native kernels for {name} are not used: {problem}"
    return Choice(remark=remark, broken=True)


def usable_variants() -> tuple[str, ...]:
    """Return the variants that the processor can run, the fastest last."""
    able, found = abilities(), list[str]()
    for name in build.variants(build.machine()):
        if not _NEEDS[name] <= able:
            break
        found.append(name)
    return tuple(found)


@cache
def abilities() -> frozenset[str]:
    """Return what the processor is able to do, in Linux's words; empty on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    line = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return frozenset(line.partition(":")[2].split())


def _how_to_build(found: str) -> str:
    if not build.compiler():
        return f"{found}: install a C++ compiler, then Bakeoff again"
    return f"{found}: install Bakeoff again (pip install), which builds them"


def _problem(path: Path, recorded: str) -> str | None:
    """Return why a file is not to be used; None if it works."""
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return f"{path.name} cannot be read ({error.strerror})"
    if found != recorded:
        return f"{path.name} is not the file that was built"
    return _tested(path, found)


def _tested(path: Path, content: str) -> str | None:
    """Return what a child process that computes with a file finds wrong; one that works is kept.

    One that does not is asked again: by then its disk may run programs, the machine be less busy.
    """
    parts = (content, str(path), platform.release(), *sorted(abilities()))
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
    cached = user_cache()
    kept = cached and cached / "kernels" / f"{name}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        if kept and json.loads(kept.read_text(encoding="utf-8"))["problem"] is None:
            return None
    problem = _test(path)
    if kept and problem is None:
        with suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", dir=kept.parent, prefix=".", delete=False, encoding="utf-8"
            ) as stream:
                json.dump({"file": str(path), "problem": problem}, stream)
            os.replace(stream.name, kept)
    return problem


def _test(path: Path) -> str | None:
    command = [sys.executable, "-I", "-S", "-c", _TEST, str(path)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_TEST_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return "a test of it does not end"
    if done.returncode == 0:
        return None
    if done.returncode < 0:
        return f"a test of it died of signal {-done.returncode}"
    lines = done.stderr.strip().splitlines() if "Error" in done.stderr else []
    return lines[-1] if lines else _TEST_RESULTS.get(done.returncode, "a test of it failed")


def load(choice: Choice) -> str | None:
    """Let this process use the library; return why not where it cannot.

    Call it before anything is compiled.
    """
    from bakeoff.training.backend import jax

    if choice.path is None:
        return None
    try:
        library = ctypes.CDLL(str(choice.path))
        for name in _FUNCTIONS:
            handler = jax.ffi.pycapsule(getattr(library, f"bakeoff_{name}"))
            jax.ffi.register_ffi_target(target(choice.kernels, name), handler, platform="cpu")
    except Exception as error:  # whatever it is, the plain path does without
        return f"the native kernels for {choice.kernels} are not used: {error}"
    _loaded.append((choice.kernels, library))
    return None


def target(kernels: str, name: str) -> str:
    """Return the name under which XLA knows a function of a variant."""
    return f"bakeoff_{kernels}_{name}"


def loaded() -> bool:
    """Say whether this process has loaded the library."""
    return bool(_loaded)


def in_use() -> str:
    """Return what this process computes layers with on a CPU: "plain", or a variant."""
    return _loaded[-1][0] if _loaded else PLAIN


def has_tiles() -> bool:
    """Say whether it is loaded and multiplies by tiles, which is faster than XLA."""
    return loaded() and bool(_loaded[-1][1].bakeoff_tiles())
