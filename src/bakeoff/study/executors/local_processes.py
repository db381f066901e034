"""Jobs in worker processes: one job at a time in each, retried once if its worker dies.

Workers are forked from a server that has imported Keras and JAX already, so each starts in a
fraction of a second. They do not import the user's script and die when their parent does. Between
models they are replaced where they have run code of the user, or grown, so that memory stays flat.
"""

import gc
import multiprocessing as mp
import os
import signal
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from textwrap import shorten
from typing import Any

from bakeoff.errors import BakeoffError, StorageError, UsageError
from bakeoff.study.executors.fork_server import start_process
from bakeoff.study.executors.interface import Job, Lost, More, labels
from bakeoff.study.executors.job_queue import ATTEMPTS, JobQueue
from bakeoff.study.executors.lanes import together
from bakeoff.study.executors.process_watch import Progress, holds_less_than
from bakeoff.study.executors.worker_count import WORKER_BYTES
from bakeoff.training.native import load as native
from bakeoff.training.native.load import Choice
from bakeoff.utils.events import Watcher
from bakeoff.utils.machine import Device

_POLL_SECONDS = 1.0
_ENOUGH = 320 << 20  # bytes; a worker with less keeps its programs for the next model
_CRASHES = {-signal.SIGILL, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGABRT}
_REMARKS: set[str] = set()  # what was said already
_SILENT_SECONDS = 60.0  # without a word or any processor time, until a worker is named
_STUCK_SECONDS = 300.0  # until it is killed and its job is tried again


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    alive: Connection  # closes when this process dies, and the worker with it
    progress: Progress
    kernels: Choice
    job: Job | None = None
    last: Job | None = None
    idle_since: float = 0.0

    @property
    def affinity(self) -> str | None:
        """That of its last job, whose programs it has."""
        return None if self.last is None else self.last.affinity


def run_jobs(
    jobs: Sequence[Job],
    *,
    workers: int,
    device: Device,
    cache: Path | None,
    watcher: Watcher,
    lanes: int = 1,
    pool: "Pool | None" = None,
    more: More | None = None,
) -> list[Lost]:
    """Do all jobs and return those that were lost, with their reasons.

    A job whose worker dies or raises is tried again, and lost at the second time; the others go on.
    A job that another process is doing is waited for.

    lanes : on a GPU, how many trials of a model train in one program
    pool : whose workers do them and stay for the next jobs, unless something stops everything
    more : asked for further jobs as soon as one ends; none of these trains together with others

    Raises
    ------
    UsageError, StorageError
        If a job finds that the user or the disk is at fault: everything stops.
    """
    if not jobs:
        return []
    if device == "gpu":
        jobs = together(jobs, lanes)
    used = Pool(device=device, cache=cache, watcher=watcher) if pool is None else pool
    used.size = min(workers, len(jobs)) if more is None else workers
    used.add(jobs, more=more)
    try:
        while not used.idle:
            used.step()
    except BaseException:
        used.close()
        raise
    if pool is None:
        used.close()
    return used.take_lost()


