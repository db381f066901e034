"""What a worker lets go between two models: the compiled programs that the next one does not need.

A small network leaves about 8 MB behind, in JAX's caches: of a hundred in one study, as much as two
workers take.
"""

import ctypes
import gc
import os
from contextlib import suppress

from bakeoff.study.executors.process_watch import holds_less_than

_ENOUGH = 320 << 20  # bytes; below, programs stay, since small ones serve the next model, too


def let_programs_go() -> None:
    """Free the programs of the models before, if this process holds much memory."""
    if holds_less_than(_ENOUGH, os.getpid()):
        return
    from bakeoff.training.backend import jax

    jax.clear_caches()
    gc.collect()
    with suppress(OSError, AttributeError):  # a C library that has no such function
        ctypes.CDLL(None).malloc_trim(0)
