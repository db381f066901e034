"""The program's first and last moments: Ctrl-C while it imports, and where Python would drop it.

Oracle: exit codes and whole lines. Cost: 2 s. Run: pytest tests/test_main.py
"""

import errno
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

import bakeoff
from bakeoff import __main__ as program
from bakeoff import cli
from bakeoff.errors import UsageError
from tests.helpers.folders import grey, save


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
        OSError(errno.ENOSPC, "No space left on device"),
        "bakeoff: no space left on device: free some space, also for temporary files, and try "
        "again\n",
    ),
    (
        OSError(errno.EFBIG, "File too large"),
        "bakeoff: file too large: raise the limit on the size of a file (ulimit -f)\n",
    ),
    (
        FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
        "bakeoff: expected a folder for temporary files that can be written, found none: free "
        "some space, or name one in TMPDIR\n",
    ),
]


@pytest.mark.parametrize(("error", "text"), FULL, ids=["full", "limit", "no folder"])
def test_a_full_disk_without_a_name_is_no_unexpected_error(error, text, monkeypatch, capsys):
    def fails(words):
        raise error

    monkeypatch.setattr(cli, "_carry_out", fails)
    assert cli.main([]) == 1
    assert capsys.readouterr().err == text


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def in_ascii(folder, *words):
    """Carry a command out in a locale of ASCII; return its exit code, output and errors."""
    command = [sys.executable, "-m", "bakeoff", *words]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **ASCII}, capture_output=True, check=False
    )
    return done.returncode, done.stdout.decode("ascii"), done.stderr.decode("ascii")


@pytest.fixture
def seasons(tmp_path):
    for name in ("été/ô1", "été/ô2", "hiver/1", "hiver/2"):
        save(tmp_path / f"saisons/{name}.png", grey(len(name)))
    rows = [f"saisons/{name}.png,{name[:-2]}" for name in ("été/ô1", "hiver/1")]
    (tmp_path / "t.csv").write_text("\n".join(["file,label", *rows, ""]), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("data", ["saisons", "t.csv"])
def test_a_name_is_the_same_in_every_locale(seasons, data):
    """The class été was called by two half signs, and a table did not find its files."""
    code, _, errors = in_ascii(seasons, "new", data)
    assert code == 0, errors
    assert "été" in (seasons / f"{data.removesuffix('.csv')}.yaml").read_text(encoding="utf-8")


def test_what_it_prints_is_in_the_encoding_of_the_terminal(seasons):
    code, printed, errors = in_ascii(seasons, "look", "saisons")
    assert (code, errors) == (0, "")
    assert "\n?t?         2\n" in printed


@pytest.fixture
def removed(tmp_path, monkeypatch):
    """Be in a folder that is there no more."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    return "expected a current folder, found it removed: change to another (cd ~) and try again"


@pytest.mark.parametrize(
    "line", ["run digits", "plan digits", "tune digits", "new digits", "recipes"]
)
def test_a_current_folder_that_was_removed_is_one_line(removed, line, capsys):
    """It was an error that should not happen, with exit code 1."""
    assert cli.main(line.split()) == 2
    assert capsys.readouterr().err == f"bakeoff: {removed}\n"


@pytest.mark.parametrize(
    "call",
    [
        lambda: bakeoff.run("digits"),
        lambda: bakeoff.compare("x"),
        lambda: bakeoff.Study("x", data="digits", models={"m": {"layers": []}}),
    ],
)
def test_python_in_a_folder_that_was_removed_is_told_so(removed, call):
    with pytest.raises(UsageError) as caught:
        call()
    assert str(caught.value) == removed
