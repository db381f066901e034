"""A trial's history.csv: its columns, written and read."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.storage.atomic import read_file
from bakeoff.storage.formats import LONGEST_TEXT, damaged

HISTORY_COLUMNS = (
    "epoch",
    "loss",
    "accuracy",
    "val_loss",
    "val_cross_entropy",
    "val_accuracy",
    "learning_rate",
)
_VALIDATION = ("val_loss", "val_cross_entropy", "val_accuracy")


def history_csv(rows: Sequence[Mapping[str, float | int | None]]) -> bytes:
    """Return a training history as CSV; a value that does not exist is left empty.

    Without validation there are no columns of it.
    """
    validated = any(row[name] is not None for row in rows for name in _VALIDATION)
    columns = [name for name in HISTORY_COLUMNS if validated or name not in _VALIDATION]
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: "" if row[key] is None else repr(row[key]) for key in columns})
    return buffer.getvalue().encode()


def read_history(path: Path, content: bytes | None = None) -> dict[str, NDArray[np.float64]]:
    """Return a history's columns as float64 arrays of shape (epochs,); missing values are NaN.

    content : the file's, where the caller has read it already
    """
    if content is None:
        content = read_file(path, most=LONGEST_TEXT)
    try:
        reader = csv.DictReader(io.StringIO(content.decode()))
        rows = list(reader)
        without = tuple(name for name in HISTORY_COLUMNS if name not in _VALIDATION)
        if tuple(reader.fieldnames or ()) not in (HISTORY_COLUMNS, without):
            raise damaged(path)
        return {
            name: np.array([float(row.get(name, "") or "nan") for row in rows])
            for name in HISTORY_COLUMNS
        }
    except (UnicodeDecodeError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise damaged(path) from error
