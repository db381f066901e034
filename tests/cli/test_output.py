"""What is printed where: results on standard output, everything else on standard error.

Oracle: the streams of real processes. Cost: 2 s. Run: pytest tests/cli/test_output.py
"""

import json
import subprocess
import sys

import pytest
from rich.text import Text

from bakeoff.cli.output import remark, show, show_json, show_text

NOISY = """
import os, subprocess, sys
from bakeoff.cli.output import show_text, standard_output_kept
with standard_output_kept():
    print("a library")
    os.system("echo a process")
show_text("the result")
"""


def test_what_libraries_and_processes_print_goes_to_standard_error():
    done = subprocess.run([sys.executable, "-c", NOISY], capture_output=True, text=True)
    assert done.stdout == "the result\n"
    assert {*done.stderr.split("\n")} >= {"a library", "a process"}


def test_a_text_ends_with_one_line_break_and_means_nothing_else(capsys):
    show_text("a\n\n")
    show("[bold]b[/bold] :smile:", "x" * 300)
    remark("aside")
    assert capsys.readouterr() == ("a\n[bold]b[/bold] :smile:\n" + "x" * 300 + "\n", "aside\n")


@pytest.mark.parametrize("columns", ["0", "1", "-5", "x"])
def test_a_width_that_is_none_prints_all_the_same(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    show(Text("a text"))
    assert "".join(capsys.readouterr().out.split()) == "atext"


def test_json_is_one_document_of_finite_numbers(capsys):
    show_json({"name": "rosé", "value": None})
    text = capsys.readouterr().out
    assert text.isascii() and json.loads(text) == {"name": "rosé", "value": None}
    with pytest.raises(ValueError, match="not JSON compliant"):
        show_json(float("nan"))


@pytest.mark.parametrize("command", ["schema", "plan digits", "recipes", "run --help"])
def test_a_reader_that_has_seen_enough(command):
    """`bakeoff plan digits | head -1` ended with exit code 1, without a word."""
    words = [sys.executable, "-m", "bakeoff", *command.split()]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


@pytest.mark.parametrize(("forced", "coloured"), [("0", False), ("false", False), ("1", True)])
def test_colour_is_forced_only_by_a_yes(forced, coloured, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", forced)
    monkeypatch.setenv("TERM", "xterm-256color")
    show(Text("a text", style="red"))
    assert ("\x1b[" in capsys.readouterr().out) == coloured
