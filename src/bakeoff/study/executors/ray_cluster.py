"""Everything that is asked of Ray, and its errors in a line; nothing else imports it.

No statistics are sent and no dashboard is started by a Ray that Bakeoff starts.
"""

import logging
import os
import re
import shutil
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.errors import BakeoffError, StorageError, StudyError, UsageError
from bakeoff.study.environment import environment
from bakeoff.study.executors.fork_server import short_folder
from bakeoff.study.executors.ray_alive import (
    PATIENCE_SECONDS,
    Vitals,
    gone,
    require_head,
    require_listening,
)
from bakeoff.study.executors.ray_executor import HostDied
from bakeoff.study.executors.ray_host import Host, look_around
from bakeoff.study.executors.ray_places import Node, Place
from bakeoff.study.executors.worker_count import worker_count
from bakeoff.utils.user_paths import to_install

LOCAL = "ray"
_HEAD = "ray://"
_SURVEY_SECONDS = 60.0
_OWN_PATIENCE_SECONDS = 2.0  # with the head of a Ray that is started here: nobody starts it again
_LONGEST = 36  # bytes of a folder for /ray/session_DATE_NUMBERS/sockets/NAME, which may have 107
_ROOM = 8 << 20  # bytes that a session of Ray needs at the least
_SETTINGS = {  # read by Ray when it is imported, and by a Ray that is started here
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_worker_niceness": "0",  # as local workers; Ray's own is 15
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_IMPORT_WARNINGS": "0",
}
_PACKAGES = ("keras", "jax", "jaxlib", "numpy")  # which change results


def require_place(on: str) -> None:
    """Refuse what --on does not take."""
    if on != LOCAL and not re.fullmatch(r"ray://[^\s/:]+:\d{1,5}", str(on)):
        raise UsageError(f"--on: expected ray or ray://HOST:PORT, found {on!r}")


@contextmanager
def connected(on: str, *, workers: int | None) -> Iterator["RayCluster"]:
    """Connect to a cluster: the one that `on` or RAY_ADDRESS names, or one started on this machine.

    workers : CPUs of one that is started here; all cores by default

    Raises
    ------
    UsageError : Ray is not installed, or not of the cluster's version
    StudyError : no cluster answers there
    """
    require_place(on)
    size = worker_count(workers, "cpu")
    address = on if on != LOCAL else os.environ.get("RAY_ADDRESS") or "local"
    name = f"--on {on}" if address in (on, "local") else f"RAY_ADDRESS={address}"
    if address.startswith(_HEAD):
        _show_token()
    ray = _imported()
    _require_there(address, name)
    here: dict[str, Any] = {}
    if address == "local":
        here = {"num_cpus": size, "include_dashboard": False, "_temp_dir": _place()}
    try:
        with _own_signals(), _silent(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(
                address,
                log_to_driver=False,
                configure_logging=False,
                ignore_reinit_error=True,
                **here,
            )
    except Exception as error:
        raise _in_words(error, name, started=here.get("_temp_dir")) from error
    vitals = _vitals(ray, patience=_OWN_PATIENCE_SECONDS if here else PATIENCE_SECONDS)
    try:
        yield RayCluster(ray, name, vitals)
    finally:
        with suppress(Exception), _own_signals(), _silent() if vitals.missing() else nullcontext():
            ray.shutdown()
        vitals.close()


def _place() -> str:
    """Return where a Ray that is started here keeps its session: in it are sockets."""
    place = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
    if len(os.fsencode(place)) > _LONGEST:
        place = short_folder(place, longest=_LONGEST)
    with suppress(OSError):  # Ray would look for its own file for half a minute
        if shutil.disk_usage(place).free < _ROOM:
            raise StorageError(
                f"{place}: no space left for the Ray that --on ray starts here: free some, or name "
                "another folder in RAY_TMPDIR"
            )
    return os.path.join(place, "ray")


def _vitals(ray: Any, *, patience: float) -> Vitals:
    """Return what to look at from now on; nothing with Ray's client, which says when it is cut."""
    node = getattr(ray._private.worker, "_global_node", None)
    raylet, head = getattr(node, "raylet_socket_name", None), getattr(node, "gcs_address", None)
    return Vitals(raylet, head, patience=patience)


def _imported() -> Any:
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import ray
            import ray.util.scheduling_strategies
    except ImportError as error:
        raise UsageError(
            "--on: expected Ray, found none: install Bakeoff with its ray extra "
            f"({to_install('ray')})"
        ) from error
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    # what raylets say when they die: pages, which log_to_driver=False does not keep away
    ray._private.worker.print_to_stdstream = lambda *_, **__: None
    return ray


def _show_token() -> None:
    """Let Ray's client show the cluster's token where there is one: it does not look for it.

    Not without the client: then this process is a part of the cluster, and has to be set up alike.
    """
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path("~/.ray/auth_token").expanduser())
    if os.environ.get("RAY_AUTH_TOKEN") or file.is_file():
        os.environ.setdefault("RAY_AUTH_MODE", "token")


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep Ray from taking SIGTERM: it ends a run here as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep Ray's core from standard error while it connects: what it says is in its error, too."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _require_there(address: str, name: str) -> None:
    place = address.removeprefix(_HEAD)
    if not place.rpartition(":")[2].isdecimal():  # "local", "auto"
        return
    require_listening(place, name)
    if place == address:
        with _silent():
            require_head(place, name)


