"""A fake cluster: its hosts live in this process, do small jobs, and die when they are told."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.errors import BakeoffError
from bakeoff.storage import formats, written_folder
from bakeoff.study.executors import remote_job
from bakeoff.study.executors.ray_executor import HostDied
from bakeoff.study.executors.ray_places import Node, Place
from bakeoff.study.jobs.job import Busy
from bakeoff.utils.events import EpochResult


@dataclass(frozen=True)
class Writer:
    """Writes what it read, and the seed, into a trial's folder; goes on from a checkpoint."""

    study: str
    seed: int
    data: str
    affinity: str = "model"
    reason: str = ""  # why it fails
    runs_user_code: bool = False

    @property
    def label(self) -> str:
        return f"{self.affinity} seed {self.seed}"

    @property
    def target(self) -> Path:
        return Path(self.study) / "trials" / self.affinity / f"seed-{self.seed}"

    @contextmanager
    def claimed(self) -> Iterator[bool]:
        claim = Path(self.study) / f"claimed-{self.seed}"
        if claim.exists():
            raise Busy
        claim.touch()
        try:
            yield not self.target.exists()
        finally:
            claim.unlink()

    def reads(self) -> list[Path]:
        kept = sorted(self.keeps()[0].glob("checkpoint-*"))
        return [Path(self.data), *kept[-1:]]

    def writes(self) -> list[Path]:
        return [self.target]

    def keeps(self) -> list[Path]:
        return [self.target.with_name(f"{self.target.name}.partial")]

    def run(self, on_epoch: Callable[[Any], None]) -> None:
        assert Path(self.study).parent.name == "there", "a job is done in a folder of its own"
        if self.reason:
            raise RuntimeError(self.reason)
        kept = self.reads()[1:]
        begun = kept[0].read_bytes() if kept else b"nothing"
        on_epoch(EpochResult(0, 0.5, 0.5, None, None, None, 0.1))
        files = {
            "weights.txt": Path(self.data).read_bytes() + str(self.seed).encode(),
            written_folder.ENVIRONMENT: formats.sealed_json({"begun": begun.decode()}),
        }
        written_folder.write_folder(self.target, files, scratch=self.keeps()[0] / "finished")


@dataclass(eq=False)
class FakeHost:
    place: Place
    name: str
    folder: Path
    contents: dict[str, Path] = field(default_factory=dict)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    received: list[str] = field(default_factory=list)  # labels
    asked: list[str] = field(default_factory=list)  # methods
    dead: str = ""


class FakeCluster:
    """`Cluster` of ray_executor.py; `plan` may change what a host does with a job.

    plan(host, label) -> "die", "die with a checkpoint", "garble", "stop", or "" for an honest host
    """

    name = "--on ray"

    def __init__(
        self,
        folder: Path,
        nodes: Sequence[Node],
        *,
        free: int | None = None,
        plan: Callable[[FakeHost, str], str] = lambda host, label: "",
    ) -> None:
        self.folder, self.there, self.plan = folder, list(nodes), plan
        self.free = free
        self.hosts: list[FakeHost] = []
        self.killed: list[FakeHost] = []
        self.puts: list[Path] = []
        self.seconds: list[float] = []
        self.refuse: BakeoffError | None = None
        self.no_room = False

    def nodes(self) -> list[dict[str, Any]]:
        return [
            {
                "NodeID": node.key,
                "Alive": True,
                "NodeManagerHostname": node.name,
                "NodeManagerAddress": "",
                "Resources": {"CPU": node.cpus, "GPU": node.gpus},
            }
            for node in self.there
        ]

    def free_cpus(self) -> int:
        taken = sum(host.place.size for host in self.hosts if host.place.device == "cpu")
        total = sum(node.cpus for node in self.there)
        return (total if self.free is None else self.free) - taken

    def require_same_versions(self, there: Sequence[Node]) -> None:
        if self.refuse is not None:
            raise self.refuse

    def start_host(self, place: Place, *, name: str, send_seconds: float) -> FakeHost:
        host = FakeHost(place, name, self.folder / f"host-{len(self.seconds)}")
        host.folder.mkdir(parents=True)
        self.hosts.append(host)
        self.seconds.append(send_seconds)
        return host

    def put(self, path: Path) -> Any:
        self.puts.append(path)
        return np.fromfile(path, np.uint8)

    def call(self, host: FakeHost, method: str, *arguments: Any) -> Any:
        host.asked.append(method)
        if method == "do":
            self._do(host, *arguments)
        return (len(host.asked), host.name, method), host

    def _do(
        self, host: FakeHost, orders: Any, keys: Any, forget: Any, *contents: np.ndarray
    ) -> None:
        for key, content in zip(keys, contents, strict=True):
            assert key not in host.contents
            host.contents[key] = host.folder / key
            content.tofile(host.contents[key])
        for key in forget:  # after the new ones are there, as ray_host.py does it
            host.contents.pop(key).unlink()
        for made in orders:
            label = made.job.label
            host.received.append(label)
            wanted = self.plan(host, label)
            if wanted.startswith("die"):
                if wanted != "die":
                    name = f"{made.keeps[0]}/checkpoint-000001-0.safetensors"
                    host.events.append(("kept", label, {name: host.name.encode()}))
                host.dead = "its node has gone"
                return
            place = host.folder / f"job-{len(host.received)}" / "there" / "study"
            place.mkdir(parents=True)
            away = remote_job.unpack_job(made, place, host.contents.__getitem__)

            def tell(told: object, label: str = label) -> None:
                host.events.append(("epoch", label, told))

            try:
                away.run(tell)
            except RuntimeError as error:
                host.events.append(("failed", label, str(error)))
                continue
            files = remote_job.pack_results(place, made.writes)
            if wanted == "garble":
                files = {name: content + b"?" for name, content in files.items()}
            host.events.append(("done", label, files))

    def wait(self, references: Sequence[Any], seconds: float) -> list[Any]:
        return [] if self.no_room else list(references)

    def get(self, reference: Any) -> Any:
        (_, _, method), host = reference
        if method == "news" and host.events:
            found, host.events = host.events, []
            return found
        if host.dead:
            raise HostDied(host.dead)
        return os.getpid() if method == "hello" else []

    def kill(self, host: FakeHost) -> None:
        self.killed.append(host)
        if host in self.hosts:
            self.hosts.remove(host)
