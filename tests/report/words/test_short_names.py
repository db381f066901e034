"""Long names cut, and told apart all the same.

Oracle: names by hand. Cost: nothing. Run: pytest tests/report/words/test_short_names.py
"""

from bakeoff.report.words.short_names import short_labels, shorten, shortened


def test_long_names_lose_their_middle():
    assert shorten("a-rather-long-model-name-11", most=20) == "a-rather-l…l-name-11"
    assert shorten("short", most=5) == "short"
    long = ["x" * 30 + "/cnn", "x" * 20 + "y" + "x" * 9 + "/cnn", "x" * 30 + "/mlp"]
    assert shortened(long, most=20) == {
        long[0]: long[0],
        long[1]: long[1],
        long[2]: "xxxxxxxxxx…xxxxx/mlp",
    }


def test_names_that_would_be_alike_show_where_they_differ():
    """In one order of the classes a number told them apart; figures are sorted differently."""
    kinds = [f"Species number {k:02d} (subspecies {'ab'[k % 2]})" for k in range(10)]
    assert short_labels(kinds[:3], most=18) == [
        "…number 00 (subsp…",
        "Species n…ecies b)",
        "…number 02 (subsp…",
    ]
    assert short_labels(kinds[2::-1], most=18) == short_labels(kinds[:3], most=18)[::-1]
    nested = ["x" * 20 + middle + "y" * 20 for middle in ("a1" + "z" * 20, "a2" + "z" * 20, "b")]
    assert short_labels(nested, most=12) == ["…xxxxxa1zzz…", "…xxxxxa2zzz…", "…xxxxxbyyyy…"]
    twice = ["x" * 9 + middle + "y" * 9 + end for end in ("-b", "") for middle in ("2", "1")]
    numbered = ["…xxx2yy… (2)", "…xxx1yy… (2)", "…xxx2yy…", "…xxx1yy…"]
    assert short_labels(twice, most=8) == numbered
    assert short_labels(twice[::-1], most=8) == numbered[::-1]
    assert short_labels(["x" * 30, "x" * 30], most=8) == ["xxxx…xxx", "xxxx…xxx (2)"]
