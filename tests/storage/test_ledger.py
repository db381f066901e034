"""The chain of a ledger's lines, and hands that edit it; 1 s.

Run: pytest tests/storage/test_ledger.py
"""

import re

import pytest

from bakeoff.errors import StorageError
from bakeoff.storage.ledger import append_ledger, read_ledger


def ledger(tmp_path):
    path = tmp_path / "ledger.jsonl"
    for opening in (1, 2, 3):
        append_ledger(path, {"opening": opening, "study": "ünïcode"})
    return path


def test_a_ledger_is_a_chain(tmp_path):
    path = ledger(tmp_path)
    lines = read_ledger(path)
    assert [line["opening"] for line in lines] == [1, 2, 3]
    assert [line["before"] for line in lines[1:]] == [line["sha256"] for line in lines[:-1]]
    assert lines[0]["before"] == ""
    assert read_ledger(tmp_path / "none.jsonl") == []


def test_a_ledger_that_was_changed_is_refused(tmp_path):
    path = ledger(tmp_path)
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    text = (
        f"{path}: expected a ledger in which every line follows from the one before, found one "
        "that was changed: restore it from a copy; a study without its record needs another --out"
    )
    flips = [
        content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        for place in range(len(content))
    ]
    swaps = [lines[1] + lines[2], lines[0] + lines[2], lines[1] + lines[0] + lines[2]]
    for changed in [*flips, *swaps, content[:-1], content + b"\n", content + lines[0]]:
        path.write_bytes(changed)
        with pytest.raises(StorageError, match=f"^{re.escape(text)}$"):
            read_ledger(path)
