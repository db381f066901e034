"""What is said of a wrong command line; tests/cli/test_commands.py has it from whole commands.

Oracle: whole sentences. Cost: nothing. Run: pytest tests/cli/test_usage.py
"""

import re
from types import SimpleNamespace

import pytest
from typer.main import get_command

from bakeoff.cli import usage
from bakeoff.cli.usage import as_usage_error, check_command
from bakeoff.cli.winner_commands import app
from bakeoff.errors import UsageError

COMMAND = get_command(app)


@pytest.mark.parametrize(
    ("word", "does", "what"),
    [(word, does, what) for words, does, what in usage._DOES for word in words.split()],
)
def test_each_word_that_people_use_names_a_command_that_is_there(word, does, what):
    assert does in COMMAND.commands
    text = f"expected a command, found {word!r}: {does} {what}"
    if word in COMMAND.commands:
        check_command([word], COMMAND)
        return
    with pytest.raises(UsageError, match=f"^{re.escape(text)}$"):
        check_command([word], COMMAND)


def test_options_and_commands_pass():
    for words in ([], ["--help"], ["run", "anything"], ["run", "a–b", "--seeds", "−3", "-"]):
        check_command(words, COMMAND)


def test_an_empty_word_is_no_path_of_this_folder():
    text = "expected words, found an empty one: is a variable of the shell unset?"
    with pytest.raises(UsageError, match=f"^{re.escape(text)}$"):
        check_command(["predict", "studies/digits", ""], COMMAND)


@pytest.mark.parametrize(
    ("word", "option"),
    [
        ("–seeds", "seeds"),
        ("—out", "out"),
        ("−−json", "json"),
        ("-–only=cnn", "only=cnn"),
        ("‑-device", "device"),
    ],
)
def test_a_pasted_dash_is_told_from_two_hyphens(word, option):
    text = f"expected --{option}, found {word!r}: a dash where two hyphens belong"
    with pytest.raises(UsageError, match=f"^{re.escape(text)}$"):
        check_command(["run", "digits", word, "3"], COMMAND)


def test_a_word_like_none_lists_all():
    text = re.escape("expected a command, found 'xyzzy': known: ")
    with pytest.raises(UsageError, match=f"^{text}.*run"):
        check_command(["xyzzy"], COMMAND)


def test_an_error_of_another_kind_is_none_of_the_parsers():
    assert as_usage_error(ValueError("x"), []) is None
    assert as_usage_error(UsageError("x"), []) is None


def test_what_the_parser_says_otherwise_is_passed_on():
    class BadParameter(Exception):
        ctx = SimpleNamespace(command_path="bakeoff run", command=COMMAND)

        def format_message(self):
            return "Invalid value."

    text = "run: Invalid value; bakeoff run --help shows what it takes"
    assert str(as_usage_error(BadParameter(), [])) == text
