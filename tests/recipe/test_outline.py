"""A recipe in outline, read without the grammar.

Oracle: the outline of the Recipe that the grammar reads. Cost: 1 s, reading the shipped recipes.

Run: pytest tests/recipe/test_outline.py
"""

import subprocess
import sys
from pathlib import Path

import pytest

from bakeoff import recipe as recipes
from bakeoff.recipe.outline import outline, read_outline

ONE = {"layers": [{"dense": 4}]}
OPEN = {"layers": [{"dense": {"units": {"choice": [4, 8]}}}]}


def declare(**changes):
    plain = {"name": "s", "data": "digits", "models": {"b": ONE, "a": ONE}, **changes}
    return recipes.parse(plain, origin="s", folder=Path.cwd())


def read(recipe, text=None):
    return read_outline((text or recipes.dump(recipe)).encode(), frozenset(recipe.models))


@pytest.mark.parametrize("name", recipes.shipped())
def test_it_is_that_of_the_recipe(name):
    recipe = recipes.load(name)
    assert read(recipe) == outline(recipe)


@pytest.mark.parametrize(
    "changes",
    [
        {"seeds": [7, 3]},
        {"seeds": {"looks": [3, 5]}},
        {"split": {"folds": 3, "repeats": 4}},
        {"baselines": []},
        {"models": {"b": ONE, "open": OPEN}},
        {"title": "Größer: ja"},
    ],
    ids=str,
)
def test_it_keeps_order_seeds_looks_folds_and_searches(changes):
    recipe = declare(**changes)
    assert read(recipe) == outline(recipe)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name: s\n", "name: [s]\n"),
        ("name: s\n", "name: s\nsearch: {}\n"),
        ("  a:\n", "  ../a:\n"),
        ("- 4\n", "- true\n"),
        ("- 4\n", "- 3\n"),
        ("- 4\n", "- -4\n"),
        ("- majority\n", "- ../../x\n"),
        ("- majority\n", "- [x]\n"),
        ("  seed: 0\n", "  seed: 0\n  folds: true\n"),
        ("  seed: 0\n", "  seed: 0\n  folds: 3\n"),
        ("models:\n", "models: 3\nothers:\n"),
        ("data: digits\n", "data: [\n"),
    ],
    ids=range(12),
)
def test_what_no_study_writes_has_none(before, after):
    """Then the grammar reads it, and says what is wrong."""
    recipe = declare()
    text = recipes.dump(recipe)
    assert before in text
    assert read(recipe, text.replace(before, after)) is None


def test_other_models_than_expected_have_none():
    text = recipes.dump(declare()).encode()
    assert read_outline(text, frozenset({"a"})) is None
    assert read_outline(b"\xff", frozenset({"a"})) is None


def test_it_needs_no_grammar():
    code = "import sys, bakeoff.recipe.outline; print({'numpy', 'pydantic'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n"
