"""Arrays, weights and JSON as bytes, and what is none of them; 1 s.

Run: pytest tests/storage/test_formats.py
"""

import json
from collections import Counter, OrderedDict

import pytest

from bakeoff.errors import DamagedFile
from bakeoff.storage import formats

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


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


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("study.json", lambda text: text.replace(b"\n", b"\r\n"), "line ends of Windows"),
        (
            "study.json",
            lambda text: b"<<<<<<< HEAD\n" + text + b">>>>>>> theirs\n",
            "a conflict of",
        ),
        ("study.json", lambda text: POINTER, "`git lfs pull`"),
        ("weights.safetensors", lambda text: POINTER, "`git lfs pull`"),
        ("weights.safetensors", lambda text: b"\r\n" * 9, "found others"),
        ("study.json", lambda text: text[:-1], "found others"),
        ("study.json", lambda text: b"\xff" + text, "found others"),
    ],
)
def test_what_git_made_of_a_file_is_named(tmp_path, name, change, said):
    path = tmp_path / name
    path.write_bytes(change(formats.sealed_json({"a": 1, "b": [2]})))
    assert said in str(formats.damaged(path))
    if path.suffix == ".json":
        with pytest.raises(DamagedFile, match=said):
            formats.read_sealed_json(path)


def test_what_cannot_be_read_is_damaged_all_the_same(tmp_path):
    assert "found others" in str(formats.damaged(tmp_path / "gone.json"))
    assert "found others" in str(formats.damaged(tmp_path))
