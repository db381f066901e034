"""`python -m bakeoff` is `bakeoff`; Ctrl-C is one line and exit code 130, at every moment."""

import os
import sys
from contextlib import suppress

_INTERRUPTED = 130


def start() -> int:
    """Carry out the command line of this process and return its exit code."""
    try:
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


if __name__ == "__main__":
    sys.exit(start())
