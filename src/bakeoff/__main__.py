"""`python -m bakeoff` is `bakeoff`; Ctrl-C is one line from the first moment, while it imports."""

import sys


def start() -> int:
    """Carry out the command line of this process and return its exit code."""
    try:
        from bakeoff.cli import main
    except KeyboardInterrupt:
        sys.stderr.write("bakeoff: interrupted\n")
        return 130
    return main()


if __name__ == "__main__":
    sys.exit(start())
