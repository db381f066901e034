"""The names of classes that data sets in Python carry: .classes, .class_names, .features."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.class_names import checked_class_names
from bakeoff.data.in_memory.arrays import Given
from bakeoff.data.labels import is_one_hot
from bakeoff.data.words import role_of
from bakeoff.errors import DataError
from bakeoff.utils.text import counted

_WRAPPERS = ("Subset", "DataLoader")  # torch's, which leave labels as they are


def carried_names(value: Any) -> tuple[list[str], str] | None:
    """Return the names that a data set gives 0, 1, 2 …, and the attribute that says so.

    None where there are no such names, or where labels are changed on their way.
    """
    for _ in range(4):
        if _attribute(value, "target_transform") is not None:
            return None
        for name in ("classes", "class_names"):
            names = _texts(_attribute(value, name))
            if names is not None:
                return names, name
        names = _texts(_attribute(_label_feature(_attribute(value, "features")), "names"))
        if names is not None:
            return names, "features"
        if type(value).__name__ not in _WRAPPERS:
            return None
        value = _attribute(value, "dataset")
    return None


def _attribute(value: object, name: str) -> Any:
    try:
        return getattr(value, name, None)
    except Exception:  # code of the user's, or of another library
        return None


def _label_feature(features: object) -> object:
    """Return what Hugging Face's description says of the labels; None where two may be them."""
    if not isinstance(features, Mapping):
        return None
    found = [each for key, each in features.items() if role_of(str(key)) == "y"]
    return found[0] if len(found) == 1 else None


def _texts(value: object) -> list[str] | None:
    """Return a list of different texts; None for anything else."""
    names = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(names, list | tuple) or not names:
        return None
    if not all(isinstance(each, str) for each in names) or len(set(names)) < len(names):
        return None
    return [str(each) for each in names]


def with_names(
    parts: Mapping[str, Given], names: Sequence[str]
) -> tuple[dict[str, Given], list[str] | None]:
    """Return the parts with labels 0 … k−1, and the names of the k classes that occur.

    Where labels are not indices of the names: the parts as they are, and None. Raises DataError
    for -1 among indices, as STL-10 and Hugging Face call a missing label.
    """
    numbers = {part: _numbers(each.labels) for part, each in parts.items()}
    given = [each for each in numbers.values() if each is not None and len(each)]
    if len(given) < len(parts):
        return dict(parts), None
    there = np.unique(np.concatenate(given))
    if there[0] == -1 and there[-1] < len(names) and there.tolist() != [-1, 1]:
        count = sum(int((each == -1).sum()) for each in given)
        raise DataError(
            f"labels: expected 0 to {len(names) - 1:,}, as there are names of classes, found -1 "
            f"for {counted(count, 'image')}, which says that there is no label: leave these out"
        )
    if there[0] < 0 or there[-1] >= len(names):
        return dict(parts), None
    chosen = [names[each] for each in there.tolist()]
    try:
        checked_class_names(chosen)
    except DataError:
        return dict(parts), None
    numbered = zip(parts.items(), given, strict=True)
    return {
        part: replace(each, labels=np.searchsorted(there, found))
        for (part, each), found in numbered
    }, chosen


def _numbers(labels: NDArray[Any]) -> NDArray[np.int64] | None:
    """Return labels as whole numbers, one an image; None where they are anything else."""
    if labels.dtype.kind not in "buif" or labels.ndim not in (1, 2):
        return None
    if labels.ndim == 2 and labels.shape[1] > 1:
        columns: NDArray[np.int64] = labels.argmax(axis=1)
        return columns if is_one_hot(labels) else None
    flat = labels.reshape(-1)
    if flat.dtype.kind == "f" and not (np.isfinite(flat).all() and (flat == np.round(flat)).all()):
        return None
    return flat.astype(np.int64) if not len(flat) or abs(flat).max() < 2**31 else None
