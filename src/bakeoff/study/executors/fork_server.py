"""The fork server that workers come from: started with an environment that changes no network.

It has imported Keras and JAX. What the user's environment says to them, to matplotlib and to the
libraries of linear algebra is not passed on, and the user's script is not run again in a worker.
"""

import multiprocessing as mp
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, resource_tracker
from typing import Any

from bakeoff.errors import BakeoffError, StorageError, StudyError
from bakeoff.utils.machine import open_standard_streams
from bakeoff.utils.text import duration

WORKER = "bakeoff-worker"
_IMPORTED = ("bakeoff.study.executors.preloaded",)
_SET = {
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "VECLIB_MAXIMUM_THREADS": "1",  # NumPy's on macOS
    "MPLBACKEND": "agg",  # a notebook's own is not there for another Python
    "PYTHONSAFEPATH": "1",
}
# Feature maps in pages of 2 MiB, where Linux gives them to whoever asks: a tenth of the time of
# networks whose step does not fit the caches.
TUNABLES, LARGE_PAGES = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"
_NOT_PASSED_ON = ("JAX_", "XLA_FLAGS", "KERAS_BACKEND", "KERAS_NNX")
_PATIENCE = 600.0  # seconds for the imports; on a busy machine with a slow disk they take a minute
_LONGEST = 60  # characters of a folder for sockets, whose whole names may have about 100
_lock = threading.RLock()  # of what is changed for a moment: os.environ, __main__, tempfile
_owner: list[int] = []  # the process that started the fork server
_asked: list[int] = []  # fork servers that were asked for a worker


def start_process(target: Callable[..., None], arguments: tuple[Any, ...]) -> Any:
    """Start a worker process that runs `target`; BakeoffError where none can be started."""
    context = mp.get_context("forkserver")
    process = context.Process(target=target, args=arguments, daemon=True, name=WORKER)
    with _lock:
        warm_up()
        with _answering(_PATIENCE), _hidden_main(), _known_method():
            process.start()
        _asked[:] = [_server()]
    return process


@contextmanager
def _answering(seconds: float) -> Iterator[None]:
    """Raise BakeoffError where the fork server ends inside, or does not answer for so long."""
    silent = threading.Event()

    def end() -> None:
        silent.set()
        _kill_server()

    watch = threading.Timer(seconds, end)
    watch.daemon = True
    watch.start()
    try:
        yield
    except (EOFError, ConnectionError) as error:
        found = (
            f"none for {duration(seconds)}: see whether the disk with Python's packages answers"
            if silent.is_set()
            else "that they end at once: what they said stands above; without a word, memory was "
            "probably short"
        )
        raise BakeoffError(
            f"expected worker processes that import Keras and JAX, found {found}"
        ) from error
    finally:
        watch.cancel()


def _server() -> Any:
    """Return the fork server's process; None where none was started."""
    return forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]


def _kill_server() -> None:
    server = _server()
    if server is not None:
        with suppress(ProcessLookupError):
            os.kill(server, signal.SIGKILL)


def warm_up() -> None:
    """Start the fork server, unless it runs, and let it import Keras and JAX meanwhile."""
    with _lock:
        _require_own_server()
        open_standard_streams()
        mp.get_context("forkserver").set_forkserver_preload(list(_IMPORTED))
        with _hidden_main(), _environment(), _deaf_to_ctrl_c(), _short_names():
            forkserver.ensure_running()


@contextmanager
def begun_early(*, wanted: bool) -> Iterator[None]:
    """Have the fork server import Keras and JAX while the block finds out what there is to do.

    It ends with the block where nobody has asked it for a worker: thirty recipes refused in a row
    would leave thirty processes that import Keras.
    """
    before = _server()
    if wanted:
        warm_up()
    try:
        yield
    finally:
        if _server() not in (None, before, *_asked):
            _kill_server()


def _require_own_server() -> None:
    """Refuse to go on in a process that was forked from one that has a fork server."""
    if _owner and _owner[0] != os.getpid():
        raise StudyError(
            "expected the process that ran a study before, or a new one, found one forked from "
            "it: run the study there, or start this process with multiprocessing's spawn method"
        )
    _owner[:] = [os.getpid()]


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
def _known_method() -> Iterator[None]:
    """Tell a worker of a start method that it knows: in joblib's, as of n_jobs=2, it is "loky"."""
    before = mp.get_start_method(allow_none=True)
    if before in (None, *mp.get_all_start_methods()):
        yield
        return
    mp.set_start_method("forkserver", force=True)
    try:
        yield
    finally:
        mp.set_start_method(before, force=True)


@contextmanager
def _environment() -> Iterator[None]:
    """Let the fork server import its libraries with one thread each: it must be able to fork.

    And never from the folder it is started in, as Python's -c would: that may be a study received
    from somebody, with a socket.py in it. What would change networks in silence is left out.
    """
    kept = dict(os.environ)
    left_out = [name for name in kept if name.startswith(_NOT_PASSED_ON)]
    try:
        for name in left_out:
            del os.environ[name]
        os.environ.update(_SET)
        own = [kept[TUNABLES]] if TUNABLES in kept else []  # of two settings the last one counts
        os.environ[TUNABLES] = ":".join([LARGE_PAGES, *own])
        yield
    finally:
        for name in (*left_out, *_SET, TUNABLES):
            if name in kept:
                os.environ[name] = kept[name]
            else:
                del os.environ[name]


@contextmanager
def _short_names() -> Iterator[None]:
    """Let the server's socket lie where its name is short enough, whatever TMPDIR says."""
    before = tempfile.tempdir
    try:
        place = tempfile.gettempdir()
        if len(os.fsencode(place)) > _LONGEST:
            tempfile.tempdir = short_folder(place, longest=_LONGEST)
        yield
    finally:
        tempfile.tempdir = before


def short_folder(found: str, *, longest: int) -> str:
    """Return a folder for sockets in place of `found`, whose name is too long; or StorageError."""
    for place in ("/tmp", "/var/tmp", "/dev/shm"):
        if os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK):
            return place
    raise StorageError(
        f"{found}: expected a folder for temporary files with a name of at most {longest} "
        "characters, found a longer one: set TMPDIR to another"
    )


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let the fork server, and so every worker, begin with Ctrl-C blocked: it is the parent's."""
    resource_tracker.ensure_running()  # the fork server does it first, and that unblocks Ctrl-C
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
