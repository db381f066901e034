"""Rows as a pandas frame, for whoever has pandas: Bakeoff itself needs none."""

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.errors import UsageError


def frame(rows: Sequence[Mapping[str, Any]], *, index: str) -> Any:
    """Return the rows as a pandas DataFrame; UsageError where pandas is not installed."""
    try:
        import pandas
    except ImportError:
        raise UsageError("expected pandas, found none: pip install pandas, or use csv()") from None
    return pandas.DataFrame(rows).set_index(index)
