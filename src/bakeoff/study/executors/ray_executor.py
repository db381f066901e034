"""Jobs on a cluster: gives them to hosts, and writes what comes back as a local run writes it.

This process alone writes the study, and holds a trial's lock while the trial is elsewhere. A host
that dies costs the jobs it was at: others go on with them from the last checkpoint that came here.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from bakeoff.errors import BakeoffError, StudyError
from bakeoff.storage import atomic
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.executors import ray_places, remote_job
from bakeoff.study.executors.interface import Lost, More, MovableJob
from bakeoff.study.executors.job_queue import JobQueue
from bakeoff.study.executors.lanes import joins
from bakeoff.study.executors.object_store import Contents, HostContents
from bakeoff.study.executors.ray_places import Node, Place
from bakeoff.study.executors.remote_job import RemoteJob
from bakeoff.study.jobs import checkpoints
from bakeoff.study.jobs.checkpoint_names import PLACE
from bakeoff.study.jobs.job import Busy, TrainJob
from bakeoff.study.jobs.multi_trial_job import MultiTrialJob
from bakeoff.utils.events import Watcher
from bakeoff.utils.machine import Device
from bakeoff.utils.text import counted

NODE_ATTEMPTS = 4  # of a job whose nodes die under it: that is not the job's fault
PATIENCE_SECONDS = 60.0  # until a cluster without room is given up
_MUSTER_SECONDS = 5.0  # between looks at the cluster's nodes
_WAIT_SECONDS = 1.0
_DEATHS = 3  # of hosts in one place, before they are up, until that place is given up
_PLACES_A_SECOND = 40  # whose checkpoints may come here in a second: 12 MB each are 500 MB


Claim = tuple[MovableJob, AbstractContextManager[bool]]


class HostDied(Exception):
    """A host, or the node it was on, is gone."""


class Cluster(Protocol):
    """The few things that are asked of Ray; ray_cluster.py has them."""

    name: str  # as the user names it: "--on ray"

    def nodes(self) -> list[dict[str, Any]]:
        """Return Ray's table of its nodes."""

    def free_cpus(self) -> int:
        """Return how many CPUs nobody has taken."""

    def require_same_versions(self, there: Sequence[Node]) -> None:
        """Raise StudyError if a node has another Python or Bakeoff than this process."""

    def start_host(self, place: Place, *, name: str, send_seconds: float) -> Any:
        """Ask for a host and return its handle; it may have to wait for room."""

    def put(self, path: Path) -> Any:
        """Put a file's content into the object store and return a reference to it."""

    def call(self, host: Any, method: str, *arguments: Any) -> Any:
        """Call a host's method and return a reference to its result."""

    def wait(self, references: Sequence[Any], seconds: float) -> list[Any]:
        """Return the references whose results are there; wait for the first of them."""

    def get(self, reference: Any) -> Any:
        """Return a result; raise HostDied."""

    def kill(self, host: Any) -> None:
        """End a host."""


@dataclass
class _Task:
    job: MovableJob
    made: RemoteJob
    claims: list[Claim]  # of the trials that it trains
    alone: list[str]  # keys of contents that no other job reads


@dataclass
class _Host:
    place: Place
    name: str
    handle: Any
    asked: Any  # the reference of the call that it is about to answer
    since: float
    up: bool = False
    free: list[str | None] = field(default_factory=list)  # the affinity each free worker had
    tasks: dict[str, _Task] = field(default_factory=dict)
    contents: HostContents = field(default_factory=HostContents)


