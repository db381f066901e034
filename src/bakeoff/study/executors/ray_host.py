"""A cluster's host: does jobs on one node, in worker processes like those of a local run.

It runs there, in a process that Ray starts. It imports nothing of Ray: whatever it is given are
plain values, and whatever happens is told when it is asked for news.
"""

import os
import platform
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import BakeoffError, UsageError
from bakeoff.storage import atomic
from bakeoff.storage.scratch import scratch_folder
from bakeoff.study.environment import NODE, environment
from bakeoff.study.executors import remote_job
from bakeoff.study.executors.fork_server import warm_up
from bakeoff.study.executors.local_processes import Pool, in_a_line
from bakeoff.study.executors.remote_job import RemoteJob
from bakeoff.utils.events import EpochResult, Resumed, Watcher
from bakeoff.utils.machine import Device, measured_rate
from bakeoff.utils.user_paths import program_cache

Event = tuple[Any, ...]  # its kind, then what belongs to it
_SCRATCH = "bakeoff-host-"
_LINGER_SECONDS = 60.0  # that a worker waits for another trial of its model
_NEWS_SECONDS = 5.0  # until somebody who asks for news hears that there are none
_LOOK_SECONDS = 1.0  # between looks for new checkpoints: an epoch may take milliseconds
_TOGETHER_SECONDS = 1.0  # that epochs wait for each other, so that a host is asked once a second


def look_around(*, measure: bool = False) -> dict[str, Any]:
    """Return the versions and the processor here; with `measure` operations a second of a core."""
    found = {**environment("cpu"), "host": platform.node()}
    return {**found, "rate": measured_rate()} if measure else found


