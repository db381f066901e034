"""Layers in C++ for this machine's processor: built on request, used where they were built.

Nothing needs it. `build` runs a C++ compiler and keeps what it makes in the user's cache, under a
name that stands for the source, for JAX and for the processor; who has no such file does with
`kernels.py` alone. Dense layers are for processors that have tiles, Intel's AMX.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_cache_path

from bakeoff.errors import StorageError, UsageError

SOURCE = Path(__file__).with_name("kernels.cc")
SOURCES = tuple(sorted([SOURCE, *SOURCE.parent.glob("*.h")]))
SWITCH = "BAKEOFF_KERNELS"  # "plain": as if nothing had been built
_COMPILERS = ("c++", "g++", "clang++")
_OPTIONS = ("-std=c++17", "-O3", "-shared", "-fPIC")
_BYTES = ("byte_product", "byte_update")  # as those without, where the first array is of bytes
_TARGETS = (
    *("forward", "image_slope", "kernel_slope", "pooled", "pooled_slope"),
    *("product", "update", *_BYTES),
)
_loaded: list[ctypes.CDLL] = []
Shape = tuple[int, ...]
Pair = tuple[int, int]


def library() -> Path:
    """Return where this machine's kernels lie once they are built."""
    sources = (path.read_bytes() for path in SOURCES)
    parts = (*sources, metadata.version("jaxlib").encode(), _processor().encode())
    name = hashlib.sha256(b"\n".join(parts)).hexdigest()[:32]
    return user_cache_path("bakeoff") / "kernels" / f"{name}.so"


@cache
def _processor() -> str:
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


def built() -> Path | None:
    """Return where the kernels lie, if they were built here and may be used."""
    there = library()
    return there if os.environ.get(SWITCH) != "plain" and there.exists() else None


def advice() -> str | None:
    """Return what to do for faster layers; None if there is nothing to do."""
    if os.environ.get(SWITCH) == "plain" or library().exists() or compiler() is None:
        return None
    faster = "convolution and dense layers" if has_tiles() else "convolution"
    return f"`bakeoff kernels` builds faster {faster} for this processor"


def has_tiles() -> bool:
    """Say whether the processor has tiles; whether kernels use them, `tiles` says."""
    return "amx_bf16" in _processor().split()


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
    command = [found, *_OPTIONS, tuned, "-isystem", jax.ffi.include_dir(), str(SOURCE)]
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


def load(path: Path) -> None:
    """Let this process use the kernels that were built; call it before anything is compiled.

    Raises
    ------
    StorageError
        If the file cannot be used.
    """
    from bakeoff.training.backend import jax

    try:
        kernels = ctypes.CDLL(str(path))
        for name in _TARGETS:
            handler = jax.ffi.pycapsule(getattr(kernels, f"bakeoff_{name}"))
            jax.ffi.register_ffi_target(f"bakeoff_{name}", handler, platform="cpu")
    except (OSError, AttributeError) as error:
        raise StorageError(
            f"{path}: expected what `bakeoff kernels` builds, found {error}: run it again"
        ) from error
    _loaded.append(kernels)


def loaded() -> bool:
    """Say whether this process uses them."""
    return bool(_loaded)


def tiles() -> bool:
    """Say whether they multiply by tiles, which is faster than what XLA does."""
    return loaded() and bool(_loaded[-1].bakeoff_tiles())


def call(name: str, shape: Shape, one: Any, other: Any, strides: Pair) -> Any:
    """Return what a convolution makes of two arrays, float32; strides are those of its windows."""
    return _kernel(name, _float(shape))(one, other, strides=_numbers(strides))


def pooled(images: Any, shape: Shape, window: Pair, strides: Pair) -> tuple[Any, Any]:
    """Return the largest pixel of every window, and the number of its place there, uint8."""
    from bakeoff.training.backend import jax

    run = _kernel("pooled", [_float(shape), jax.ShapeDtypeStruct(shape, "uint8")])
    largest, first = run(images, window=_numbers(window), strides=_numbers(strides))
    return largest, first


def pooled_slope(slope: Any, first: Any, shape: Shape, window: Pair, strides: Pair) -> Any:
    """Return the slope of the images, of `shape`, that were pooled."""
    run = _kernel("pooled_slope", _float(shape))
    return run(slope, first, window=_numbers(window), strides=_numbers(strides))


def product(left: Any, right: Any, *, turned: Literal["left", "right"] | None = None) -> Any:
    """Return the product of two matrices, float32, one of which may be transposed first.

    left : float32, or uint8, which multiplies in half the time
    """
    shape = left.shape[turned == "left"], right.shape[turned != "right"]
    run = _kernel(_named("product", left), _float(shape))
    return run(left, right, left_turned=turned == "left", right_turned=turned == "right")


def update(
    inputs: Any, slope: Any, numbers: Any, weights: Any, moments: Sequence[Any]
) -> list[Any]:
    """Return a dense layer's weights and their moments after a step of training.

    No moments are those of stochastic gradient descent, one of RMSprop, two of Adam.

    inputs, slope : of the layer, shapes (batch, rows) and (batch, columns); inputs may be uint8
    numbers : of penalties l1 and l2; what decays of the weights; the learning rate; for each
        moment, how much of it is replaced; but for no moments, epsilon
    """
    held = [weights, *moments]
    in_place = {3 + each: each for each in range(len(held))}
    results = [_float(each.shape) for each in held]
    run = _kernel(_named("update", inputs), results, input_output_aliases=in_place)
    return list(run(inputs, slope, numbers, *held))


def _named(name: str, inputs: Any) -> str:
    return f"byte_{name}" if inputs.dtype == "uint8" else name


def _kernel(name: str, results: Any, **settings: Any) -> Any:
    from bakeoff.training.backend import jax

    return jax.ffi.ffi_call(f"bakeoff_{name}", results, vmap_method="sequential", **settings)


def _float(shape: Shape) -> Any:
    from bakeoff.training.backend import jax

    return jax.ShapeDtypeStruct(shape, "float32")


def _numbers(pair: Pair) -> Any:
    import numpy as np

    return np.array(pair, np.int64)
