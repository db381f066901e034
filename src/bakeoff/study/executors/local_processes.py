"""Jobs in worker processes: one job at a time in each, retried once if its worker dies.

Workers are forked from a server that has imported Keras and JAX already, so each starts in a
fraction of a second. They do not import the user's script, die when their parent does, and are
replaced between models, so that memory stays flat.
"""

import gc
import multiprocessing as mp
import os
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from textwrap import shorten
from typing import Any

from bakeoff.errors import BakeoffError, StorageError, UsageError
from bakeoff.study.executors.interface import Job, Lost
from bakeoff.training.native import load as native
from bakeoff.training.native.load import Choice
from bakeoff.utils.events import Watcher
from bakeoff.utils.machine import Device

ATTEMPTS = 2
_POLL_SECONDS = 1.0
_CRASHES = {-signal.SIGILL, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGABRT}
_REMARKS: set[str] = set()  # what was said already
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    alive: Connection  # closes when this process dies, and the worker with it
    job: Job | None = None
    group: str | None = None


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
            job = self._next(worker.group)
            if job is None or job.group != worker.group:
                self._dismiss(worker)
                if job is not None:
                    self._waiting.insert(0, job)
                continue
            self._give(worker, job)
        while self._waiting and len(self._workers) < self._size:
            job = self._next(None)
            if job is not None:
                self._give(self._hire(), job)

    def _next(self, group: str | None) -> Job | None:
        """Take the next job: of the same group, else of a group nobody is at, else the first."""
        if not self._waiting:
            return None
        taken = {worker.group for worker in self._workers if worker.job is not None}
        same = (job for job in self._waiting if job.group == group)
        fresh = (job for job in self._waiting if job.group not in taken)
        job = next(same, None) or next(fresh, None) or self._waiting[0]
        self._waiting.remove(job)
        return job

    def _give(self, worker: _Worker, job: Job) -> None:
        worker.job, worker.group = job, job.group
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

    def _heard(self, worker: _Worker, kind: str, value: Any) -> None:
        job = worker.job
        if kind == "remark":
            self._remark(value)
        if job is None:
            return
        if kind == "epoch":
            self._watcher.epoch(job.label, value)
        elif kind == "done":
            worker.job = None
            self._watcher.finished(job.label)
        elif kind == "busy":
            worker.job = None
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
    given = (theirs, watched, device, cache, kernels)
    process = context.Process(target=_serve, args=given, daemon=True)
    warm_up()
    with _hidden_main():
        process.start()
    theirs.close()
    watched.close()
    return _Worker(process, pipe, alive)


def warm_up() -> None:
    """Start the fork server, unless it runs, and let it import Keras and JAX meanwhile."""
    mp.get_context("forkserver").set_forkserver_preload(
        ["bakeoff.training.trainer", "bakeoff.study.jobs"]
    )
    with _hidden_main(), _environment(), _deaf_to_ctrl_c():
        forkserver.ensure_running()


@contextmanager
def _hidden_main() -> Iterator[None]:
    """Keep the user's script from being run again in the worker: it may have no main guard."""
    main = sys.modules["__main__"]
    names = ("__file__", "__spec__")
    kept = {name: vars(main)[name] for name in names if name in vars(main)}
    try:
        vars(main).update(dict.fromkeys(names))
        yield
    finally:
        for name in names:
            del vars(main)[name]
        vars(main).update(kept)


@contextmanager
def _environment() -> Iterator[None]:
    """Let the fork server import its libraries with one thread each: it must be able to fork.

    And never from the folder it is started in, as Python's -c would: that may be a study received
    from somebody, with a socket.py in it.
    """
    changes = {**dict.fromkeys(_THREADS, "1"), "PYTHONSAFEPATH": "1"}
    kept = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let the fork server, and so every worker, begin with Ctrl-C blocked: it is the parent's."""
    resource_tracker.ensure_running()  # the fork server does it first, and that unblocks Ctrl-C
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
