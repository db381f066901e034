"""Loads the native library into this process, where there is one, and says whether it is used."""

import ctypes
import os
from pathlib import Path

from bakeoff.errors import StorageError
from bakeoff.training.native.build import compiler, library, processor

SWITCH = "BAKEOFF_KERNELS"  # "plain": as if nothing had been built
_ON_BYTES = ("byte_product", "byte_update")  # variants for uint8 input
_FUNCTIONS = (
    *("forward", "image_gradient", "kernel_gradient", "max_pool", "max_pool_gradient"),
    *("product", "update", *_ON_BYTES),
)
_loaded: list[ctypes.CDLL] = []


def built() -> Path | None:
    """Return where the kernels lie, if they were built here and may be used."""
    there = library()
    return there if os.environ.get(SWITCH) != "plain" and there.exists() else None


def advice() -> str | None:
    """Return what to do for faster layers; None if there is nothing to do."""
    if os.environ.get(SWITCH) == "plain" or library().exists() or compiler() is None:
        return None
    faster = "convolution and dense layers" if processor_has_tiles() else "convolution"
    return f"`bakeoff kernels` builds faster {faster} for this processor"


def processor_has_tiles() -> bool:
    """Say whether the processor has tiles; `has_tiles` says whether the library uses them."""
    return "amx_bf16" in processor().split()


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
        for name in _FUNCTIONS:
            handler = jax.ffi.pycapsule(getattr(kernels, f"bakeoff_{name}"))
            jax.ffi.register_ffi_target(f"bakeoff_{name}", handler, platform="cpu")
    except (OSError, AttributeError) as error:
        raise StorageError(
            f"{path}: expected what `bakeoff kernels` builds, found {error}: run it again"
        ) from error
    _loaded.append(kernels)


def loaded() -> bool:
    """Say whether this process has loaded the library."""
    return bool(_loaded)


def has_tiles() -> bool:
    """Say whether it is loaded and multiplies by tiles, which is faster than XLA."""
    return loaded() and bool(_loaded[-1].bakeoff_tiles())
