"""Every error Bakeoff raises on purpose. Each message is one line: expected, found, what to do.

BakeoffError                  exit code 1: something failed while running
├── UsageError                exit code 2: what the user gave is wrong
│   ├── RecipeError           a recipe: unknown key, wrong type, impossible shape
│   ├── DataError             a data set: unknown, absent, broken
│   │   └── ChecksumMismatch  a file that is not the one its name promises
│   └── StudyError            a study folder: not one, or asked for something it must refuse
├── StorageError              the disk: full, read-only, broken
│   └── DamagedFile           exit code 2: a study's file that is not what was written
├── TrialLost                 trials that could not be finished, by name
└── Interrupted               exit code 130: Ctrl-C
"""

import os
import traceback


class BakeoffError(Exception):
    """Base of all; `exit_code` is what the command line ends with."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(printable(" ".join(message.split())))

    def _render_traceback_(self) -> list[str]:
        """Show IPython, and so every notebook, the one line and no traceback."""
        if os.environ.get("BAKEOFF_DEBUG"):
            return traceback.format_exception(self)
        return [f"{type(self).__name__}: {self}"]


class UsageError(BakeoffError):
    """What the user gave is wrong."""

    exit_code = 2


class RecipeError(UsageError):
    """A recipe cannot be used as it is written."""


class DataError(UsageError):
    """A data set is unknown, absent or broken."""


class ChecksumMismatch(DataError):
    """A file's content is not what its name promises."""


class StudyError(UsageError):
    """A study folder is not one, or was asked for something it must refuse."""


class StorageError(BakeoffError):
    """The disk failed."""


class DamagedFile(StorageError):
    """A file of a study is gone, or not what was written: the study that was given is broken."""

    exit_code = 2


class TrialLost(BakeoffError):
    """Trials that could not be finished; the message names them."""


class Interrupted(BakeoffError):
    """The user pressed Ctrl-C; the message says how to go on."""

    exit_code = 130


class StudyInterrupted(KeyboardInterrupt):
    """Ctrl-C, or a notebook's stop, while a study was carried out from Python."""

    def _render_traceback_(self) -> list[str]:
        """Show a notebook the one line and no traceback."""
        return [str(self)]


def printable(text: str) -> str:
    """Escape what could move a terminal's cursor or turn its text: names come from strangers."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )
