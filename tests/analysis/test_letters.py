"""Compact letter display.

Oracle: a published example, and that models share a letter exactly where they are not separated.
Cost: 1 s.

Run: pytest tests/analysis/test_letters.py
"""

import re
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.analysis.letters import letters


def test_letters_of_a_published_example():
    """Gramm et al. 2007, Computational Statistics & Data Analysis 52, figure 2.

    Five treatments; {1,5}, {2,3}, {2,5} and {3,5} differ. The cliques of what is left are
    {1,2,4}, {1,3,4} and {4,5}.
    """
    found = letters("12345", [("1", "5"), ("2", "3"), ("2", "5"), ("3", "5")])
    assert found == {"1": "ab", "2": "a", "3": "b", "4": "abc", "5": "c"}


def test_letters_by_hand():
    assert letters("abc", []) == {"a": "a", "b": "a", "c": "a"}
    assert letters("xyz", [("x", "y"), ("x", "z"), ("y", "z")]) == {"x": "a", "y": "b", "z": "c"}
    assert letters("xyz", [("z", "x")]) == {"x": "a", "y": "ab", "z": "b"}
    assert letters(["alone"], []) == {"alone": "a"}


def test_letters_do_not_run_out():
    names = [f"m{k}" for k in range(60)]
    found = letters(names, combinations(names, 2))
    assert len(set(found.values())) == 60
    assert (found["m25"], found["m26"], found["m52"]) == ("z", "A", "(53)")


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 8).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.sampled_from([*combinations(range(n), 2), ()])))
    )
)
def test_models_share_a_letter_exactly_where_they_are_not_separated(drawn):
    n, chosen = drawn
    names = [f"m{k}" for k in range(n)]
    separated = {(names[pair[1]], names[pair[0]]) for pair in chosen if pair}
    found = letters(names, separated)
    assert found["m0"].startswith("a")
    for a, b in combinations(names, 2):
        assert bool(set(found[a]) & set(found[b])) == ((b, a) not in separated)


def test_letters_refuse_a_stranger():
    message = "expected two of the models a, b; got a, c"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        letters("ab", [("a", "c")])
