"""Standard output and standard error: open, whatever signs are printed, and dropped at the end."""

import codecs
import os
import sys
from contextlib import suppress

from bakeoff.utils.machine import open_standard_streams

SPELLED = "bakeoff-spelled"  # what a stream does with signs that its encoding lacks
_SPELLINGS = {
    "−": "-",
    "–": "-",
    "▲": "better",
    "▼": "worse",
    "≈": "~",
    "→": "->",
    "…": "...",
    "×": "x",
    "≥": ">=",
    "≤": "<=",
    "’": "'",
    "·": ".",
    "±": "+-",
}


def prepare_streams() -> None:
    """Make the two streams take whatever is printed, also where they are closed or plain ASCII."""
    open_standard_streams()
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=SPELLED)


def drop_output() -> None:
    """Let what is still to be written go nowhere, so that Python does not try again at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _spelled(error: UnicodeError) -> tuple[str | bytes, int]:
    """Spell the signs that an encoding lacks: "?" would stand for another verdict."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_SPELLINGS.get(each, "?") for each in lost), error.end


codecs.register_error(SPELLED, _spelled)
