"""Rows as a pandas frame.

Oracle: by hand. Cost: nothing. Run: pytest tests/study/test_frame.py
"""

import re
import sys

import pytest

from bakeoff.errors import UsageError
from bakeoff.study.frame import frame

ROWS = [{"model": "a", "accuracy": 0.5}, {"model": "b", "accuracy": 0.25}]


def test_rows_become_a_frame():
    assert frame(ROWS, index="model")["accuracy"].to_dict() == {"a": 0.5, "b": 0.25}


def test_without_pandas_one_line_says_so(monkeypatch):
    """Result.to_frame and Predictions.to_frame raised ModuleNotFoundError."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    text = "expected pandas, found none: pip install pandas, or use csv()"
    with pytest.raises(UsageError, match=f"^{re.escape(text)}$"):
        frame(ROWS, index="model")
