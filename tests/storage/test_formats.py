"""Arrays, weights and JSON as bytes, and what is none of them; 1 s.

Run: pytest tests/storage/test_formats.py
"""

import json
import re
from collections import Counter, OrderedDict

import numpy as np
import pytest

from bakeoff.errors import StorageError
from bakeoff.storage import array_files, atomic, formats
from tests.helpers.disks import DAMAGED


def test_arrays_and_weights_that_are_none_are_refused(tmp_path):
    path = tmp_path / "array.npy"
    for content in (b"", b"\x93NUMPY", array_files.npy_bytes(np.zeros(9))[:-1]):
        path.write_bytes(content)
        with pytest.raises(StorageError, match=f"^{re.escape(f'{path}: {DAMAGED}')}$"):
            array_files.read_npy(path)
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(StorageError, match=f"^{re.escape(f'{path}: {DAMAGED}')}$"):
        array_files.read_npy(path)
    for content in (b"", b"\xff" * 40, array_files.weights_bytes({"a": np.zeros(9)})[:-1]):
        path.write_bytes(content)
        with pytest.raises(StorageError, match=f"^{re.escape(f'{path}: {DAMAGED}')}$"):
            array_files.read_weights(path)


def test_an_array_without_images_can_be_read(tmp_path):
    path = tmp_path / "empty.npy"
    atomic.write_file(path, array_files.npy_bytes(np.zeros((0, 8, 8, 1), np.uint8)))
    assert array_files.read_npy(path).shape == (0, 8, 8, 1)


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
