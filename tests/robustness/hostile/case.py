"""A hostile case: how its files are made and how it must be refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Make = Callable[[Path], list[str]]


@dataclass(frozen=True)
class Case:
    """One hostile input.

    make : writes files into an empty folder, where the command will run; returns its words
    says : parts of the one line that says why: the file, and the reason
    code : 2, for what is given is wrong; 1 where it is `verify` that finds so
    said : where: on standard error; on standard output by `verify`, whose business it is
    printed : something else may stand on standard output
    """

    name: str
    make: Make
    says: tuple[str, ...]
    code: int = 2
    said: str = "err"
    printed: bool = False
    environment: dict[str, str] = field(default_factory=dict)
