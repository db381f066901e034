"""Imports Keras and JAX and sets both up before either initialises.

On a CPU one trial uses one core: single-threaded programs repeat bit for bit, and two of them side
by side do more work than one with two threads.
"""

import ctypes
import gc
import os
import random
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache as once
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np

from bakeoff.errors import UsageError
from bakeoff.utils.machine import Device
from bakeoff.utils.user_paths import to_install

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras

__all__ = [
    "as_planned",
    "as_trained",
    "compiler_options",
    "device_in_use",
    "forget_programs",
    "jax",
    "keras",
    "require_jax",
    "start",
]

_BAD_PROGRAM = r"Error (?:reading|writing) persistent compilation cache entry for '([\w<>.-]+)'"
_FEWER_COPIES = {"xla_cpu_copy_insertion_use_region_analysis": True}  # of a loop's state
_settings = RLock()  # of Keras, changed for a moment
_SINGLE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def start(device: Device, *, cache: Path | None = None) -> None:
    """Choose the device and keep compiled programs in `cache`; call it before any computation.

    Raises
    ------
    UsageError
        If JAX finds no GPU, or if this process uses Keras with another backend already.
    """
    require_jax()
    as_planned()
    if device == "cpu":
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_SINGLE_THREAD}".strip()
        os.environ["NPROC"] = "1"  # XLA's own thread pool looks here, not at XLA_FLAGS
        jax.config.update("jax_platforms", "cpu")
        # A GPU's caches of its own, whose path is a part of a program's key: the same programs
        # were not found by another path.
        jax.config.update("jax_persistent_cache_enable_xla_caches", "none")
    if cache is not None:
        jax.config.update("jax_compilation_cache_dir", str(cache))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
        _mend(cache)
    if device == "gpu" and not _has_gpu():
        raise UsageError(
            "expected a GPU that JAX can use, found none: install Bakeoff with its gpu extra "
            f"({to_install('gpu')}), or use --device cpu"
        )


def require_jax() -> None:
    """Raise UsageError where this process uses Keras with another backend already."""
    if keras.backend.backend() != "jax":
        raise UsageError(
            f"expected Keras on JAX, found Keras on {keras.backend.backend()}: this process "
            "imported Keras with it: set KERAS_BACKEND=jax before anything imports Keras, or use "
            "another process for this"
        )


def as_planned() -> None:
    """Undo what ~/.keras/keras.json or a builder says: it would change networks in silence."""
    if getattr(keras.config, "is_nnx_enabled", lambda: False)():
        raise UsageError(
            "expected Keras without NNX, found it switched on: take nnx_enabled out of "
            "~/.keras/keras.json, or unset KERAS_NNX_ENABLED"
        )
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")


@contextmanager
def as_trained() -> Iterator[None]:
    """Let a network be built and traced inside as in the workers that trained it.

    Here Keras is somebody else's: a notebook that set a policy, or ~/.keras/keras.json. What they
    chose, and where their random numbers stand, is as before afterwards.
    """
    config = keras.config
    with _settings:
        floatx, epsilon = config.floatx(), config.epsilon()
        order, policy = config.image_data_format(), config.dtype_policy()
        drawn, numpy_drawn = random.getstate(), np.random.get_state()
        as_planned()
        try:
            yield
        finally:
            config.set_floatx(floatx)
            config.set_epsilon(epsilon)
            config.set_image_data_format(order)
            config.set_dtype_policy(policy)
            random.setstate(drawn)
            np.random.set_state(numpy_drawn)


@once
def compiler_options() -> dict[str, bool]:
    """Return the options that make a training loop's program faster, if this XLA has them."""
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda value: value, compiler_options=_FEWER_COPIES).lower(0).compile()
    except jax.errors.JaxRuntimeError:
        return {}
    return _FEWER_COPIES


def _mend(cache: Path) -> None:
    """Delete cached programs that were cut short by a kill or a full disk, without a warning.

    JAX compiles such a program again but leaves the bad file; once it is deleted, JAX writes it.
    """
    plain = warnings.showwarning

    def show(message: Warning | str, *others: Any, **named: Any) -> None:
        bad = re.match(_BAD_PROGRAM, str(message))
        if bad is None:
            plain(message, *others, **named)
            return
        for entry in cache.glob(f"{bad[1]}-*-cache"):
            with suppress(OSError):
                entry.unlink()

    warnings.filterwarnings("always", _BAD_PROGRAM, UserWarning)
    warnings.showwarning = show


def forget_programs() -> None:
    """Let all compiled programs go, and give their memory back where the C library can."""
    jax.clear_caches()
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def device_in_use() -> Device:
    """Return what this process computes on."""
    return "cpu" if jax.default_backend() == "cpu" else "gpu"


def _has_gpu() -> bool:
    try:
        return bool(jax.devices("gpu"))
    except RuntimeError:
        return False
