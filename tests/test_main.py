"""The program's first and last moments: Ctrl-C while it imports, and where Python would drop it.

Oracle: exit codes and whole lines. Cost: 0.1 s. Run: pytest tests/test_main.py
"""

import errno
import sys
import time
from types import SimpleNamespace

import pytest

from bakeoff import __main__ as program
from bakeoff import cli


class Slow:
    @property
    def main(self):
        raise KeyboardInterrupt


def test_ctrl_c_while_it_imports_is_one_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "bakeoff.cli", Slow())
    assert program.start() == 130
    assert capsys.readouterr().err == "bakeoff: interrupted\n"


def test_start_is_the_command_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "bakeoff.cli", SimpleNamespace(main=lambda: 7))
    assert program.start() == 7


def test_an_interrupted_program_ends_at_once(monkeypatch):
    """It once ended with a segmentation fault instead of 130, when XLA was compiling."""
    monkeypatch.setitem(sys.modules, "bakeoff.cli", SimpleNamespace(main=lambda: 130))
    ended = []
    monkeypatch.setattr("os._exit", ended.append)
    program.start()
    assert ended == [130]


class Finalized:
    def __del__(self):  # JAX's callback of the garbage collector, say
        raise KeyboardInterrupt


def test_ctrl_c_that_python_drops_comes_again(capsys):
    """It was printed as "Exception ignored in …", and the command went on."""
    with pytest.raises(KeyboardInterrupt), cli._termination_is_ctrl_c():
        Finalized()
        time.sleep(5)
    assert capsys.readouterr().err == ""


FULL = [
    (
        OSError(errno.EFBIG, "File too large"),
        "bakeoff: file too large: free some space, also for temporary files, and try again\n",
    ),
    (
        FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
        "bakeoff: expected a folder for temporary files that can be written, found none: free "
        "some space, or name one in TMPDIR\n",
    ),
]


@pytest.mark.parametrize(("error", "text"), FULL, ids=["full", "no folder"])
def test_a_full_disk_without_a_name_is_no_unexpected_error(error, text, monkeypatch, capsys):
    def fails(words):
        raise error

    monkeypatch.setattr(cli, "_carry_out", fails)
    assert cli.main([]) == 1
    assert capsys.readouterr().err == text
