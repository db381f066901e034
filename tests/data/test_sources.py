"""What a recipe's data may say: each way to name a data set, as a value.

Oracle: by hand. Cost: nothing.

Run: pytest tests/data/test_sources.py
"""

import re
from pathlib import Path

import numpy as np
import pytest

from bakeoff.data import load
from bakeoff.data.python_data import is_declared
from bakeoff.errors import DataError


def test_what_a_recipe_may_say():
    assert is_declared("digits")
    assert is_declared({"npz": "a.npz"})
    assert not is_declared((1, 2))
    assert not is_declared({"x": np.zeros(3)})


@pytest.mark.parametrize("source", ["mnits", Path("mnits")])
def test_unknown_names(source):
    message = "data: expected digits, mnist, fashion-mnist, or where the files are, found 'mnits'"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        load(source)
