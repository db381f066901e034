"""The tutorial, followed to the letter: its files are written, its commands run, one by one.

Oracle: what docs/tutorial.md shows below each command. Numbers may differ, and what is printed
between the lines shown may be anything. Cost: 30 s, two thirds of it two small studies.
Run: .venv/bin/pytest tests/project/test_tutorial.py
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bakeoff.storage.study_folder import StudyFolder
from tests.helpers import forked

DOCUMENT = Path(__file__).parents[2] / "docs" / "tutorial.md"
FENCE = re.compile(
    r"(?:<!-- tested as: (?P<instead>.*?) -->\n)?```(?P<kind>\w+)(?: (?P<name>\S+))?\n"
    r"(?P<body>.*?)```\n",
    re.DOTALL,
)


@dataclass(frozen=True)
class Step:
    """A command with the lines it must print, or a file to write."""

    kind: str
    name: str
    command: str
    expected: tuple[str, ...]
    content: str = ""


def steps():
    for found in FENCE.finditer(DOCUMENT.read_text(encoding="utf-8")):
        body = found["body"]
        if found["kind"] != "console":
            yield Step("file", found["name"], "", (), body)
            continue
        first, *rest = body.splitlines()
        assert first.startswith("$ "), first
        shown = tuple(line for line in rest if line.strip() and line != "…")
        yield Step("command", first[2:], found["instead"] or first[2:], shown)


STEPS = list(steps())


def plain(line):
    """Return a line without what may differ: numbers, the arrow, letters of groups, curves."""
    line = re.sub(r"[→▁▂▃▄▅▆▇█]", " ", line)
    line = re.sub(r"\b\d[\d.,]*(–\d[\d.,]*)?", "#", line)
    return [word for word in line.split() if word not in ("a", "b", "ab", "ms", "s", "min")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("tutorial")


@pytest.fixture(scope="module")
def follow(place, tmp_path_factory):
    """Carry out a step, and those before it, in one folder; return what the command printed."""
    scripts = Path(sys.executable).parent
    (place / "examples").symlink_to(DOCUMENT.parents[1] / "examples")  # as in a checkout
    environment = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "BAKEOFF_HOME": str(place / "home"),
        "COLUMNS": "100",
    }
    printed = {}
    output = tmp_path_factory.mktemp("printed") / "output"

    def carry_out_line(line):
        if line.startswith("bakeoff "):
            with pytest.MonkeyPatch.context() as patched:
                for name, value in environment.items():
                    patched.setenv(name, value)
                return forked.command(line, folder=place, output=output)
        done = subprocess.run(
            ["bash", "-c", line], cwd=place, env=environment, text=True,
            capture_output=True, timeout=300,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def carry_out(number):
        for k in range(len(printed), number + 1):
            step = STEPS[k]
            if step.kind == "file":
                (place / step.name).write_text(step.content, encoding="utf-8")
                printed[k] = ""
                continue
            code, printed[k], errors = carry_out_line(step.command)
            assert code == 0, f"{step.command}\n{errors}"
        return printed[number]

    return carry_out


COMMANDS = [k for k, step in enumerate(STEPS) if step.kind == "command"]


@pytest.mark.parametrize("number", COMMANDS, ids=[STEPS[k].name for k in COMMANDS])
def test_a_step_prints_what_the_tutorial_shows(follow, number):
    lines = [plain(line) for line in follow(number).splitlines()]
    place = 0
    for wanted in STEPS[number].expected:
        expected = plain(wanted)
        assert expected in lines, f"{wanted!r} is not in\n{follow(number)}"
        if expected[-1:] != ["#"]:  # rows may come in another order
            assert expected in lines[place:], f"{wanted!r} is not below the line before it"
            place += lines[place:].index(expected)


def test_what_the_tutorial_says_is_there_is_there(follow, place):
    follow(len(STEPS) - 1)
    folder = StudyFolder(place / "studies" / "my-images")
    assert folder.report_file.read_text(encoding="utf-8").count("<img") > 30
    assert folder.card_file.read_text(encoding="utf-8").startswith("# ")
    assert (place / "mistakes.png").stat().st_size > 5_000
    assert len(folder.openings()) == 2


def test_every_link_leads_somewhere():
    text = DOCUMENT.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert (DOCUMENT.parent / target).exists(), target
