"""Carries out commands in forked processes and tells what they did; tests start it.

Reads [{"name", "folder", "words", "environment"}, …] as JSON from standard input; prints a line of
JSON for each; imports what its arguments name beforehand, to spare time. Time and memory are those
of the child alone, whose Python has begun and whose modules are imported, as far as a command that
refuses needs them.
"""

import gc
import json
import os
import resource
import signal
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

SOURCE = Path(__file__).parents[3] / "src"
TIME_LIMIT = 60  # seconds after which the system ends the child
MORE_MEMORY = 1 << 30  # bytes of address space that the child may take
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
STARTED = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "os.system")
CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate")


def main() -> None:
    """Do all of it."""
    import_what_commands_import()
    for name in sys.argv[1:]:
        import_module(name)
    gc.freeze()  # so that no fork looks through all this for garbage
    for each in json.load(sys.stdin):
        sys.stdout.write(json.dumps(carry_out(**each)) + "\n")
        sys.stdout.flush()


def import_what_commands_import() -> None:
    """Import what `run` imports before it has data, and what comparing does."""
    import PIL.Image
    import PIL.JpegImagePlugin
    import PIL.PngImagePlugin
    import platformdirs.unix
    import rich.table
    import scipy.linalg
    import typer._adapters

    import bakeoff.cli
    import bakeoff.cli.look
    import bakeoff.data.download
    import bakeoff.data.folders.folder
    import bakeoff.data.formats.npz
    import bakeoff.data.named
    import bakeoff.data.published
    import bakeoff.recipe.recipe_text
    import bakeoff.report.terminal
    import bakeoff.study.executors.fork_server
    import bakeoff.study.planning.plan
    import bakeoff.study.progress.terminal_progress
    import bakeoff.study.run
    import bakeoff.study.status
    import bakeoff.study.verify
    import bakeoff.utils.lean_scipy

    assert platformdirs.unix and scipy.linalg and typer._adapters
    assert rich.table and PIL.PngImagePlugin and PIL.JpegImagePlugin and PIL.Image
    assert bakeoff.study.verify and bakeoff.utils.lean_scipy and bakeoff.cli.command_line()
    # `run` begins its workers' server before it looks at anything, and ends it where it refuses:
    # see test_fork_server.py. Any other start of it is a deed of the case.
    bakeoff.study.executors.fork_server.warm_up = lambda: None


def carry_out(
    name: str, folder: str, words: list[str], environment: dict[str, str]
) -> dict[str, Any]:
    """Carry out one command in `folder`; return how it ended and what it did."""
    before = tree(folder)
    read, write = os.pipe()
    started = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        _child(folder, words, environment, write)
    os.close(write)
    with os.fdopen(read) as pipe:
        seen = pipe.read()
    _, status, usage = os.wait4(pid, 0)
    return {
        "name": name,
        "code": os.waitstatus_to_exitcode(status),
        "wall": time.perf_counter() - started,
        "cpu": usage.ru_utime + usage.ru_stime,
        "mib": usage.ru_maxrss / 1024,
        "deeds": sorted(set(seen.splitlines())),
        "changed": sorted(set(tree(folder).items()) ^ set(before.items())),
        "out": (Path(folder).parent / "out").read_text(errors="replace"),
        "err": (Path(folder).parent / "err").read_text(errors="replace"),
    }


def tree(folder: str) -> dict[str, str]:
    """Return name: inode, size and time of everything in a folder."""
    found = {}
    for place, folders, files in os.walk(folder):
        for each in folders + files:
            path = os.path.join(place, each)
            status = os.lstat(path)
            found[path] = f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"
    return found


def _child(folder: str, words: list[str], environment: dict[str, str], pipe: int) -> None:
    code = 70
    try:
        os.environ.update(environment)
        os.chdir(folder)
        for number, name in ((0, os.devnull), (1, "../out"), (2, "../err")):
            file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(file, number)
            os.close(file)
        signal.alarm(TIME_LIMIT)
        room = _address_space() + MORE_MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.addaudithook(lambda event, args: _look(event, args, pipe))
        from bakeoff.cli import main

        code = main(words)
        sys.stdout.flush()
    except BaseException as error:
        os.write(2, f"batch: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code)


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _look(event: str, args: tuple[Any, ...], pipe: int) -> None:
    deed = ""
    if event == "open":
        path, _, flags = args
        if isinstance(flags, int) and flags & WRITING and path != os.devnull:
            deed = f"open for writing {path}"
    elif event.startswith("socket.") and event != "socket.gethostname":
        deed = event
    elif event in STARTED or event in CHANGES:
        deed = f"{event} {args[0] if args else ''}"
    elif event == "exec" and not _is_ours(args[0]):
        deed = f"runs {getattr(args[0], 'co_filename', args[0])}"
    if deed:
        os.write(pipe, f"{deed!r}\n".encode())


def _is_ours(code: Any) -> bool:
    """Say whether code is a module's that is installed: modules are imported late."""
    file = getattr(code, "co_filename", "")
    libraries = str(Path(np.__file__).parents[1])  # elsewhere, where environments share them
    places = (sys.prefix, sys.base_prefix, libraries, str(SOURCE), "<frozen")
    return file.startswith(places) or file in ("<string>", "<attrs>", "<lambdifygenerated-1>")


if __name__ == "__main__":
    main()
