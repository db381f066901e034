"""history.csv written and read back; nothing to wait for.

Run: pytest tests/storage/test_history.py
"""

import re

import numpy as np
import pytest

from bakeoff.errors import StorageError
from bakeoff.storage.history import HISTORY_COLUMNS, history_csv, read_history
from tests.helpers.disks import DAMAGED


def test_a_history_comes_back_with_what_is_missing_as_nan(tmp_path):
    row = dict.fromkeys(HISTORY_COLUMNS) | {"epoch": 0, "loss": 0.1 + 0.2, "accuracy": 0.5}
    path = tmp_path / "history.csv"
    path.write_bytes(history_csv([row | {"learning_rate": 1e-3}, row | {"loss": np.inf}]))
    assert path.read_text().startswith("epoch,loss,accuracy,learning_rate\n0,")
    history = read_history(path)
    assert history["loss"].tolist() == [0.1 + 0.2, np.inf]
    assert np.isnan(history["val_loss"]).all()
    for content in (b"\xff", b"epoch,loss\n0,1\n", path.read_bytes() + b"x,,,,,,\n"):
        path.write_bytes(content)
        with pytest.raises(StorageError, match=f"^{re.escape(f'{path}: {DAMAGED}')}$"):
            read_history(path)


def test_validation_has_its_columns_where_there_is_any(tmp_path):
    row = dict.fromkeys(HISTORY_COLUMNS, 0.5)
    path = tmp_path / "history.csv"
    path.write_bytes(history_csv([row | {"val_loss": None}, row]))
    assert path.read_text().splitlines()[:2] == [
        ",".join(HISTORY_COLUMNS),
        "0.5,0.5,0.5,,0.5,0.5,0.5",
    ]
    assert read_history(path)["val_accuracy"].tolist() == [0.5, 0.5]
