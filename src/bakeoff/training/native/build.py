"""Compiles the native library, one file for each kind of processor; needs a C++ compiler only.

The wheel's build (hatch_build.py) runs this file by itself, so it imports nothing but Python's own
library. The headers of XLA's foreign-function interface lie in src/xla, from the lowest jaxlib that
Bakeoff works with: later ones accept what is built with them.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDER = Path(__file__).with_name("lib")  # where the library lies once it is built
SOURCE = Path(__file__).with_name("src")
MANIFEST = "manifest.json"
SECONDS = 300  # a compiler that takes longer is given up
_COMPILERS = ("c++", "g++", "clang++")
_OPTIONS = ("-std=c++17", "-O3", "-shared", "-fPIC", "-isystem", str(SOURCE))
_AVX512 = ("-mavx512f", "-mavx512bw", "-mavx512cd", "-mavx512dq", "-mavx512vl")
_AVX2 = ("-mavx2", "-mfma", "-mbmi", "-mbmi2", "-mf16c", "-mlzcnt")
_VARIANTS: dict[str, dict[str, tuple[str, ...]]] = {
    "x86_64": {
        "avx2": _AVX2,
        "avx512": (*_AVX2, *_AVX512),
        "amx": (*_AVX2, *_AVX512, "-mamx-tile", "-mamx-bf16"),
    },
    "arm64": {"neon": ()},
}
_MACHINES = {"AMD64": "x86_64", "aarch64": "arm64"}


def machine() -> str:
    """Return the kind of processor, named alike on every system: x86_64, arm64 or another."""
    found = platform.machine()
    return _MACHINES.get(found, found)


def variants(kind: str) -> tuple[str, ...]:
    """Return the files that are built for a kind of processor, the plainest first."""
    return tuple(_VARIANTS.get(kind, {}))


def compiler() -> str | None:
    """Return the C++ compiler that would be used: $CXX, or the first that is on the path."""
    wanted = os.environ.get("CXX")
    names = (wanted,) if wanted else _COMPILERS
    return next(filter(None, map(shutil.which, names)), None)


def source_hash() -> str:
    """Return the SHA-256 of the sources and flags; "" where they were left out, as in a wheel."""
    files = sorted(path for path in SOURCE.rglob("*") if path.suffix in (".cc", ".h"))
    whole = b"\n".join(path.read_bytes() for path in (*files, Path(__file__)))
    return hashlib.sha256(whole).hexdigest() if files else ""


def build(folder: Path, *, kind: str | None = None) -> dict[str, str]:
    """Compile all variants into a folder; return what went wrong, by variant.

    The folder gets one file for each variant that compiled, and manifest.json with their SHA-256.
    Nothing is compiled that lies there already, or in this checkout, from the same sources.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    kind = kind or machine()
    found, errors = compiler(), dict[str, str]()
    wanted = variants(kind)
    if found is None or not wanted:
        why = "no C++ compiler was found" if wanted else f"there are no kernels for {kind}"
        return dict.fromkeys(wanted or ("native",), why)
    for there in (folder, FOLDER):
        manifest = read_manifest(there)
        if manifest.get("source") == source_hash() and manifest.get("machine") == kind:
            if there != folder:
                shutil.copytree(there, folder, dirs_exist_ok=True)
            return {}
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as scratch:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            made = {name: Path(scratch) / f"{name}.so" for name in wanted}
            tasks = {
                name: pool.submit(_compile, found, _VARIANTS[kind][name], path)
                for name, path in made.items()
            }
        for name, task in tasks.items():
            error = task.result()
            if error is not None:
                errors[name] = error
                continue
            files[name] = hashlib.sha256(made[name].read_bytes()).hexdigest()
            os.replace(made[name], folder / f"{name}.so")
        document = {"source": source_hash(), "machine": kind, "files": files}
        text = Path(scratch) / MANIFEST
        text.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        os.replace(text, folder / MANIFEST)
    return errors


def read_manifest(folder: Path) -> dict[str, object]:
    """Return what `build` wrote down of the files in a folder; empty where there is nothing."""
    try:
        document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _compile(found: str, flags: tuple[str, ...], target: Path) -> str | None:
    """Compile one variant; return why not where it fails."""
    static = ("-static-libstdc++", "-static-libgcc", "-s") if sys.platform == "linux" else ()
    command = [found, *_OPTIONS, *flags, *static, str(SOURCE / "kernels.cc"), "-o", str(target)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line]
        return (lines or [f"{found} ended with code {done.returncode}"])[0]
    return None
