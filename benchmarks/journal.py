"""What was measured, a line of JSON each, appended whole or not at all.

A line belongs to an identity: the processor, the versions and the code that was measured. Lines
of other identities stay in the file and are not read, so that old and new are never mixed.
"""

import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, Protocol, TypeVar

from bakeoff.storage.atomic import disk

Line = dict[str, Any]


class Case(Protocol):
    """Something to measure that is larger along one axis than what it is compared with."""

    @property
    def axis(self) -> str:
        """What is larger."""

    @property
    def factor(self) -> int:
        """How many times, or how many of it."""


CaseT = TypeVar("CaseT", bound=Case)


class Journal:
    """The lines of one identity in a file that many runs share."""

    def __init__(self, path: Path, *, identity: str) -> None:
        self._path, self.identity = path, identity

    def lines(self, kind: str, **where: Any) -> list[Line]:
        """Return the lines of a kind whose fields are as given, oldest first."""
        wanted = {"kind": kind, "identity": self.identity, **where}
        return [
            line
            for line in self._all()
            if all(line.get(name) == value for name, value in wanted.items())
        ]

    def missing(
        self, kind: str, cases: Iterable[CaseT], *, repeats: int
    ) -> Iterator[tuple[CaseT, Line]]:
        """Yield the cases that lack a line, every repeat in turn, with what tells their lines."""
        for repeat, case in product(range(repeats), tuple(cases)):
            where = {"axis": case.axis, "factor": case.factor, "repeat": repeat}
            if not self.lines(kind, **where):
                yield case, where

    def append(self, kind: str, **fields: Any) -> None:
        """Add a line; it is on the disk when this returns."""
        now = datetime.now(UTC).isoformat("T", "seconds")
        line = {"kind": kind, "identity": self.identity, "at": now, **fields}
        content = json.dumps(line, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        with disk(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.truncate(self._whole())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())

    def _whole(self) -> int:
        """Return how many bytes are whole lines: a killed run may have left half a one."""
        content = self._path.read_bytes()
        return content.rfind(b"\n") + 1

    def _all(self) -> Iterator[Line]:
        if not self._path.exists():
            return
        content = self._path.read_bytes()[: self._whole()]
        for line in content.splitlines():
            yield json.loads(line)
