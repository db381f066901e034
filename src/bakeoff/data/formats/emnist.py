"""EMNIST's files, which store images column by column: known by their names, read transposed."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from bakeoff.data.in_memory.arrays import Given

COLUMN_BY_COLUMN = (
    "EMNIST's files store images column by column, so letters lie on their side: say "
    "transpose: true, or transpose: false where these are upright"
)


def is_emnist(path: Path) -> bool:
    """Say whether a file, or a folder it lies in, is called as EMNIST's are."""
    return any("emnist" in part.casefold() for part in path.parts[-3:])


def transposed(
    parts: Mapping[str, Given], transpose: bool | None, path: Path
) -> tuple[dict[str, Given], tuple[str, ...]]:
    """Return the parts with rows and columns of every image exchanged if `transpose`, and notes.

    transpose : as the recipe says; where it says nothing, there is a note on files called EMNIST's
    """
    if transpose:
        return {part: _transposed(each) for part, each in parts.items()}, ()
    lying = transpose is None and is_emnist(path)
    return dict(parts), (COLUMN_BY_COLUMN,) if lying else ()


def _transposed(given: Given) -> Given:
    return replace(given, images=np.ascontiguousarray(np.swapaxes(given.images, 1, 2)))
