"""Run a command and print what it took: {"seconds", "processor_seconds", "peak_bytes"} as JSON.

In a small process of its own: Linux counts what the parent held at the start as held by the child.
`peak_bytes` is the most that one process held, the command's own or one that it started; outside
Linux, one that it waited for. They are looked at ten times a second.
What the command prints goes to the file that is named first; its exit code becomes this one's.
"""

import json
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

_SECONDS = 0.1  # between two looks at the processes


def main(log: str, command: list[str]) -> int:
    """Run `command`; return its exit code."""
    started = time.monotonic()
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [(os.POSIX_SPAWN_OPEN, 1, log, flags, 0o644), (os.POSIX_SPAWN_DUP2, 1, 2)]
    process = os.posix_spawn(command[0], command, os.environ, file_actions=files)
    held: dict[int, int] = {}
    threading.Thread(target=_look, args=(process, held), daemon=True).start()
    _, status, usage = os.wait4(process, 0)
    seconds = time.monotonic() - started
    scale = 1 if sys.platform == "darwin" else 1024
    took = {
        "seconds": seconds,
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": max([scale * usage.ru_maxrss, *held.values()]),
    }
    sys.stdout.write(json.dumps(took) + "\n")
    return os.waitstatus_to_exitcode(status)


def _look(process: int, held: dict[int, int]) -> None:
    """Write down again and again the most bytes that each process has held."""
    while True:
        for each in _family(process):
            with suppress(OSError, IndexError):  # it has ended
                status = Path(f"/proc/{each}/status").read_text()
                held[each] = 1024 * int(status.split("VmHWM:")[1].split()[0])
        time.sleep(_SECONDS)


def _family(process: int) -> list[int]:
    """Return a process and those that it started, and they; itself where nobody tells."""
    found = [process]
    with suppress(OSError):
        for file in Path(f"/proc/{process}/task").glob("*/children"):
            for child in file.read_text().split():
                found += _family(int(child))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
