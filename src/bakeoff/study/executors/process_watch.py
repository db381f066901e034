"""A process seen from outside: when it last did something, and whether its memory is small."""

import os
import time
from pathlib import Path


class Progress:
    """When a process last did something: sent a message, or used processor time."""

    def __init__(self, process: int | None) -> None:
        self._stat = Path(f"/proc/{process}/stat")
        self.named = False
        self._used = -1
        self.made(time.monotonic())

    def made(self, now: float) -> None:
        """Take note that it did something."""
        self._last, self.named = now, False

    def seconds_without(self, now: float) -> float:
        """Return for how long it has done nothing; 0 where the system does not tell."""
        try:
            fields = self._stat.read_text(encoding="latin-1").rpartition(")")[2].split()
            used = int(fields[11]) + int(fields[12])
        except (OSError, ValueError, IndexError):
            return 0.0
        if used != self._used:
            self._used = used
            self.made(now)
        return now - self._last


def holds_less_than(most: int, process: int | None) -> bool:
    """Say whether a process holds less than `most` bytes of memory; no, where nobody tells.

    Pages of files, the images and the libraries, are left out: all processes share them.
    """
    try:
        fields = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
        pages = int(fields[1]) - int(fields[2])
    except (OSError, ValueError, IndexError):
        return False
    return pages * os.sysconf("SC_PAGE_SIZE") < most
