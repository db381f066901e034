"""Processes forked from one that has imported Keras and JAX, instead of started: seconds less each.

What is forked behaves as what is started, but for its imports; tests of those start Python.
"""

import multiprocessing as mp
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing import util
from pathlib import Path
from typing import Any

from bakeoff.study.executors import fork_server


def start(target: Callable[..., None], arguments: tuple[Any, ...], *, output: Path) -> Any:
    """Start a process that calls `target` as a program of its own, and return it.

    It has this process's environment, leads a session, writes its standard output into a file, and
    may run studies; its fork server, forked from it, is of its session. `target` is a module's.
    """
    context = mp.get_context("forkserver")
    given = (target, arguments, output, dict(os.environ))
    process = context.Process(target=_begin, args=given, daemon=False)
    fork_server.warm_up()
    with fork_server._hidden_main():
        process.start()
    return process


def _begin(
    target: Callable[..., None],
    arguments: tuple[Any, ...],
    output: Path,
    environment: Mapping[str, str],
) -> None:
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    redirect(1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    fork_instead_of_spawning()
    target(*arguments)


def redirect(number: int, path: Path, flags: int) -> None:
    """Let a file descriptor be that of a file."""
    file = os.open(path, flags, 0o600)
    os.dup2(file, number)
    os.close(file)


def fork_instead_of_spawning() -> None:
    """Let multiprocessing fork its fork server instead of starting Python and importing anew."""

    def fork_passing(path: Any, args: Sequence[Any], passed: Sequence[int]) -> int:
        code = os.fsdecode(args[-1])
        pid = os.fork()
        if pid:
            return pid
        try:
            kept = {0, 1, 2, *passed}
            for name in os.listdir("/proc/self/fd"):
                if int(name) not in kept:
                    with suppress(OSError):
                        os.close(int(name))
            exec(code, {"__name__": "__main__"})
        finally:
            os._exit(0)

    vars(util)["spawnv_passfds"] = fork_passing
