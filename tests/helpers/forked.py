"""Processes forked from one that has imported Keras and JAX, instead of started: seconds less each.

What is forked behaves as what is started, but for its imports, and its reports have no figures;
tests of those start Python.
"""

import multiprocessing as mp
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing import util
from pathlib import Path
from typing import Any

from bakeoff.study.executors import fork_server
from tests.helpers.undrawn import leave_figures_out


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


def command(line: str, *, folder: Path, output: Path, seconds: float = 300) -> tuple[int, str, str]:
    """Carry a command line of `bakeoff` out in a folder: (exit code, standard output, error)."""
    process = begin(line, folder=folder, output=output)
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
    said = (each.read_text(encoding="utf-8") for each in (output, errors_of(output)))
    return process.exitcode, *said


def begin(line: str, *, folder: Path, output: Path) -> Any:
    """Begin a command line of `bakeoff` in a folder, and return its process.

    output : a file for the standard output; one beside it has the errors
    """
    program, *words = shlex.split(line)
    if program != "bakeoff":
        raise ValueError(f"expected a command line of bakeoff, found {line}")
    return start(_command, (words, folder, errors_of(output)), output=output)


def errors_of(output: Path) -> Path:
    """Return the file beside that of the standard output."""
    return output.with_name(f"{output.name}.errors")


def _command(words: Sequence[str], folder: Path, errors: Path) -> None:
    os.chdir(folder)
    command_line(words, errors=errors)


def command_line(words: Sequence[str], *, errors: Path) -> None:
    """Be a command of `bakeoff`, in a process that was started so; its errors go into a file."""
    from bakeoff.cli import main

    redirect(2, errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    raise SystemExit(main(list(words)))


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
    leave_figures_out()
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
