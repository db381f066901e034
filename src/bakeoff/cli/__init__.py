"""The command line: parse, call, print. Results go to standard output, the rest to standard error.

Exit codes: 0 done; 1 something failed while running; 2 what the user gave is wrong; 130 stopped.
commands.py and winner_commands.py have the commands, output.py prints, streams.py prepares what is
printed on, usage.py words what is wrong with a command line.
"""

import errno
import gc
import os
import shlex
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import typer

from bakeoff.cli import usage
from bakeoff.cli.output import NobodyReads, printing, remark
from bakeoff.cli.plain_words import take_words_plainly
from bakeoff.cli.streams import drop_output, prepare_streams
from bakeoff.cli.winner_commands import app
from bakeoff.errors import BakeoffError, Interrupted, StorageError, UsageError
from bakeoff.utils.text import docstring
from bakeoff.utils.user_paths import current_folder

_COLLECTED_AFTER = 50_000  # new objects, not 700: imports make many, of which none is garbage


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line and return its exit code.

    Parameters
    ----------
    argv : the words after the program's name; those of this process by default
    """
    words = list(sys.argv[1:] if argv is None else argv)
    prepare_streams()
    thresholds = gc.get_threshold()
    gc.set_threshold(_COLLECTED_AFTER, *thresholds[1:])
    try:
        with _termination_is_ctrl_c():
            return _carry_out(words)
    except KeyboardInterrupt:
        return _say(Interrupted(_how_to_go_on(words)))
    except NobodyReads:  # who has seen enough: nothing failed
        drop_output()
        return 0
    except BakeoffError as error:
        if str(error).startswith("standard output"):
            drop_output()
        return _say(error)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        if error.filename is None or error.errno == errno.EMFILE:  # whichever file it was
            return _say(_nameless(error, reason))
        return _say(StorageError(f"{error.filename}: {reason}: see what is there"))
    except Exception as error:  # ours or a library's: one line all the same
        return _say(BakeoffError(_unexpected(error)))
    finally:
        gc.set_threshold(*thresholds)


@cache
def command_line() -> Any:
    """Return all commands with their options, as Click parses them; made once in a process."""
    for each in (app.registered_callback, *app.registered_commands):
        if each is not None and each.callback is not None:
            each.callback.__doc__ = docstring(each.callback)  # PYTHONOPTIMIZE=2 took it away
    commands = typer.main.get_command(app)
    take_words_plainly(commands)
    return commands


def _carry_out(words: list[str]) -> int:
    command = command_line()
    usage.check_command(words, command)
    try:
        with command.make_context("bakeoff", words or ["--help"]) as context:
            code = command.invoke(context)
    except typer.Exit as done:
        code = done.exit_code
    except SystemExit as ended:  # of rich, which prints the help
        if isinstance(ended.__context__, BrokenPipeError):
            raise NobodyReads from None
        raise
    except Exception as error:
        raise usage.as_usage_error(error, words) or error from None
    with printing():
        sys.stdout.flush()
    return int(code or 0)


def _say(error: BakeoffError) -> int:
    if os.environ.get("BAKEOFF_DEBUG"):
        remark(traceback.format_exc())
    remark(f"bakeoff: {error}")
    return error.exit_code


def _unexpected(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"unexpected {type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno}): "
        "this should not happen; BAKEOFF_DEBUG=1 shows more, please report it"
    )


def _nameless(error: OSError, reason: str) -> BakeoffError:
    """Return what to say of an error of the disk that names no file."""
    if reason.startswith("no usable temporary directory"):
        return StorageError(
            "expected a folder for temporary files that can be written, found none: free some "
            "space, or name one in TMPDIR"
        )
    try:
        current_folder()
    except UsageError as removed:
        return removed
    if error.errno == errno.EFBIG:
        return StorageError(f"{reason}: raise the limit on the size of a file (ulimit -f)")
    if error.errno == errno.EMFILE:
        return StorageError(
            f"{reason}: raise the limit on them (ulimit -n), or have fewer --workers, and try again"
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(f"{reason}: free some space, also for temporary files, and try again")
    return BakeoffError(_unexpected(error))


def _how_to_go_on(words: Sequence[str]) -> str:
    if not words or words[0] not in ("run", "tune"):
        return "interrupted"
    program = [sys.argv[0]]
    if Path(*program).name == "__main__.py":
        program = ["python", "-m", "bakeoff"]
    elif shutil.which("bakeoff") == sys.argv[0]:
        program = ["bakeoff"]
    return (
        "interrupted; what is finished is kept, and the same command goes on: "
        f"{shlex.join([*program, *words])}"
    )


@contextmanager
def _termination_is_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end the program as Ctrl-C does: with its workers, and a sentence.

    An interrupt that Python drops, since it came in a finalizer, comes once more.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def dropped(lost: Any) -> None:
        if lost.exc_type is None or not issubclass(lost.exc_type, KeyboardInterrupt):
            hook(lost)
            return
        again = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGTERM))
        again.daemon = True
        again.start()

    before, hook = signal.signal(signal.SIGTERM, interrupt), sys.unraisablehook
    sys.unraisablehook = dropped
    try:
        yield
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGTERM, before)
