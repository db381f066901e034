"""Run a command and print what it took: {"seconds", "processor_seconds", "peak_bytes"} as JSON.

In a small process of its own: Linux counts what the parent held at the start as held by the child.
What the command prints goes to the file that is named first; its exit code becomes this one's.
"""

import json
import os
import sys
import time


def main(log: str, command: list[str]) -> int:
    """Run `command`; return its exit code."""
    started = time.monotonic()
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [(os.POSIX_SPAWN_OPEN, 1, log, flags, 0o644), (os.POSIX_SPAWN_DUP2, 1, 2)]
    process = os.posix_spawn(command[0], command, os.environ, file_actions=files)
    _, status, usage = os.wait4(process, 0)
    seconds = time.monotonic() - started
    scale = 1 if sys.platform == "darwin" else 1024
    took = {
        "seconds": seconds,
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": scale * usage.ru_maxrss,
    }
    sys.stdout.write(json.dumps(took) + "\n")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
