"""Arrays, weights and JSON as bytes, and what is none of them; 1 s.

Run: pytest tests/storage/test_formats.py
"""

import json
from collections import Counter, OrderedDict

import pytest

from bakeoff.storage import formats


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"b": [], "a": {}, "ä": '\u2028\n"', "n": None, "t": [True, False]},
        {"list": ["x", "ü", 1, 2.5, 1e-9, -0.0, None], "deep": [[1, 2], [[]], [{"a": [3]}], {}]},
        [(1, 2), {"z": {"y": {"x": ["w"]}}}, "\x00", 10**30],
        {2: "two", 10: "ten", 1.5: [1]},
        {True: 1},
        [OrderedDict(b=1, a=[2])],
        {"a": Counter("xxy"), "b": Counter("z")},
        "text",
        3,
    ],
    ids=range(11),
)
def test_canonical_json_is_what_the_library_writes(document):
    """Hashes of studies that are there already depend on it."""
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    assert formats.canonical(document) == f"{text}\n".encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("nan")]}])
def test_no_number_that_json_lacks_is_written(value):
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        formats.canonical(value)


def test_what_is_no_json_is_not_written():
    for value in (object(), {"a": {1}}, {(1, 2): 3}):
        with pytest.raises(TypeError):
            formats.canonical(value)
