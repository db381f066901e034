"""Compiles the native library, one file a kind of processor; needs a C++ compiler and jaxlib.

The wheel's build (hatch_build.py) runs this file by itself, so it imports nothing but Python's own
library. The headers of XLA's foreign-function interface are those of the jaxlib installed where it
is built; a later jaxlib accepts what was built with an earlier one.
"""

import hashlib
import importlib.util
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDER = Path(__file__).with_name("lib")  # where the library lies once it is built
SOURCE = Path(__file__).with_name("src")
MANIFEST = "manifest.json"
SECONDS = 300  # a compiler that takes longer is given up
_SCRATCH = ".building-"
_COMPILERS = ("c++", "g++", "clang++")
_OPTIONS = ("-std=c++17", "-O3", "-shared", "-fPIC")
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


def compiler() -> tuple[str, ...]:
    """Return the C++ compiler that would be used and its options; empty where there is none.

    It is $CXX, "g++ -m64" as well as "g++", or else the first that is on the path.
    """
    wanted = os.environ.get("CXX", "").strip()
    try:
        commands = [shlex.split(wanted)] if wanted else [[name] for name in _COMPILERS]
    except ValueError:  # a quotation mark too few
        return ()
    for name, *options in commands:
        if path := shutil.which(name):
            return (path, *options)
    return ()


def headers() -> Path | None:
    """Return jaxlib's folder of headers, `jax.ffi.include_dir()`, without importing JAX."""
    found = importlib.util.find_spec("jaxlib")
    for place in (found.submodule_search_locations if found else None) or ():
        folder = Path(place) / "include"
        if (folder / "xla" / "ffi" / "api" / "ffi.h").is_file():
            return folder
    return None


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
    found, include, errors = compiler(), headers(), dict[str, str]()
    wanted = variants(kind)
    if not wanted:
        return {"native": f"there are no kernels for {kind}"}
    there = max((folder, FOLDER), key=lambda each: len(_made(each, kind)))
    files = _made(there, kind)
    if files and there != folder:
        shutil.copytree(there, folder, dirs_exist_ok=True)
    wanted = tuple(name for name in wanted if name not in files)
    if not wanted:
        return {}
    if not found or include is None:
        why = "no C++ compiler" if not found else "no jaxlib, whose headers they need,"
        return dict.fromkeys(wanted, f"{why} was found")
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{_SCRATCH}*"):  # by a build that was killed
        if time.time() - left.stat().st_mtime > 2 * SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=_SCRATCH) as scratch:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            made = {name: Path(scratch) / f"{name}.so" for name in wanted}
            tasks = {
                name: pool.submit(_compile, found, include, _VARIANTS[kind][name], path)
                for name, path in reversed(made.items())  # the last takes longest
            }
        for name in wanted:
            error = tasks[name].result()
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


def _made(folder: Path, kind: str) -> dict[str, str]:
    """Return the SHA-256 of the files that lie there, made from these sources, by variant."""
    manifest = read_manifest(folder)
    files = manifest.get("files")
    if (manifest.get("source"), manifest.get("machine")) != (source_hash(), kind):
        return {}
    known = files if isinstance(files, dict) else {}
    return {name: known[name] for name in known if (folder / f"{name}.so").is_file()}


def read_manifest(folder: Path) -> dict[str, object]:
    """Return what `build` wrote down of the files in a folder; empty where there is nothing."""
    try:
        document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _compile(
    found: tuple[str, ...], include: Path, flags: tuple[str, ...], target: Path
) -> str | None:
    """Compile one variant; return why not where it fails."""
    static = ("-static-libstdc++", "-static-libgcc", "-s") if sys.platform == "linux" else ()
    command = [*found, *_OPTIONS, "-isystem", str(include), *flags, *static]
    command += [str(SOURCE / "kernels.cc"), "-o", str(target)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line]
        return (lines or [f"{found[0]} ended with code {done.returncode}"])[0]
    return None
