"""Jobs in worker processes: one job at a time in each, retried once if its worker dies.

Workers are forked from a server that has imported Keras and JAX already, so each starts in a
fraction of a second. They do not import the user's script, die when their parent does, and are
replaced between models, so that memory stays flat.
"""

import gc
import multiprocessing as mp
import os
import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from textwrap import shorten
from typing import Any

from bakeoff.errors import BakeoffError, StorageError, UsageError
from bakeoff.study.executors.fork_server import start_process
from bakeoff.study.executors.interface import Job, Lost
from bakeoff.training.native import load as native
from bakeoff.training.native.load import Choice
from bakeoff.utils.events import Resumed, Watcher
from bakeoff.utils.machine import Device

ATTEMPTS = 2
_POLL_SECONDS = 1.0
_CRASHES = {-signal.SIGILL, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGABRT}
_REMARKS: set[str] = set()  # what was said already
_SILENT_SECONDS = 60.0  # without a word or any processor time, until a worker is named
_STUCK_SECONDS = 300.0  # until it is killed and its job is tried again


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    alive: Connection  # closes when this process dies, and the worker with it
    progress: "Progress"
    job: Job | None = None
    affinity: str | None = None


class Progress:
    """When a process last did something: said a word, or used processor time."""

    def __init__(self, process: int | None) -> None:
        self._stat = Path(f"/proc/{process}/stat")
        self.named = False
        self._used = -1
        self.made(time.monotonic())

    def made(self, now: float) -> None:
        """Take note that it did something."""
        self._last, self.named = now, False

    def seconds_without(self, now: float) -> float:
        """Return for how long it has done nothing; 0 where the system does not tell."""
        try:
            fields = self._stat.read_text(encoding="latin-1").rpartition(")")[2].split()
            used = int(fields[11]) + int(fields[12])
        except (OSError, ValueError, IndexError):
            return 0.0
        if used != self._used:
            self._used = used
            self.made(now)
        return now - self._last


def run_jobs(
    jobs: Sequence[Job], *, workers: int, device: Device, cache: Path | None, watcher: Watcher
) -> list[Lost]:
    """Do all jobs and return those that were lost, with their reasons.

    A job whose worker dies or raises is tried ATTEMPTS times; the others go on. A job that another
    process is doing is waited for.

    Raises
    ------
    UsageError, StorageError
        If a job finds that the user or the disk is at fault: everything stops.
    """
    if not jobs:
        return []
    pool = _Pool(jobs, size=min(workers, len(jobs)), device=device, cache=cache, watcher=watcher)
    try:
        pool.run()
    finally:
        pool.close()
    return pool.lost


class _Pool:
    def __init__(
        self,
        jobs: Sequence[Job],
        *,
        size: int,
        device: Device,
        cache: Path | None,
        watcher: Watcher,
    ) -> None:
        self._waiting = list(jobs)
        self._later: list[tuple[float, Job]] = []  # busy elsewhere: when to ask again
        self._busy: set[str] = set()  # labels of jobs that others were at
        self._attempts: Counter[str] = Counter()
        self._size, self._device, self._cache, self._watcher = size, device, cache, watcher
        self._kernels = native.choose() if device == "cpu" else Choice()
        if self._kernels.remark and self._kernels.broken:
            self._remark(self._kernels.remark)
        self._workers: list[_Worker] = []
        self.lost: list[Lost] = []

    def run(self) -> None:
        while self._waiting or self._later or any(worker.job for worker in self._workers):
            self._wake_later()
            self._assign()
            self._listen()
            self._look_after(time.monotonic())

    def close(self) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            self._forget(worker)
        self._workers = []

    def _wake_later(self) -> None:
        now = time.monotonic()
        self._waiting += [job for when, job in self._later if when <= now]
        self._later = [(when, job) for when, job in self._later if when > now]

    def _assign(self) -> None:
        for worker in [worker for worker in self._workers if worker.job is None]:
            job = self._next(worker.affinity)
            if job is None or job.affinity != worker.affinity:
                self._dismiss(worker)
                if job is not None:
                    self._waiting.insert(0, job)
                continue
            self._give(worker, job)
        while self._waiting and len(self._workers) < self._size:
            job = self._next(None)
            if job is not None:
                self._give(self._hire(), job)

    def _next(self, affinity: str | None) -> Job | None:
        """Take the next job: of its affinity, else of one that no worker has, else the first."""
        if not self._waiting:
            return None
        taken = {worker.affinity for worker in self._workers if worker.job is not None}
        same = (job for job in self._waiting if job.affinity == affinity)
        fresh = (job for job in self._waiting if job.affinity not in taken)
        job = next(same, None) or next(fresh, None) or self._waiting[0]
        self._waiting.remove(job)
        return job

    def _give(self, worker: _Worker, job: Job) -> None:
        worker.job, worker.affinity = job, job.affinity
        worker.progress.made(time.monotonic())
        self._watcher.started(job.label)
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

    def _listen(self) -> None:
        pipes = {worker.pipe: worker for worker in self._workers}
        for pipe in wait(list(pipes), timeout=_POLL_SECONDS):
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
        if kind == "epoch" and isinstance(value, Resumed):
            self._watcher.resumed(job.label, value)
        elif kind == "epoch":
            self._watcher.epoch(job.label, value)
        elif kind == "done":
            worker.job = None
            self._watcher.finished(job.label)
        elif kind == "busy":
            worker.job = None
            if job.label not in self._busy:
                self._busy.add(job.label)
                self._watcher.note(f"{job.label}: another process is at it; waiting for that")
            self._later.append((time.monotonic() + _POLL_SECONDS, job))
        elif isinstance(value, UsageError | StorageError):
            raise value
        elif kind != "remark":
            self._failed(worker, str(value))

    def _remark(self, text: str) -> None:
        """Say once in this process what is wrong with the native kernels."""
        if text not in _REMARKS:
            _REMARKS.add(text)
            self._watcher.note(f"{text}; trials go on without them, slower")

    def _failed(self, worker: _Worker, reason: str) -> None:
        job = worker.job
        crashed = worker.process.exitcode in _CRASHES
        self._dismiss(worker)
        if crashed and self._kernels.path is not None:
            self._remark(f"a worker crashed with the native kernels for {self._kernels.kernels}")
            self._kernels = Choice()
        if job is None:
            return
        self._attempts[job.label] += 1
        if self._attempts[job.label] < ATTEMPTS:
            self._watcher.note(f"{job.label}: {reason}; trying once more")
            self._waiting.insert(0, job)
        else:
            self._watcher.note(f"{job.label}: {reason}; given up, the others go on")
            self._watcher.lost(job.label)
            self.lost.append(Lost(job.label, reason))


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
    return _Worker(process, pipe, alive, progress=Progress(process.pid))


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
    from bakeoff.study.jobs import Busy
    from bakeoff.training import backend

    try:
        backend.start(device, cache=cache)
        remark = native.load(kernels)
        if remark is not None:
            pipe.send(("remark", remark))
    except BakeoffError as error:
        pipe.send(("error", error))
        return
    while True:
        job: Job = pipe.recv()
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
            pipe.send(("error", _in_a_line(error)))


def _in_a_line(error: Exception) -> str:
    """Return an error of the code in a line, with where it was raised: JAX's fill pages."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = shorten(str(error), 300, placeholder=" …")
    return f"{type(error).__name__}: {text} ({Path(last.filename).name}:{last.lineno})"


def _die_with_parent(alive: Connection) -> None:
    try:
        alive.recv()
    except (EOFError, OSError):
        os._exit(1)
