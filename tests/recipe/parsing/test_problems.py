"""What the recipe's parsers share.

Oracle: places and texts by hand. Cost: nothing. Run: pytest tests/recipe/parsing/test_problems.py
"""

from pathlib import Path

import pytest

from bakeoff.recipe.parsing.problems import (
    Problems,
    attempt,
    is_text,
    known_keys,
    read_path,
)
from bakeoff.recipe.value_kinds import Misfit


def misfit(value):
    raise Misfit(f"expected less, found {value}", inside="[2]")


def test_a_misfit_is_noted_where_it_was():
    problems = Problems()
    assert attempt(int, "7", "seeds", problems) == 7
    assert attempt(misfit, 9, "seeds", problems) is None
    assert problems.found == [("seeds[2]", "expected less, found 9")]


def test_unknown_keys_are_noted_each():
    problems = Problems()
    assert known_keys({"a": 1}, ["a", "b"], "split", problems)
    assert not known_keys({"a": 1, "bb": 2, 3: 4}, ["a", "b"], "split", problems)
    assert [place for place, _ in problems.found] == ["split.bb", "split.3"]
    assert problems.found[0][1] == "unknown key; did you mean b?"


def test_paths_are_relative_to_the_recipe(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert read_path("pets", Path("/recipes"), "a folder") == Path("/recipes/pets")
    assert read_path("~/pets", Path("/recipes"), "a folder") == Path("/home/ada/pets")
    for wrong in ("", 7, "a\nb", "\ud800", "x" * 4097):
        with pytest.raises(Misfit, match="expected the path of a folder, found"):
            read_path(wrong, Path("/recipes"), "a folder")


def test_text_has_no_control_characters():
    assert is_text("naïve 日本 🙂")
    assert not is_text("a\tb")