def _in_words(error: Exception, name: str, *, started: str | None = None) -> BakeoffError:
    """Return what to say of a connection that failed.

    started : the folder of a Ray that was to be started here, if one was
    """
    text = str(error)
    versions = re.findall(r"(Ray|Python): (\S+)", text)
    if "was started with" in text and len(versions) == 4:
        there, here = (" and ".join(map(" ".join, pair)) for pair in (versions[:2], versions[2:]))
        return StudyError(
            f"{name}: expected {there}, which the cluster has, found {here} here: install "
            "the same versions"
        )
    line = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    if started is not None:
        return StudyError(
            f"{name}: expected a Ray that starts on this machine, found none ({line}): see what it "
            f"wrote in {started}/session_latest/logs, or leave --on out: the same workers train"
        )
    return StudyError(
        f"{name}: expected a Ray cluster, found none that answers ({line}): see whether it runs, "
        "and whether RAY_AUTH_MODE and RAY_AUTH_TOKEN are set here as there"
    )


class RayCluster:
    """A cluster that this process is connected to: the `Cluster` of ray_executor.py."""

    def __init__(self, ray: Any, name: str, vitals: Vitals) -> None:
        self._ray, self.name, self._vitals = ray, name, vitals
        self._host = ray.remote(Host)

    @contextmanager
    def _there(self) -> Iterator[None]:
        """Ask Ray only while its processes live, which else ends this one; raise BakeoffError."""
        self._vitals.require(self.name)
        try:
            yield
        except Exception as error:
            if missing := self._vitals.missing():
                raise gone(self.name, missing) from error
            if isinstance(error, ConnectionError):  # of Ray's client
                raise gone(self.name, "the connection to it was cut") from error
            raise

    def nodes(self) -> list[dict[str, Any]]:
        """Return Ray's table of its nodes."""
        with self._there():
            return list(self._ray.nodes())

    def free_cpus(self) -> int:
        """Return how many CPUs nobody has taken."""
        with self._there():
            return int(self._ray.available_resources().get("CPU", 0))

    def survey(self, there: Sequence[Node], *, measure: bool) -> dict[str, dict[str, Any]]:
        """Return versions and processor of every node that answers, by its key.

        Raises StudyError where Bakeoff cannot be imported.
        """
        look = self._ray.remote(look_around)
        asked = {
            node.key: look.options(
                num_cpus=0, max_retries=0, scheduling_strategy=self._on(node)
            ).remote(measure=measure)
            for node in there
        }
        found = {}
        for node in there:
            if not self._within(asked[node.key], _SURVEY_SECONDS):
                continue
            try:
                with self._there():
                    found[node.key] = self._ray.get(asked[node.key])
            except self._ray.exceptions.RayError as error:
                if "No module named 'bakeoff'" in str(error):
                    raise StudyError(
                        f"{self.name}: expected Bakeoff on every node, found none on "
                        f"{node.name}: install it there, with the same Python"
                    ) from error
        return found

    def _within(self, reference: Any, seconds: float) -> bool:
        """Return whether there is a result in time; Ray would wait on where a cluster has gone."""
        end = time.monotonic() + seconds
        while not self.wait([reference], 1.0):
            if time.monotonic() > end:
                return False
        return True

    def require_same_versions(self, there: Sequence[Node]) -> None:
        """Raise StudyError if a node has another Python or Bakeoff than this process."""
        here = environment("cpu")
        for node in there:
            self._require_same(node, self.survey([node], measure=False).get(node.key), here)

    def _require_same(self, node: Node, found: dict[str, Any] | None, here: dict[str, Any]) -> None:
        if found is None:  # it has gone again
            return
        wanted = {"bakeoff": here["bakeoff"], "python": _minor(here["python"])}
        has = {"bakeoff": found["bakeoff"], "python": _minor(found["python"])}
        wanted |= {name: here[name] for name in _PACKAGES}
        has |= {name: found[name] for name in _PACKAGES}
        for name, version in wanted.items():
            if has[name] != version:
                raise StudyError(
                    f"{self.name}: expected {name} {version} on every node, as here, found "
                    f"{name} {has[name]} on {node.name}: install the same version"
                )

    def start_host(self, place: Place, *, name: str, send_seconds: float) -> Any:
        """Ask for a host and return its handle; it may have to wait for room."""
        options: dict[str, Any] = {
            "num_cpus": 1 if place.device == "gpu" else place.size,
            "num_gpus": 1 if place.device == "gpu" else 0,
            "max_concurrency": place.size + 4,
            "max_restarts": 0,
        }
        if place.node is not None:
            options["scheduling_strategy"] = self._on(place.node)
        made = self._host.options(**options)
        with self._there():
            return made.remote(name, place.size, place.device, send_seconds)

    def _on(self, node: Node) -> Any:
        strategies = self._ray.util.scheduling_strategies
        return strategies.NodeAffinitySchedulingStrategy(node_id=node.key, soft=False)

    def put(self, path: Path) -> Any:
        """Put a file's content into the object store and return a reference to it."""
        try:
            with self._there():
                return self._ray.put(np.fromfile(path, np.uint8))
        except (self._ray.exceptions.OutOfDiskError, self._ray.exceptions.ObjectStoreFullError):
            raise StorageError(
                f"{path}: expected room for it in Ray's object store, found none: free some memory "
                "or disk on this machine, or give the store more (ray start --object-store-memory)"
            ) from None

    def call(self, host: Any, method: str, *arguments: Any) -> Any:
        """Call a host's method and return a reference to its result."""
        with self._there():
            return getattr(host, method).remote(*arguments)

    def wait(self, references: Sequence[Any], seconds: float) -> list[Any]:
        """Return the references whose results are there; wait for the first of them."""
        if not references:
            threading.Event().wait(seconds)
            return []
        with self._there():
            found, rest = self._ray.wait(list(references), num_returns=1, timeout=seconds)
            if found and rest:
                more, _ = self._ray.wait(rest, num_returns=len(rest), timeout=0)
                found = [*found, *more]
        return list(found)

    def get(self, reference: Any) -> Any:
        """Return a result; raise HostDied."""
        try:
            with self._there():
                return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise BakeoffError(f"a host failed: {error.cause}") from error
        except self._ray.exceptions.RayError as error:
            raise HostDied(_why(error)) from error

    def kill(self, host: Any) -> None:
        """End a host."""
        with suppress(Exception), self._there():
            self._ray.kill(host)


def _why(error: Exception) -> str:
    """Return the telling part of Ray's many lines about a death."""
    text = " ".join(str(error).split())
    for known, words in (
        ("node was terminated", "its node has gone"),
        ("node has been marked dead", "its node has gone"),
        ("node died", "its node has gone"),
        ("out of memory", "its node was out of memory"),
        ("OOM", "its node was out of memory"),
    ):
        if known.lower() in text.lower():
            return words
    return "its process has ended"


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
