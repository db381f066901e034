"""Duplicates are counted once for a data set and split; the oracle is `count_duplicates`. 1 s.

Run: pytest tests/study/create/test_known_duplicates.py
"""

import numpy as np
import pytest

from bakeoff.data import count_duplicates
from bakeoff.study.create import known_duplicates as module
from bakeoff.study.create.known_duplicates import known_duplicates


@pytest.fixture
def parts():
    return {"train": np.arange(100), "test": np.arange(90, 150)}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "user_cache", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "duplicates"


@pytest.fixture
def counted(monkeypatch):
    calls = []

    def count(images, parts):
        calls.append(len(images))
        return count_duplicates(images, parts)

    monkeypatch.setattr(module, "count_duplicates", count)
    return calls


def test_the_second_time_it_is_read(digits, parts, home, counted):
    expected = count_duplicates(digits.images, parts)
    assert expected.exact >= 10
    assert [known_duplicates(digits, parts) for _ in range(3)] == [expected] * 3
    assert len(counted) == len(list(home.iterdir())) == 1


def test_other_parts_are_counted(digits, parts, home, counted):
    known_duplicates(digits, parts)
    others = {**parts, "test": np.arange(100, 150)}
    assert known_duplicates(digits, others) == count_duplicates(digits.images, others)
    assert len(counted) == 2


@pytest.mark.parametrize("content", [b"", b"{}", b'{"pairs": []}', b"\xff"])
def test_a_damaged_file_is_counted_and_written_again(digits, parts, home, counted, content):
    expected = known_duplicates(digits, parts)
    (path,) = home.iterdir()
    whole = path.read_bytes()
    path.write_bytes(content)
    assert known_duplicates(digits, parts) == expected
    assert path.read_bytes() == whole


def test_nobody_needs_the_cache(digits, parts, tmp_path, monkeypatch, counted):
    expected = count_duplicates(digits.images, parts)
    monkeypatch.setattr(module, "user_cache", lambda: None)
    assert known_duplicates(digits, parts) == expected
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(module, "user_cache", lambda: tmp_path / "file")
    assert known_duplicates(digits, parts) == expected
    assert len(counted) == 2


def test_nor_one_that_may_not_be_looked_into(digits, parts, home, counted, monkeypatch):
    def refuse(path, *given, **more):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(module.atomic.os, "open", refuse)
    assert known_duplicates(digits, parts) == count_duplicates(digits.images, parts)
