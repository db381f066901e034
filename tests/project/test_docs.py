"""What the documentation shows is accepted: every recipe in it, and every command line.

Oracle: the recipe's reader and the command line's own parser. What commands print is the subject of
test_tutorial.py. Cost: 1 s. Run: pytest tests/project/test_docs.py
"""

import re
import shlex
import textwrap
from pathlib import Path

import pytest
import typer

from bakeoff.cli.winner_commands import app
from bakeoff.recipe import parse
from bakeoff.recipe.parsing.yaml_reader import read_yaml

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = typer.main.get_command(app)
FENCED = re.compile(r"^```(?P<kind>\w*)[^\n]*\n(?P<body>.*?)^```", re.M | re.S)
INLINE = re.compile(r"`(?P<line>bakeoff [^`\n]+)`")
CALLED = re.compile(r"^(?:\$ )?(?:\w+=\S+ )*(?:ray job submit -- )?(?:\.venv/bin/)?(bakeoff .*)")
ERRORS = "## What an error looks like"  # recipes that are wrong; tests/recipe/test_json_schema.py
HISTORY = "log.md"  # what was tried, with commands that are no more
REST = {"name": "part", "data": "digits"}
MODELS = {"m": {"layers": []}}


def fenced(page, *kinds):
    """Yield the line and the text of each block of these kinds."""
    text = page.read_text(encoding="utf-8").split(ERRORS)[0]
    for block in FENCED.finditer(text):
        if block["kind"] in kinds:
            line = text[: block.start()].count("\n") + 1
            yield f"{page.relative_to(ROOT)}:{line}", block["body"]


RECIPES = [each for page in PAGES for each in fenced(page, "yaml")]


@pytest.mark.parametrize("body", [body for _, body in RECIPES], ids=[place for place, _ in RECIPES])
def test_every_recipe_is_accepted(body):
    """Parts are completed: what is indented stands among the models."""
    raw = read_yaml(textwrap.dedent(body), origin="docs")
    if body.startswith(" "):
        raw = {"models": raw}
    parse({**REST, "models": MODELS, **raw}, origin="docs", folder=ROOT)


def command_lines():
    """Yield where each command line stands, itself, and whether words may be left out of it."""
    for page in PAGES:
        if page.name == HISTORY:
            continue
        for place, body in fenced(page, "sh", "bash", "console", ""):
            for line in body.splitlines():
                if called := CALLED.match(line):
                    yield place, called[1], False
        for inline in INLINE.finditer(page.read_text(encoding="utf-8")):
            yield str(page.relative_to(ROOT)), inline["line"], True


def parses(line, *, in_part):
    """Let the parser read a command line; `in_part`: an argument may be missing, or be "…"."""
    words = shlex.split(re.split(r"[>|&]|\s#", line)[0])[1:]
    name, *rest = [word for word in words if word != "…"]
    if name.startswith("--") or name == "COMMAND":
        assert name in ("--help", "--version", "COMMAND")
        return
    command = COMMANDS.commands[name]
    try:
        command.make_context(name, rest)
    except Exception as error:  # its classes have moved between the parser's versions
        assert in_part and type(error).__name__ == "MissingParameter", error


def test_every_command_line_is_one():
    lines = list(command_lines())
    assert len(lines) > 80
    wrong = []
    for place, line, in_part in lines:
        try:
            parses(line, in_part=in_part)
        except Exception as error:
            wrong.append(f"{place}: {line}: {error!r}")
    assert not wrong
