"""How many workers run: what was asked for, or one for each core; one on a GPU."""

from bakeoff.errors import StudyError
from bakeoff.utils.machine import Device, cores


def worker_count(workers: int | None, device: Device) -> int:
    """Return how many worker processes a run starts; StudyError for fewer than one."""
    if workers is not None and workers < 1:
        raise StudyError(f"--workers: expected at least 1, found {workers}")
    return workers or (1 if device == "gpu" else cores())
