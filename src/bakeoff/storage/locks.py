"""Locks between processes, freed by the system when their holders die."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bakeoff.storage.atomic import disk


@contextmanager
def lock_file(path: Path, *, timeout: float = -1) -> Iterator[None]:
    """Hold a lock between processes; its folder is made, the file stays.

    Raises filelock's Timeout if somebody else holds it for longer than `timeout` seconds; a
    negative one waits for ever.
    """
    lock = FileLock(path, timeout=timeout, fallback_to_soft=False)  # a soft one outlives its holder
    held: Timeout | None = None
    with disk(path, writing=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout as error:  # an OSError too, but nothing is wrong with the disk
            held = error
    if held is not None:
        raise held
    try:
        yield
    finally:
        lock.release()