class ClusterExecutor:
    """The hosts of a study on a cluster, and who is at what.

    Parameters
    ----------
    home : the study's folder
    workers : trials at a time; None for as many as there is room for
    device : "cpu" or "gpu" for one kind of node alone; None for both
    lanes : how many trials of a model train in one program on a GPU
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        home: Path,
        workers: int | None,
        device: Device | None,
        lanes: int,
        watcher: Watcher,
    ) -> None:
        self._cluster, self._home, self._watcher = cluster, home, watcher
        self._workers, self._device, self._lanes = workers, device, lanes
        self._nodes: dict[str, Node] = {}
        self._hosts: list[_Host] = []
        self._queue: JobQueue[MovableJob] = JobQueue(watcher)
        self._contents = Contents((), cluster.put)
        self._looked = float("-inf")
        self._alone = time.monotonic()  # since when no host is up
        self._said = ""
        self._whole = True  # whether whole nodes are taken
        self._deaths: Counter[Place] = Counter()  # of hosts before they were up
        self._last_death = ""
        self._look()  # what is wrong with the cluster is told before anything is written

    @property
    def size(self) -> int:
        """How many jobs are done at a time, once all hosts are up."""
        return max(sum(host.place.size for host in self._hosts), 1)

    def fit(self, each: int, *, trials: int) -> None:
        """Do nothing: what a node has of memory is for Ray to know."""

    def run_jobs(self, jobs: Sequence[MovableJob], more: More | None = None) -> list[Lost]:
        """Do all jobs and return those that were lost, with their reasons.

        more : asked for further jobs as soon as one ends

        Raises
        ------
        UsageError, StorageError
            If the user or this machine's disk is at fault: everything stops.
        """
        self._queue = JobQueue(self._watcher)
        self._queue.add(jobs)
        self._contents = Contents(jobs, self._cluster.put)
        self._queue.after_each = None if more is None else self._contents.counting(more)
        self._alone = time.monotonic()
        try:
            while not self._queue.empty or any(host.tasks for host in self._hosts):
                self._queue.wake()
                self._muster()
                self._assign()
                self._listen()
        finally:
            for host in self._hosts:
                for task in host.tasks.values():
                    _release(task)
                host.tasks = {}
            self._contents = Contents((), self._cluster.put)
        return self._queue.lost

    def close(self) -> None:
        """End all hosts; what is in the study's folder stays."""
        closing = []
        for host in self._hosts:
            with suppress(HostDied, BakeoffError):  # where all has gone, hosts end by themselves
                closing.append(self._cluster.call(host.handle, "close") if host.up else None)
        asked = [each for each in closing if each is not None]
        end = time.monotonic() + _WAIT_SECONDS
        with suppress(BakeoffError):
            while asked and time.monotonic() < end:
                there = self._cluster.wait(asked, _WAIT_SECONDS)
                asked = [each for each in asked if each not in there]
        for host in self._hosts:
            self._cluster.kill(host.handle)
        self._hosts = []

    # ── hosts ────────────────────────────────────────────────────────────────────────────────

    def _muster(self) -> None:
        """Ask for a host wherever one is lacking; raise where there is no room for any."""
        now = time.monotonic()
        if now - self._looked >= _MUSTER_SECONDS:
            self._look()
        if any(host.up for host in self._hosts):
            self._alone = now
        elif now - self._alone > PATIENCE_SECONDS:
            raise self._no_room()

    def _look(self) -> None:
        self._looked = time.monotonic()
        there = ray_places.nodes(self._cluster.nodes(), known=self._nodes)
        new = [node for node in there if node.key not in self._nodes]
        self._cluster.require_same_versions(new)
        self._nodes |= {node.key: node for node in new}
        if not self._hosts and not self._places(there, free=None):
            raise self._no_room()
        wanted = self._wanted(there)
        for place in wanted:
            self._start(place, sum(each.size for each in wanted))
        said = ray_places.in_words([host.place for host in self._hosts])
        if self._hosts and said != self._said:
            self._said = said
            self._watcher.note(f"{self._cluster.name}: {said}")

    def _wanted(self, there: Sequence[Node]) -> list[Place]:
        """Return the places where a host is lacking.

        A cluster that nobody else works on is taken node by node, for as long as the study runs.
        """
        mine = [host.place for host in self._hosts if host.up and host.place.device == "cpu"]
        free = self._cluster.free_cpus() + sum(place.size for place in mine)
        if not self._hosts:
            self._whole = free >= sum(node.cpus for node in there)
        found = Counter(self._places(there, free=None if self._whole else free))
        lacking = found - Counter(host.place for host in self._hosts)
        return [each for each in lacking.elements() if self._deaths[each] < _DEATHS]

    def _places(self, there: Sequence[Node], *, free: int | None) -> list[Place]:
        return ray_places.places(there, free=free, workers=self._workers, device=self._device)

    def _start(self, place: Place, size: int) -> None:
        number = len(self._hosts) + 1
        name = place.node.name if place.node else f"place {number}"
        seconds = max(checkpoints.CHECKPOINT_SECONDS, size / _PLACES_A_SECOND)
        handle = self._cluster.start_host(place, name=name, send_seconds=seconds)
        asked = self._cluster.call(handle, "hello")
        self._hosts.append(_Host(place, name, handle, asked, time.monotonic()))

    def _no_room(self) -> BakeoffError:
        where = self._cluster.name
        if self._last_death:
            return BakeoffError(
                f"{where}: expected a process on a node that does trials, found that it ends at "
                f"once: {self._last_death}"
            )
        if self._device == "gpu":
            return StudyError(
                f"{where}: expected a GPU that is free, found none: wait for one, or use "
                "--device cpu"
            )
        cpus = sum(node.cpus for node in self._nodes.values())
        return StudyError(
            f"{where}: expected room for a trial, found none of {counted(cpus, 'CPU')} free: "
            "wait until other work there is done, or add nodes"
        )

    def _gone(self, host: _Host, reason: str) -> None:
        """Take a host's jobs back: its node or its process is gone."""
        self._hosts.remove(host)
        self._cluster.kill(host.handle)
        self._looked = float("-inf")
        if not host.up:
            self._deaths[host.place] += 1
            self._last_death = reason
        for task in host.tasks.values():
            self._failed(task, f"{host.name} is gone ({reason})", attempts=NODE_ATTEMPTS)

    # ── giving ───────────────────────────────────────────────────────────────────────────────

    def _assign(self) -> None:
        """Give waiting jobs to the hosts with the largest share of free workers."""
        while len(self._queue):
            free = [host for host in self._hosts if host.up and host.free]
            if not free:
                return
            self._give(max(free, key=lambda host: len(host.free) / host.place.size))

    def _give(self, host: _Host) -> None:
        affinity = host.free.pop()
        taken = {task.job.affinity for each in self._hosts for task in each.tasks.values()}
        first = self._queue.next(affinity, taken)
        chosen = [] if first is None else [first]
        program = host.place.device == "gpu" and isinstance(first, TrainJob) and joins(first)
        while first is not None and program and len(chosen) < self._lanes:
            if (more := self._queue.more(first.affinity)) is None:
                break
            chosen.append(more)
        claims = self._claims(chosen, host)
        if not claims:
            host.free.append(affinity)
            return
        job: MovableJob = claims[0][0]
        if program and self._lanes > 1:
            trials = [each for each, _ in claims if isinstance(each, TrainJob)]
            job = MultiTrialJob(tuple(trials), self._lanes)
        made, files = remote_job.to_send(job, self._home)
        new, forget = host.contents.take(list(files))
        contents = [self._contents.reference(key, files[key]) for key in new]
        alone = [key for key in files if not self._contents.shared(files[key])]
        host.tasks[job.label] = _Task(job, made, claims, alone)
        for folder in job.keeps():  # for `bakeoff status` and `bakeoff serve`
            atomic.write_file(folder / PLACE, json.dumps({"node": host.name}).encode())
        names = host.contents.names
        there = replace(made, files={where: names[key] for where, key in made.files.items()})
        sent = [names[key] for key in new]
        self._cluster.call(host.handle, "do", [there], sent, forget, *contents)

    def _claims(self, jobs: Sequence[MovableJob], host: _Host) -> list[Claim]:
        """Claim jobs and return those that are to be done: others may be at some, or have been."""
        found = []
        for job in jobs:
            claim = job.claimed()
            try:
                todo = claim.__enter__()
            except Busy:
                self._queue.busy(job)
                continue
            self._watcher.started(job.label, host.name)
            if todo:
                found.append((job, claim))
            else:
                claim.__exit__(None, None, None)
                self._queue.done(job)
        return found

    # ── hearing ──────────────────────────────────────────────────────────────────────────────

    def _listen(self) -> None:
        asked = {host.asked: host for host in self._hosts}
        for reference in self._cluster.wait(list(asked), _WAIT_SECONDS):
            host = asked[reference]
            try:
                found = self._cluster.get(reference)
                host.asked = self._cluster.call(host.handle, "news")
            except HostDied as death:
                self._gone(host, str(death))
                continue
            if not host.up:
                host.up, host.free = True, [None] * host.place.size
                continue
            for kind, *what in found:
                self._heard(host, kind, *what)

    def _heard(self, host: _Host, kind: str, *what: Any) -> None:
        if kind == "stop":
            raise what[0]
        if kind == "note":
            self._watcher.note(f"{host.name}: {what[0]}")
            return
        label = what[0]
        if kind == "epoch":
            self._watcher.told(label, what[1])
            return
        if kind == "kept":
            if label in host.tasks:
                StudyFolder(self._home).require_in_place()
                remote_job.keep_checkpoints(what[1], host.tasks[label].made, self._home)
            return
        task = host.tasks.pop(label)
        host.free.append(task.job.affinity)
        host.contents.let_go(task.alone)
        if kind == "done":
            self._done(task, what[1])
        else:
            self._failed(task, f"{what[1]} (on {host.name})")

    def _done(self, task: _Task, files: Mapping[str, bytes]) -> None:
        try:
            StudyFolder(self._home).require_in_place()
            remote_job.write_results(files, task.made, self._home)
        except remote_job.Garbled as error:
            self._failed(task, str(error))
            return
        except BaseException:
            _release(task)
            raise
        for job, claim in task.claims:
            claim.__exit__(None, None, None)
            self._queue.done(job)
        unused = self._contents.done(task.made)
        for host in self._hosts:
            host.contents.let_go(unused)

    def _failed(self, task: _Task, reason: str, *, attempts: int | None = None) -> None:
        _release(task)
        for job, _ in task.claims:  # of several, a CPU may go on with each
            self._queue.failed(job, reason, attempts=attempts)


class _Released(Exception):
    """A claim ends without its job being done."""


def _release(task: _Task) -> None:
    for _, claim in task.claims:
        claim.__exit__(_Released, _Released(), None)
