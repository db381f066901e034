"""What jobs read, in the object store of a cluster: put there once, let go of after the last."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bakeoff.study.executors.interface import MovableJob
from bakeoff.study.executors.travel import Order


class Contents:
    """References to the contents of files, by key; what several jobs read is kept.

    Parameters
    ----------
    jobs : all that are to be done
    put : puts a file's content into the object store and returns a reference to it
    """

    def __init__(self, jobs: Sequence[MovableJob], put: Callable[[Path], Any]) -> None:
        self._uses = Counter(str(path.absolute()) for job in jobs for path in job.reads())
        self._put = put
        self._references: dict[str, Any] = {}

    def shared(self, path: Path) -> bool:
        """Say whether several jobs have yet to read a file."""
        return self._uses[str(path.absolute())] > 1

    def reference(self, key: str, path: Path) -> Any:
        """Return a reference to a content."""
        if key in self._references:
            return self._references[key]
        made = self._put(path)
        if self.shared(path):
            self._references[key] = made
        return made

    def done(self, made: Order) -> list[str]:
        """Take note that a job is done; return the keys that no other one reads."""
        unused = []
        for key in made.files.values():
            path = path_of(key)
            self._uses[path] -= 1
            if self._uses[path] < 1:
                self._references.pop(key, None)
                unused.append(key)
        return unused


class HostContents:
    """Which contents a host has, and by which names.

    A content gets a new name whenever it is sent, since calls of a host may overtake each other: an
    older call never makes it forget what a later one has sent. What may go stays until the host is
    given another job, and is not sent again if that one reads it.

    names : by key
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._unneeded: set[str] = set()
        self._sent = 0

    def take(self, keys: Sequence[str]) -> tuple[list[str], list[str]]:
        """Note that the host needs these; return the keys to send, and the names to forget."""
        forget = [self.names.pop(key) for key in sorted(self._unneeded.difference(keys))]
        self._unneeded = set()
        new = [key for key in keys if key not in self.names]
        for key in new:
            self._sent += 1
            self.names[key] = f"content-{self._sent}"
        return new, forget

    def let_go(self, keys: Sequence[str]) -> None:
        """Note that nobody needs these now."""
        self._unneeded |= self.names.keys() & set(keys)


def path_of(key: str) -> str:
    """Return the path of the file that a key of `travel.order` belongs to."""
    return key.rpartition(" ")[0].rpartition(" ")[0]
