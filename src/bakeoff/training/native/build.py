"""Builds the native library with a C++ compiler, into the user's cache.

The file's name is a hash of the source, of JAX's version and of the processor's abilities.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from importlib import metadata
from pathlib import Path

from platformdirs import user_cache_path

from bakeoff.errors import StorageError, UsageError

_FOLDER = Path(__file__).with_name("src")
_SOURCE = _FOLDER / "kernels.cc"
SOURCES = tuple(sorted([_SOURCE, *_FOLDER.glob("*.h")]))
_COMPILERS = ("c++", "g++", "clang++")
_OPTIONS = ("-std=c++17", "-O3", "-shared", "-fPIC")


def library() -> Path:
    """Return where this machine's kernels lie once they are built."""
    sources = (path.read_bytes() for path in SOURCES)
    parts = (*sources, metadata.version("jaxlib").encode(), processor().encode())
    name = hashlib.sha256(b"\n".join(parts)).hexdigest()[:32]
    return user_cache_path("bakeoff") / "kernels" / f"{name}.so"


@cache
def processor() -> str:
    """Return what the processor can do, as far as a compiler may ask it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    able = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{platform.machine()} {able or platform.processor()}"


def compiler() -> str | None:
    """Return the C++ compiler that would be used: $CXX, or the first that is on the path."""
    wanted = os.environ.get("CXX")
    return (
        shutil.which(wanted) if wanted else next(filter(None, map(shutil.which, _COMPILERS)), None)
    )


def build() -> Path:
    """Build the kernels, which takes some seconds, and return where they lie.

    Raises
    ------
    UsageError
        If there is no compiler, or it cannot build them.
    StorageError
        If the cache cannot be written.
    """
    found = compiler()
    if found is None:
        raise UsageError(
            f"expected a C++ compiler ({', '.join(_COMPILERS)}, or the one that CXX names), found "
            "none: install one, or go on without; everything works, but slower"
        )
    target = library()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as place:
            made = Path(place) / target.name
            _compile(found, made)
            os.replace(made, target)
    except OSError as error:
        raise StorageError(
            f"{target}: {error.strerror or error}: set XDG_CACHE_HOME to a folder of yours"
        ) from error
    return target


def _compile(found: str, made: Path) -> None:
    from bakeoff.training.backend import jax

    tuned = "-march=native" if platform.machine() in ("x86_64", "AMD64") else "-mcpu=native"
    command = [found, *_OPTIONS, tuned, "-isystem", jax.ffi.include_dir(), str(_SOURCE)]
    done = subprocess.run([*command, "-o", str(made)], capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line]
        raise UsageError(
            f"expected {found} to build Bakeoff's kernels, found that it cannot "
            f"({(lines or ['no reason given'])[0]}): try another compiler with CXX, or go on "
            "without; everything works, but slower"
        )
    with made.open("rb") as stream:
        os.fsync(stream.fileno())


def remove() -> bool:
    """Delete the kernels of this machine; say whether there were any."""
    there = library().exists()
    library().unlink(missing_ok=True)
    return there
