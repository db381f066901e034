"""Words of a command line, read without typer's own way.

Oracle: by hand; every parameter of every command. Cost: nothing.

Run: pytest tests/cli/test_plain_words.py
"""

from pathlib import Path
from types import SimpleNamespace

import pytest

from bakeoff.cli import command_line
from bakeoff.cli.plain_words import _Plain
from bakeoff.errors import UsageError


def parameters():
    group = command_line()
    return [
        (command.name, parameter)
        for command in (group, *group.commands.values())
        for parameter in command.params
        if hasattr(parameter, "get_runtime_param")
    ]


def read(command, name, value):
    found = [each for of, each in parameters() if (of, each.name) == (command, name)]
    if not found:
        pytest.skip("this typer reads words without pydantic itself")
    return found[0].get_runtime_param().coerce(value, param=found[0], ctx=SimpleNamespace())


def test_every_parameter_is_read_so():
    """Another kind of value would bring pydantic's import back, in silence."""
    others = [
        f"{command} {parameter.name}"
        for command, parameter in parameters()
        if not isinstance(parameter.get_runtime_param(), _Plain)
    ]
    assert others == []


def test_words_become_paths_texts_and_numbers():
    assert read("status", "study", "studies/x") == Path("studies/x")
    assert read("compare", "studies", ("a", "b")) == [Path("a"), Path("b")]
    assert read("run", "only", ["cnn"]) == ["cnn"]
    assert read("run", "seeds", "12") == 12
    assert read("serve", "port", 8000) == 8000


def test_what_is_not_given_is_none_or_nothing():
    assert read("run", "out", None) is None
    assert read("run", "only", None) == ()


def test_an_options_own_reader_says_what_is_wrong():
    with pytest.raises(UsageError, match=r"^--seeds: expected a whole number, found 'x'$"):
        read("run", "seeds", "x")