class Host:
    """Worker processes on one node and the folder they work in; its methods come from threads.

    Parameters
    ----------
    name : what the node is called
    size : jobs at a time
    send_seconds : until a trial's newest checkpoint is told again
    """

    def __init__(self, name: str, size: int, device: Device, send_seconds: float) -> None:
        os.environ[NODE] = name  # for the workers: each trial says what it ran on
        self._size, self._device, self._send_seconds = size, device, send_seconds
        self._events: list[Event] = []
        self._urgent = False
        self._changed = threading.Condition()
        self._inbox: list[remote_job.UnpackedJob] = []
        self._orders: dict[str, RemoteJob] = {}
        self._sent: dict[str, tuple[str, float]] = {}  # the newest checkpoint told, by trial
        self._looked = float("-inf")  # when checkpoints were looked for
        self._contents: dict[str, Path] = {}
        self._counter = 0
        self._folder: Path | None = None
        self._closing = False
        self._woken, self._wake = Pipe(duplex=False)
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def hello(self) -> int:
        """Answer as soon as there is a process to answer; its number is of use to tests."""
        return os.getpid()

    def do(
        self,
        orders: Sequence[RemoteJob],
        keys: Sequence[str],
        forget: Sequence[str],
        *contents: NDArray[np.uint8],
    ) -> None:
        """Do jobs; what goes wrong is told as news.

        contents : the files behind `keys`; those behind `forget` are needed no more
        """
        try:
            self._store(keys, contents)
            laid = [self._lay_out(each) for each in orders]
        except BakeoffError as error:
            for each in orders:
                self._tell("failed", each.job.label, str(error))
            return
        with self._changed:
            for key in forget:
                self._contents.pop(key, Path(os.devnull)).unlink(missing_ok=True)
            self._orders.update({each.job.label: each for each in orders})
            self._inbox += laid
            self._wake.send_bytes(b"1")

    def news(self) -> list[Event]:
        """Wait for something to happen, and return what did since the last time."""
        with self._changed:
            self._changed.wait_for(lambda: self._events, _NEWS_SECONDS)
            if self._events:
                self._changed.wait_for(lambda: self._urgent, _TOGETHER_SECONDS)
            events, self._events, self._urgent = self._events, [], False
        return events

    def close(self) -> None:
        """Stop all work and clear away what is on the disk."""
        with self._changed:
            self._closing = True
            self._wake.send_bytes(b"1")
        self._thread.join()

    # ── files ────────────────────────────────────────────────────────────────────────────────

    def _place(self) -> Path:
        with self._changed:
            self._changed.wait_for(lambda: self._folder or self._closing)
        if self._folder is None:
            raise BakeoffError("expected a host that works, found one that has ended")
        return self._folder

    def _number(self) -> str:
        with self._changed:
            self._counter += 1
            return str(self._counter)

    def _store(self, keys: Sequence[str], contents: Sequence[NDArray[np.uint8]]) -> None:
        for key, content in zip(keys, contents, strict=True):
            path = self._place() / f"content-{self._number()}"
            with atomic.disk(path), path.open("wb") as stream:
                stream.write(content.data)
            with self._changed:
                self._contents[key] = path
                self._changed.notify_all()

    def _lay_out(self, made: RemoteJob) -> remote_job.UnpackedJob:
        needed = set(made.files.values())
        with self._changed:  # what was sent with another job may still be on its way
            self._changed.wait_for(lambda: needed <= self._contents.keys() or self._closing)
        place = self._place() / self._job_folder(made.job.label)
        return remote_job.unpack_job(made, place, self._contents.__getitem__)

    @staticmethod
    def _job_folder(label: str) -> str:
        return f"job {label}".replace(os.sep, "-")

    # ── the thread that works ────────────────────────────────────────────────────────────────

    def _live(self) -> None:
        try:
            place = Path(tempfile.gettempdir())
            with scratch_folder(place, prefix=_SCRATCH) as folder:
                warm_up()
                with self._changed:
                    self._folder = folder
                    self._changed.notify_all()
                self._work()
        except BakeoffError as error:
            self._tell("stop", error)
        except Exception as error:
            self._tell("stop", BakeoffError(in_a_line(error)))
        finally:
            with self._changed:
                self._closing = True
                self._changed.notify_all()

    def _work(self) -> None:
        pool = Pool(
            size=self._size,
            device=self._device,
            cache=program_cache(),
            watcher=_HostWatcher(self),
            attempts=1,  # whoever gave the job tries again, perhaps elsewhere
            stops=(UsageError,),  # a full disk here is not one everywhere
            linger=_LINGER_SECONDS,
        )
        try:
            while not self._closing:
                with self._changed:
                    jobs, self._inbox = self._inbox, []
                pool.add(jobs)
                pool.step(wake=self._woken)
                while self._woken.poll():
                    self._woken.recv_bytes()
                self._tell_due_checkpoints()
                for lost in pool.take_lost():
                    self.failed(lost.label, lost.reason)
        finally:
            pool.close()

    def _tell(self, kind: str, *what: Any) -> None:
        with self._changed:
            self._events.append((kind, *what))
            urgent = kind not in ("epoch", "kept")
            if len(self._events) == 1 or (urgent and not self._urgent):  # wake nobody for an epoch
                self._changed.notify_all()
            self._urgent = self._urgent or urgent

    def _tell_due_checkpoints(self) -> None:
        """Tell the newest checkpoints of all jobs, each as often as it is asked for."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        for label, made in list(self._orders.items()):
            for place in made.keeps:
                if place not in self._sent or now - self._sent[place][1] >= self._send_seconds:
                    self._tell_checkpoint(label, place)

    def _tell_checkpoint(self, label: str, place: str) -> None:
        """Tell the newest checkpoint of a trial, unless that was told before."""
        folder = self._place() / self._job_folder(label)
        found = remote_job.newest_checkpoints(folder, [place])
        if not found or (place in self._sent and self._sent[place][0] in found):
            return
        (name, path), *_ = found.items()
        with suppress(BakeoffError):  # replaced meanwhile by a newer one
            self._tell("kept", label, {name: atomic.read_file(path)})
            self._sent[place] = name, time.monotonic()

    def epoch(self, label: str, result: EpochResult | Resumed) -> None:
        """Tell an epoch, or those that a checkpoint holds."""
        self._tell("epoch", label, result)

    def note(self, text: str) -> None:
        """Tell what a person should read."""
        self._tell("note", text)

    def finished(self, label: str) -> None:
        """Tell that a job is done, with all it wrote."""
        made = self._orders.pop(label)
        folder = self._place() / self._job_folder(label)
        try:
            self._tell("done", label, remote_job.pack_results(folder, made.writes))
        except BakeoffError as error:
            self._tell("failed", label, str(error))
        self._forget(made, folder)

    def failed(self, label: str, reason: str) -> None:
        """Tell that a job failed, after the newest checkpoint that it left."""
        made = self._orders.pop(label)
        for place in made.keeps:
            self._tell_checkpoint(label, place)
        self._tell("failed", label, reason)
        self._forget(made, self._place() / self._job_folder(label))

    def _forget(self, made: RemoteJob, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        for place in made.keeps:
            self._sent.pop(place, None)


class _HostWatcher(Watcher):
    """What the worker processes say, told as a host's news."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def epoch(self, label: str, result: EpochResult) -> None:
        """Hear of a finished epoch."""
        self._host.epoch(label, result)

    def resumed(self, label: str, resumed: Resumed) -> None:
        """Hear that a job goes on from a checkpoint."""
        self._host.epoch(label, resumed)

    def finished(self, label: str) -> None:
        """Hear that a job is done."""
        self._host.finished(label)

    def note(self, text: str) -> None:
        """Hear something a person should read."""
        self._host.note(text)
