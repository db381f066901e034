"""Which openings kept to the looks that were declared.

Oracle: ledgers by hand. Cost: nothing.

Run: pytest tests/storage/test_declared_looks.py
"""

import pytest

from bakeoff.storage.declared_looks import planned_openings
from tests.helpers.small import LINES


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (LINES, 3),
        (LINES[:1], 1),
        ([*LINES, {**LINES[2], "opening": 4}], 3),
        ([LINES[0], {**LINES[1], "models": {"a": range(4)}}, LINES[2]], 2),
        ([LINES[0], {**LINES[1], "looks": [3, 4]}], 1),
        ([LINES[0], {**LINES[1], "models": {"a": range(6), "b": [0, 1, 2]}}], 1),
        ([{**LINES[0], "restored": True}, LINES[1]], 1),
        ([{**line, "looks": None} for line in LINES], 1),
        ([], 0),
    ],
)
def test_which_openings_kept_to_the_plan(lines, kept):
    assert planned_openings(lines).kept == kept
