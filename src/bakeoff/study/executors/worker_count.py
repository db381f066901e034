"""How many workers run: what was asked for, or one for each core that memory suffices for."""

from bakeoff.errors import StudyError
from bakeoff.utils.machine import Device, cores
from bakeoff.utils.text import counted

WORKER_BYTES = 450 << 20  # what Python, Keras and JAX take of a worker's memory


def worker_count(workers: int | None, device: Device) -> int:
    """Return how many worker processes a run starts; StudyError for fewer than one."""
    if workers is not None and workers < 1:
        raise StudyError(f"--workers: expected at least 1, found {workers}")
    return workers or (1 if device == "gpu" else cores())


def fitting_workers(size: int, *, each: int, free: int) -> tuple[int, str | None]:
    """Return how many of `size` workers the free memory suffices for, and why not for all.

    each : bytes that the largest trial takes beside the worker itself
    free : bytes that are free without any worker
    """
    wanted = WORKER_BYTES + each
    fits = max(min(size, free // wanted), 1)
    if fits == size:
        return size, None
    return fits, (
        f"{counted(fits, 'trial')} at a time, not {size}: only {free / 1e9:.1f} GB of memory are "
        f"free, and each takes about {wanted / 1e9:.1f} GB; --workers {size} insists"
    )
