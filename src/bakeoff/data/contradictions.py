"""Pictures that stand in a data set under more than one class: the same pixels, other labels.

No network can be correct about both, and whoever copied a picture into two classes seldom meant it.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import DataSet
from bakeoff.data.source_images import identical_keys, quick_keys
from bakeoff.utils.text import counted, shown


def notes_on_contradictions(data: DataSet) -> tuple[str, ...]:
    """Return a note where the same picture stands under more than one class.

    Pictures of one colour are left out: a blank one says nothing of its class.
    """
    pairs = list(_pairs(data))
    if not pairs:
        return ()
    first, second = (_called(data, position) for position in pairs[0])
    return (
        f"{counted(len(pairs), 'picture')} also found under another class, such as {first} and "
        f"{second}: the pixels are the same, so one of the labels is wrong",
    )


def _pairs(data: DataSet) -> Iterator[tuple[int, int]]:
    """Yield (earlier, later) for every picture that equals the first of its kind, labels apart."""
    suspects = _in_mixed_groups(quick_keys(data), data.labels)
    keys, labels = identical_keys(data, suspects), data.labels[suspects]
    _, first, groups = np.unique(keys, return_index=True, return_inverse=True)
    for index in np.flatnonzero(labels[first[groups]] != labels):
        image = data.images[suspects[index]]
        if (image != image[:1, :1]).any():
            yield int(suspects[first[groups[index]]]), int(suspects[index])


def _in_mixed_groups(keys: NDArray[np.uint64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions whose key stands under more than one label, ascending."""
    _, first, groups = np.unique(keys, return_index=True, return_inverse=True)
    mixed = np.zeros(len(first), dtype=np.bool_)
    mixed[groups[labels[first[groups]] != labels]] = True
    return np.flatnonzero(mixed[groups])


def _called(data: DataSet, position: int) -> str:
    """Return what a user knows a picture by: its file, or its number; and its class."""
    name = data.files[position] if data.files else f"image {position:,}"
    return f"{shown(name)} ({shown(data.class_names[data.labels[position]])})"
