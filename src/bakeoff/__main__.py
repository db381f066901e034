"""`python -m bakeoff` is `bakeoff`; Ctrl-C is one line and exit code 130, at every moment.

It reads names of files as UTF-8, whatever the locale: they are the names of classes, and a study
goes on from another terminal. What it prints is in the encoding of the terminal all the same.
"""

import os
import sys
from contextlib import suppress

_INTERRUPTED = 130
_STREAMS = "BAKEOFF_STREAMS"  # the encoding of the terminal, told to the second start


def start() -> int:
    """Carry out the command line of this process and return its exit code."""
    try:
        _read_names_as_utf8()
        from bakeoff.cli import main
    except KeyboardInterrupt:
        sys.stderr.write("bakeoff: interrupted\n")
        return _INTERRUPTED
    code = main()
    if code == _INTERRUPTED:  # all is closed; XLA, interrupted while it compiles, crashes at exit
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    return code


def _read_names_as_utf8() -> None:
    """Start this program again in Python's UTF-8 mode, once, where names are read otherwise."""
    streams = os.environ.pop(_STREAMS, None)
    if streams is not None:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(encoding=streams)
    elif sys.getfilesystemencoding() != "utf-8" and sys.executable:
        streams = getattr(sys.stdout, "encoding", None) or "utf-8"
        again = {**os.environ, "PYTHONUTF8": "1", _STREAMS: streams}  # workers inherit the first
        with suppress(OSError):  # else as it is: names that are not ASCII are refused
            os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], again)


if __name__ == "__main__":
    sys.exit(start())
