"""The command line: parse, call, print. Results go to standard output, the rest to standard error.

Exit codes: 0 done; 1 something failed while running; 2 what the user gave is wrong; 130 stopped.
commands.py has the commands, output.py prints, usage.py words what is wrong with a command line.
"""

import os
import shlex
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from bakeoff.cli import usage
from bakeoff.cli.commands import app
from bakeoff.errors import BakeoffError, Interrupted


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line and return its exit code.

    Parameters
    ----------
    argv : the words after the program's name; those of this process by default
    """
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show "±" is no reason
    try:
        with _termination_is_ctrl_c():
            return _carry_out(words)
    except KeyboardInterrupt:
        return _say(Interrupted(_how_to_go_on(words)))
    except BrokenPipeError:
        return _reader_is_gone()
    except BakeoffError as error:
        return _say(error)
    except Exception as error:  # ours or a library's: one line all the same
        return _say(BakeoffError(_unexpected(error)))


def _carry_out(words: list[str]) -> int:
    command = typer.main.get_command(app)
    usage.check_command(words, command)
    try:
        with command.make_context("bakeoff", words or ["--help"]) as context:
            code = command.invoke(context)
    except typer.Exit as done:
        code = done.exit_code
    except Exception as error:
        raise usage.as_usage_error(error, words) or error from None
    sys.stdout.flush()
    return int(code or 0)


def _say(error: BakeoffError) -> int:
    if os.environ.get("BAKEOFF_DEBUG"):
        traceback.print_exc()
    sys.stderr.write(f"bakeoff: {error}\n")
    return error.exit_code


def _unexpected(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"unexpected {type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno}): "
        "this should not happen; BAKEOFF_DEBUG=1 shows more, please report it"
    )


def _how_to_go_on(words: Sequence[str]) -> str:
    if not words or words[0] != "run":
        return "interrupted"
    program = sys.argv[0]
    if Path(program).name == "__main__.py":
        program = "python -m bakeoff"
    elif shutil.which("bakeoff") == program:
        program = "bakeoff"
    return (
        "interrupted; what is finished is kept, and the same command goes on: "
        f"{program} {shlex.join(words)}"
    )


def _reader_is_gone() -> int:
    """Give up quietly: whoever read our output has seen enough (`bakeoff look mnist | head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


@contextmanager
def _termination_is_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end the program as Ctrl-C does: with its workers, and a sentence."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