class Pool:
    """Worker processes and the jobs that wait for them.

    Parameters
    ----------
    size : jobs at a time; may change between jobs
    attempts : how often a job is tried
    stops : errors of a job that stop everything; others are reasons why it failed
    linger : seconds that a worker without a job waits for another one like its last
    """

    def __init__(
        self,
        *,
        size: int = 1,
        device: Device,
        cache: Path | None,
        watcher: Watcher,
        attempts: int = ATTEMPTS,
        stops: tuple[type[BakeoffError], ...] = (UsageError, StorageError),
        linger: float = 0.0,
    ) -> None:
        self._queue: JobQueue[Job] = JobQueue(watcher, attempts=attempts)
        self.size = size
        self._device, self._cache, self._watcher = device, cache, watcher
        self._stops, self._linger = stops, linger
        self._kernels = native.choose() if device == "cpu" else Choice()
        if self._kernels.remark and self._kernels.broken:
            self._remark(self._kernels.remark)
        self._workers: list[_Worker] = []

    def add(self, jobs: Sequence[Job], *, more: More | None = None) -> None:
        """Let jobs wait behind those that wait already; `more` is asked when one has ended."""
        self._queue.after_each = more
        self._queue.add(jobs)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return self._queue.empty and not any(worker.job for worker in self._workers)

    def take_lost(self) -> list[Lost]:
        """Return the jobs that were lost since the last time."""
        lost, self._queue.lost = self._queue.lost, []
        return lost

    def step(self, *, wake: Connection | None = None) -> None:
        """Give waiting jobs to workers, and hear what these say; `wake` ends the waiting for it."""
        self._queue.wake()
        self._assign()
        self._listen(wake)
        self._look_after(time.monotonic())

    def close(self) -> None:
        """Kill all workers."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            self._forget(worker)
        self._workers = []

    def _assign(self) -> None:
        for worker in self._idle_workers():
            if not worker.process.is_alive():
                self._dismiss(worker)
        for worker in self._idle_workers():
            job = self._queue.more(worker.affinity)
            if job is not None:
                self._give(worker, job)
        room = self.size - len(self._workers)
        now = time.monotonic()
        for worker in self._idle_workers():
            over = now - worker.idle_since >= self._linger or room < len(self._queue)
            if over and not self._goes_on(worker):
                self._dismiss(worker)
                room += 1
        while len(self._queue) and len(self._workers) < self.size:
            job = self._next()
            if job is not None:
                self._give(self._hire(), job)

    def _idle_workers(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.job is None]

    def _next(self) -> Job | None:
        taken = {worker.affinity for worker in self._workers if worker.job is not None}
        return self._queue.next(None, taken)

    def _goes_on(self, worker: _Worker) -> bool:
        """Give an idle worker a job of another model, where that is as good as a new worker's.

        It saves half of what a new worker does before its first step. Code of the user may have
        left anything behind, and what is on a GPU is freed only with the process.
        """
        if (
            worker.last is None
            or worker.last.runs_user_code
            or self._device != "cpu"
            or worker.kernels != self._kernels
            or not holds_less_than(WORKER_BYTES, worker.process.pid)
        ):
            return False
        job = self._next()
        if job is None:
            return False
        if job.runs_user_code:
            self._queue.back(job)
            return False
        self._give(worker, job)
        return True

    def _give(self, worker: _Worker, job: Job) -> None:
        worker.job = worker.last = job
        worker.progress.made(time.monotonic())
        for label in labels(job):
            self._watcher.started(label)
        try:
            worker.pipe.send(job)
        except OSError:
            self._failed(worker, "its worker process died")

    def _hire(self) -> _Worker:
        worker = _start(self._device, self._cache, self._kernels)
        self._workers.append(worker)
        return worker

    def _dismiss(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.process.kill()
        self._forget(worker)

    @staticmethod
    def _forget(worker: _Worker) -> None:
        worker.process.join()
        worker.process.close()
        worker.pipe.close()
        worker.alive.close()

    def _listen(self, wake: Connection | None) -> None:
        pipes = {worker.pipe: worker for worker in self._workers}
        for pipe in wait([*pipes, *([wake] if wake else [])], timeout=_POLL_SECONDS):
            if pipe is wake:
                continue
            worker = pipes[pipe]  # type: ignore[index]
            try:
                kind, value = worker.pipe.recv()
            except (EOFError, OSError):
                self._failed(worker, _cause_of_death(worker.process))
                continue
            self._heard(worker, kind, value)

    def _look_after(self, now: float) -> None:
        """Name a worker that does nothing, stopped perhaps; give it up where that goes on."""
        for worker in [worker for worker in self._workers if worker.job is not None]:
            silent = worker.progress.seconds_without(now)
            if silent > _STUCK_SECONDS:
                self._failed(worker, f"its worker process did nothing for {silent:.0f} seconds")
            elif silent > _SILENT_SECONDS and not worker.progress.named:
                worker.progress.named = True
                label = worker.job.label if worker.job else ""
                self._watcher.note(
                    f"{label}: its worker process {worker.process.pid} has done nothing for "
                    f"{silent:.0f} seconds (stopped?); after {_STUCK_SECONDS:.0f} it is killed "
                    "and the trial goes on in another"
                )

    def _heard(self, worker: _Worker, kind: str, value: Any) -> None:
        worker.progress.made(time.monotonic())
        job = worker.job
        if kind == "remark":
            self._remark(value)
        if job is None:
            return
        if kind == "epoch":
            self._watcher.told(job.label, value)
        elif kind == "done":
            worker.job, worker.idle_since = None, time.monotonic()
            self._queue.done(job)
        elif kind == "busy":
            worker.job, worker.idle_since = None, time.monotonic()
            self._queue.busy(job)
        elif isinstance(value, self._stops):
            raise value
        elif kind != "remark":
            self._failed(worker, str(value))

    def _remark(self, text: str) -> None:
        """Say once in this process what is wrong with the native kernels."""
        if text not in _REMARKS:
            _REMARKS.add(text)
            self._watcher.note(f"{text}; trials go on without them, slower")

    def _failed(self, worker: _Worker, reason: str) -> None:
        """Replace the worker; its job is tried again, or given up at the last of its attempts."""
        job = worker.job
        crashed = worker.process.exitcode in _CRASHES
        self._dismiss(worker)
        if crashed and self._kernels.path is not None:
            self._remark(f"a worker crashed with the native kernels for {self._kernels.kernels}")
            self._kernels = Choice()
        if job is not None:
            self._queue.failed(job, reason)


def _cause_of_death(process: Any) -> str:
    process.join(1)
    code = process.exitcode
    if code == -signal.SIGKILL:
        return "its worker process was killed (out of memory?)"
    if code is not None and code < 0:
        return f"its worker process died of signal {-code}"
    return f"its worker process ended with code {code}"


# ── the worker's side ────────────────────────────────────────────────────────────────────────


def _start(device: Device, cache: Path | None, kernels: Choice) -> _Worker:
    context = mp.get_context("forkserver")
    pipe, theirs = context.Pipe()
    watched, alive = context.Pipe(duplex=False)
    process = start_process(_serve, (theirs, watched, device, cache, kernels))
    theirs.close()
    watched.close()
    return _Worker(process, pipe, alive, progress=Progress(process.pid), kernels=kernels)


def _serve(
    pipe: Connection, alive: Connection, device: Device, cache: Path | None, kernels: Choice
) -> None:
    gc.freeze()  # what is imported stays: looking through it for garbage takes 0.2 s, and memory
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    os.dup2(2, 1)  # standard output is the parent's: `--json` prints one document and no more
    threading.Thread(target=_die_with_parent, args=(alive,), daemon=True).start()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent has gone
        _work(pipe, device, cache, kernels)


def _work(pipe: Connection, device: Device, cache: Path | None, kernels: Choice) -> None:
    from bakeoff.study.jobs.job import Busy
    from bakeoff.training import backend

    try:
        backend.start(device, cache=cache)
        remark = native.load(kernels)
        if remark is not None:
            pipe.send(("remark", remark))
    except BakeoffError as error:
        pipe.send(("error", error))
        return
    before: str | None = None  # the affinity of its last job
    while True:
        job: Job = pipe.recv()
        if before not in (None, job.affinity):
            _let_programs_go()
        before = job.affinity
        try:
            job.run(lambda result: pipe.send(("epoch", result)))
            pipe.send(("done", None))
        except Busy:
            pipe.send(("busy", None))
        except BakeoffError as error:
            pipe.send(("error", error))
        except Exception as error:
            if os.environ.get("BAKEOFF_DEBUG"):
                traceback.print_exc()
            pipe.send(("error", in_a_line(error)))


def _let_programs_go() -> None:
    """Free the programs of the models before, if this process holds much memory.

    A small network leaves about 8 MB behind: a hundred in one study what two workers take.
    """
    from bakeoff.training.backend import forget_programs

    if not holds_less_than(_ENOUGH, os.getpid()):
        forget_programs()


def in_a_line(error: Exception) -> str:
    """Return an error of the code in a line, with where it was raised: JAX's fill pages."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = shorten(str(error), 300, placeholder=" …")
    return f"{type(error).__name__}: {text} ({Path(last.filename).name}:{last.lineno})"


def _die_with_parent(alive: Connection) -> None:
    try:
        alive.recv()
    except (EOFError, OSError):
        os._exit(1)
