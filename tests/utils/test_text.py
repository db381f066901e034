"""Numbers, lists, names and times in words.

Oracle: what a person would write. Cost: nothing. Run: pytest tests/utils/test_text.py
"""

from pathlib import Path

import pytest

from bakeoff.utils import text


def test_what_to_type_is_quoted_for_a_shell():
    """U9."""
    assert text.shell_command("run", Path("my recipe.yaml"), "--out", "it's") == (
        "bakeoff run 'my recipe.yaml' --out 'it'\"'\"'s'"
    )


def test_docstrings_are_read_from_the_source_where_python_dropped_them(monkeypatch):
    """U9: PYTHONOPTIMIZE=2 removed all help texts."""
    known = text.docstring(text.shown)
    assert known == "Return a path or a name as a message may show it: one line, not too long."
    monkeypatch.setattr(text.shown, "__doc__", None)
    assert text.docstring(text.shown) == known
    assert text.docstring(len) != ""
    namespace = {}
    exec("def unknown(): pass", namespace)
    assert text.docstring(namespace["unknown"]) == ""


@pytest.mark.parametrize(
    ("share", "digits", "expected"),
    [
        (0.9977, 1, "99.8 %"), (0.9994, 1, "99.9 %"), (0.99999, 1, ">99.9 %"), (1.0, 1, ">99.9 %"),
        (0.4, 1, "40.0 %"), (0.0006, 1, "0.1 %"), (1e-5, 1, "<0.1 %"), (0.0, 1, "<0.1 %"),
        (0.994, 0, "99 %"), (0.997, 0, ">99 %"), (0.003, 0, "<1 %"), (float("nan"), 1, "nan %"),
    ],
)  # fmt: skip
def test_no_prediction_is_shown_as_certain(share, digits, expected):
    assert text.probability(share, digits) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "–"),
        (0.42, "0.4 s"),
        (41.2, "41 s"),
        (310.0, "5.2 min"),
        (5400.0, "90 min"),
        (9000.0, "2.5 h"),
    ],
)
def test_durations(seconds, expected):
    assert text.duration(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.2, "1 s"), (3.4, "3 s"), (89, "89 s"), (350, "5.8 min"), (5000, "83 min"), (9000, "2.5 h")],
)
def test_rough_durations(seconds, expected):
    assert text.duration(seconds, rough=True) == expected


def test_points_have_a_true_minus():
    assert (text.points(-0.0041), text.points(0.0217, 1)) == ("−0.41", "2.2")
    assert (text.signed_points(-0.0041), text.signed_points(0.0217)) == ("−0.41", "+2.17")


def test_a_bound_is_rounded_to_the_side_that_claims_less():
    assert [text.points(0.01674, 2, side) for side in ("nearest", "up", "down")] == [
        *("1.67", "1.68", "1.67"),
    ]
    assert (text.points(0.0042, 2, "up"), text.points(0.1 + 0.2, 2, "up")) == ("0.42", "30.00")
    assert text.points(-0.00001, 2, "up") == "0.00"
    assert (text.points(1e-9, 2, "up"), text.percent(0.004, 0, "up")) == ("0.01", "1 %")
    assert (text.percent(0.45072, 0, "up"), text.percent(0.00505, 0, "down")) == ("46 %", "0 %")
    assert [text.declared_points(each) for each in (0.005, 0.002, 0.00025, 0.1, 0.5)] == [
        *("0.50", "0.20", "0.025", "10.00", "50.00"),
    ]


def test_no_p_value_is_rounded_to_the_border():
    """Below 0.05 a model is better; 0.050 beside that word would contradict it."""
    said = [text.p_value(p) for p in (0.0494, 0.0496, 0.04998, 0.05, 0.0500004, 0.0503, 0.0506)]
    assert said == ["= 0.049", "= 0.0496", "= 0.04998", "= 0.050", "= 0.0500004", "= 0.0503",
                    "= 0.051"]  # fmt: skip
    assert [text.p_value(p) for p in (0.00099, 0.001, 0.9999)] == ["< 0.001", "= 0.001", "= 1.000"]


def test_lists():
    assert [text.listed(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert text.some(list("abcde")) == "a, b, c and 2 more"
    assert text.some(list("abc")) == "a, b and c"


def test_names_from_strangers_stay_in_their_line():
    assert text.shown("a\nb\x1b[2J") == "a\\nb\\x1b[2J"
    assert text.shown("x" * 300, limit=10) == "…" + "x" * 9


def test_words_from_right_to_left_are_isolated():
    rose = "وردة حمراء"
    assert text.isolated(f"a or {rose} (1)") == f"a or \u2068{rose}\u2069 (1)"
    assert text.isolated("שלום 12 עולם, 5 %") == "\u2068שלום 12 עולם\u2069, 5 %"
    assert text.isolated("rose, 5 %") == "rose, 5 %"


def test_natural_order():
    names = ["b", "a10", "a2", "A1", "10", "9", "a", "a2b", "²", "a01"]
    assert sorted(names, key=text.natural) == [
        "9",
        "10",
        "a",
        "A1",
        "a01",
        "a2",
        "a2b",
        "a10",
        "b",
        "²",
    ]
