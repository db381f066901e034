"""Runs the web application until Ctrl-C: one process, one event loop, on this machine alone."""

import asyncio
import errno
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bakeoff.errors import StudyError, UsageError
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.study_recipe import read_recipe
from bakeoff.utils.user_paths import to_install

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
_LAST_PORT = 65_535
_SETTINGS: dict[str, Any] = {  # of uvicorn
    "ws": "none",
    "log_level": "error",  # hostile requests are no news
    "access_log": False,
    "proxy_headers": False,  # nothing here asks who the client is
    "limit_concurrency": 512,  # connections
    "timeout_keep_alive": 5,  # seconds
    "timeout_graceful_shutdown": 2,
    "server_header": False,
}
_NAME = re.compile(r"[a-z0-9_.-]+|[0-9a-f]*(:[0-9a-f.]*){2,}")  # or an address of IPv6


def serve(
    study: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    names: tuple[str, ...] = (),
    model: str | None = None,
    seed: int | None = None,
    ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve a study; return when interrupted.

    Parameters
    ----------
    host : the address to listen on
    port : 0 for any that is free
    names : further names under which the server may be asked, such as that of a reverse proxy
    ready : called with the address of the first page when the server listens

    Raises
    ------
    UsageError : the extra `serve` is missing, or the port is taken
    StudyError : there is no study
    StorageError : a file of it was changed or is gone
    """
    folder = StudyFolder(study)
    document = folder.read_study()
    try:
        import uvicorn

        from bakeoff.use.serve.app import Served, application
        from bakeoff.use.serve.deadline import DeadlineProtocol
    except ImportError as error:
        raise UsageError(
            f"expected the packages fastapi, uvicorn and httptools, found no {error.name}: "
            f"{to_install('serve')}"
        ) from None
    if model is not None and model not in (models := read_recipe(folder, document).models):
        known = ", ".join(models)
        raise StudyError(f"{folder.path}: expected a model ({known}), found {model!r}")
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"--port: expected a whole number from 0 to {_LAST_PORT:,}, found {port}")
    allowed = {_host_name(each) for each in names}
    served = Served(folder, model=model, seed=seed)
    with _listen(host, port) as listening:
        asyncio.run(served.load())  # what is wrong with the study is told before an address is
        address = f"http://{'localhost' if host in LOCAL else host}:{listening.getsockname()[1]}/"
        app = application(served, hosts=LOCAL | {host.lower()} | allowed)
        config = uvicorn.Config(app, http=DeadlineProtocol, **_SETTINGS)
        ready(address)
        with suppress(KeyboardInterrupt):  # the way to end it
            uvicorn.Server(config).run(sockets=[listening])


def _host_name(given: str) -> str:
    """Return a name under which the server may be asked, as it is compared."""
    name = given.strip().lower()
    if not _NAME.fullmatch(name):
        raise UsageError(
            "--allow-host: expected a host's name without scheme, port and path, as in "
            f"digits.example.org, found {given!r}"
        )
    return name


def _listen(host: str, port: int) -> socket.socket:
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(kind)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        absent = getattr(error, "errno", None) == errno.EADDRNOTAVAIL
        not_here = absent or isinstance(error, socket.gaierror)
        what = "an address of this machine" if not_here else "a free port"
        raise UsageError(
            f"expected {what}, found {host}:{port} refused ({reason}): choose another with "
            f"{'--host' if not_here else '--port'}"
        ) from None
    listening.listen(128)
    return listening
