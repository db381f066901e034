"""The executor that a run asks for: processes of this machine, or a Ray cluster."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path

from bakeoff.study.executors.interface import Executor, Lost, More, MovableJob
from bakeoff.study.executors.local_processes import Pool, run_jobs
from bakeoff.study.executors.worker_count import fitting_workers, worker_count
from bakeoff.utils.events import Watcher
from bakeoff.utils.machine import Device, available_memory, default_device
from bakeoff.utils.user_paths import program_cache


class LocalExecutor:
    """Processes of this machine; on its processors they stay until `close`."""

    def __init__(
        self, workers: int | None, device: Device, *, lanes: int, watcher: Watcher
    ) -> None:
        self.size = self._most = worker_count(workers, device)
        self._may_be_fewer = workers is None and device == "cpu"
        self._device, self._lanes, self._watcher = device, lanes, watcher
        self._cache = program_cache()
        self._pool: Pool | None = None
        self._free: int | None = None  # bytes of memory before there was a worker
        self._told = self.size  # at a time

    def fit(self, each: int, *, trials: int) -> None:
        """Have fewer workers where memory does not suffice for all."""
        if self._may_be_fewer:
            self._free = available_memory() if self._free is None else self._free
            self.size, why = fitting_workers(self._most, each=each, free=self._free)
            if why is not None and trials > self.size != self._told:
                self._told = self.size
                self._watcher.note(why)

    def run_jobs(self, jobs: Sequence[MovableJob], more: More | None = None) -> list[Lost]:
        """Do all jobs and return those that were lost; raise what the user or the disk caused.

        more : asked for further jobs as soon as one ends
        """
        if self._pool is None:
            # What is on a GPU is freed only with the process.
            linger = inf if self._device == "cpu" else 0.0
            self._pool = Pool(
                device=self._device, cache=self._cache, watcher=self._watcher, linger=linger
            )
        return run_jobs(
            jobs,
            workers=self.size,
            device=self._device,
            cache=self._cache,
            watcher=self._watcher,
            lanes=self._lanes,
            pool=self._pool,
            more=more,
        )

    def close(self) -> None:
        """End all workers."""
        if self._pool is not None:
            self._pool.close()


@contextmanager
def executor(
    on: str | None,
    *,
    home: Path,
    workers: int | None,
    device: Device | None,
    lanes: int,
    watcher: Watcher,
) -> Iterator[Executor]:
    """Give the place where a study's jobs are done, and end it with the block.

    Parameters
    ----------
    on : None for this machine's processes; "ray" or "ray://HOST:PORT"
    home : the study's folder
    workers : trials at a time; None for as many as there is room for
    device : "cpu" or "gpu"; None for what is there
    lanes : how many trials of a model train in one program on a GPU
    """
    if on is None:
        here = LocalExecutor(workers, device or default_device(), lanes=lanes, watcher=watcher)
        try:
            yield here
        finally:
            here.close()
        return
    from bakeoff.study.executors.ray_cluster import connected
    from bakeoff.study.executors.ray_executor import ClusterExecutor

    with connected(on, workers=workers) as cluster:
        found = ClusterExecutor(
            cluster, home=home, workers=workers, device=device, lanes=lanes, watcher=watcher
        )
        try:
            yield found
        finally:
            found.close()
