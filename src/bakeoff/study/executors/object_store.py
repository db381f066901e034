"""Files that jobs read, in a cluster's object store: put there once, released after the last."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bakeoff.study.executors.interface import Lost, More, MovableJob
from bakeoff.study.executors.remote_job import RemoteJob, path_of


class Contents:
    """References to files in the object store, by key; those that several jobs read are kept.

    Parameters
    ----------
    jobs : those that are to be done
    put : puts a file's content into the object store and returns a reference to it
    """

    def __init__(self, jobs: Sequence[MovableJob], put: Callable[[Path], Any]) -> None:
        self._uses: Counter[str] = Counter()
        self._put = put
        self._references: dict[str, Any] = {}
        self._count(jobs)

    def counting(self, more: More) -> More:
        """Return a source of further jobs like `more`, whose jobs are to be done, too."""

        def counted(label: str, lost: Lost | None) -> Sequence[MovableJob]:
            jobs = more(label, lost)
            self._count(jobs)
            return jobs

        return counted

    def _count(self, jobs: Sequence[MovableJob]) -> None:
        self._uses.update(str(path.absolute()) for job in jobs for path in job.reads())

    def shared(self, path: Path) -> bool:
        """Say whether several jobs that are not done yet read a file."""
        return self._uses[str(path.absolute())] > 1

    def reference(self, key: str, path: Path) -> Any:
        """Return a reference to a file; one that several jobs read is put into the store once."""
        if key in self._references:
            return self._references[key]
        made = self._put(path)
        if self.shared(path):
            self._references[key] = made
        return made

    def done(self, made: RemoteJob) -> list[str]:
        """Note that a job is done; return the keys of the files that no other job reads."""
        unused = []
        for key in made.files.values():
            path = path_of(key)
            self._uses[path] -= 1
            if self._uses[path] < 1:
                self._references.pop(key, None)
                unused.append(key)
        return unused


class HostContents:
    """Which files a host has, and by which names.

    A file gets a new name whenever it is sent, since calls of a host may overtake each other: an
    older call never makes it forget what a later one has sent. A file that is no longer needed
    stays until the host is given another job, and is not sent again if that job reads it.

    names : by key
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._unneeded: set[str] = set()
        self._sent = 0

    def take(self, keys: Sequence[str]) -> tuple[list[str], list[str]]:
        """Note that the host needs these keys; return those to send, and the names to forget."""
        forget = [self.names.pop(key) for key in sorted(self._unneeded.difference(keys))]
        self._unneeded = set()
        new = [key for key in keys if key not in self.names]
        for key in new:
            self._sent += 1
            self.names[key] = f"content-{self._sent}"
        return new, forget

    def let_go(self, keys: Sequence[str]) -> None:
        """Note that no job needs these keys now."""
        self._unneeded |= self.names.keys() & set(keys)
