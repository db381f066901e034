"""Data as it is at hand in Python: arrays, frames, data sets of torch, TensorFlow or Hugging Face.

None of these libraries is imported here; their objects are known by what they can do. What comes
item by item is read once into arrays.
"""

import math
from collections.abc import Mapping, Sequence
from numbers import Number
from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bakeoff.data.dataset import DataSet
from bakeoff.data.formats.array_keys import array_keys, given_parts, in_python
from bakeoff.data.in_memory.arrays import Given, from_parts
from bakeoff.data.in_memory.carried_names import carried_names, with_names
from bakeoff.data.in_memory.frames import (
    columns_of,
    from_frame,
    is_frame,
    one_hot_names,
    pixels_in_order,
)
from bakeoff.data.in_memory.items import as_array, gathered
from bakeoff.data.remarks import with_remarks
from bakeoff.data.words import bare, role_of
from bakeoff.errors import DataError
from bakeoff.utils.text import shown, some

NAME = "arrays"
_FORMS = (
    "(x, y), (x_train, y_train, x_test, y_test), a mapping of arrays, a DataSet, a pandas frame of "
    "paths and labels, or a torch or tf.data set of images and labels"
)
_SEVERAL = (
    "give the one of training images alone, and split.test takes a test part from it; or read the "
    "images and labels of all into arrays, (x_train, y_train, x_test, y_test)"
)


def is_declared(value: object) -> bool:
    """Say whether a value is what a recipe may say: a name, a path or a mapping of plain values."""
    if isinstance(value, str | Path) or value is None:
        return True
    return isinstance(value, Mapping) and not any(map(_is_data, value.values()))


def _is_data(value: object) -> bool:
    """Say whether a value of a mapping holds images or labels, which no recipe may say."""
    if isinstance(value, list | tuple):
        value = value[0] if value else None
    return value is not None and not isinstance(value, str | PathLike | Number | Mapping)


def from_python(value: Any) -> DataSet:
    """Return the data set that Python objects hold.

    Parameters
    ----------
    value : (x, y), (x_train, y_train, x_test, y_test), six arrays with validation in the middle,
        ((x_train, y_train), (x_test, y_test)), a mapping of arrays by their usual names, a DataSet,
        a pandas frame of paths and labels, or anything that gives (image, label) item by item or
        batch by batch

    Raises
    ------
    DataError
        If it is none of these, or `from_parts` refuses the arrays.
    """
    if isinstance(value, DataSet):
        return value
    return with_remarks(_read(value))


def _read(value: Any) -> DataSet:
    if is_frame(value):
        return from_frame(NAME, value)
    if isinstance(value, Mapping):
        return _from_mapping(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and len(value) < 7:
        return _from_sequence(value)
    items = any(hasattr(value, each) for each in ("__getitem__", "__iter__", "as_numpy_iterator"))
    if items and not _is_array(value):
        images, labels = gathered(value)
        return _named({"train": Given(images, labels, "images", "labels")}, carried_names(value))
    raise DataError(f"data: expected {_FORMS}, found {type(value).__name__}")


def _named(parts: Mapping[str, Given], carried: tuple[list[str], str] | None) -> DataSet:
    """Return the data set of these parts; its classes are called as the owner's object says."""
    if carried is None:
        return from_parts(NAME, parts)
    names, attribute = carried
    numbered, chosen = with_names(parts, names)
    notes = () if chosen is None else (f"classes are called as the data set's .{attribute} says",)
    return from_parts(NAME, numbered, class_names=chosen, notes=notes)


def _framed(
    parts: Mapping[str, Given],
    columns: Mapping[str, Sequence[str]],
    class_names: Sequence[str] | None = None,
    notes: tuple[str, ...] = (),
    scale: float | None = None,
) -> DataSet:
    """Return the data set of these parts, of which some arrays were frames with these columns."""
    parts, moved = pixels_in_order(parts, columns)
    hot = one_hot_names(parts, columns)
    if class_names is None and hot is not None:
        parts, class_names = with_names(parts, hot)
    return from_parts(NAME, parts, class_names=class_names, scale=scale, notes=notes + moved)


def _is_array(value: object) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype") and not hasattr(value, "columns")


def _gives_items(value: object) -> bool:
    """Say whether an object is a data set of torch, TensorFlow or Hugging Face; not an array."""
    own = any(hasattr(value, each) for each in ("__getitem__", "as_numpy_iterator", "dataset"))
    plain = isinstance(value, Sequence | Mapping) or hasattr(value, "iloc")  # columns, too
    return own and not plain and not _is_array(value)


def _from_sequence(value: Sequence[Any]) -> DataSet:
    if len(value) > 1 and all(map(_gives_items, value)):
        raise DataError(f"data: expected one data set, found {len(value)}: {_SEVERAL}")
    flat: list[Any] = []
    for each in value:
        pair = isinstance(each, tuple) and len(each) == 2 and len(value) in (2, 3)
        flat += list(each) if pair and any(_is_array(one) for one in each) else [each]
    names = {2: ["train"], 4: ["train", "test"], 6: ["train", "validation", "test"]}
    if len(flat) not in names:
        raise DataError(f"data: expected {_FORMS}, found {len(flat)} objects")
    arrays = [as_array(each) for each in flat]
    parts: dict[str, Given] = {}
    columns: dict[str, list[str]] = {}
    for part, (x, y) in zip(names[len(flat)], _pairs(arrays), strict=True):
        x_name, y_name = ("x", "y") if len(flat) == 2 else (f"x_{part}", f"y_{part}")
        parts[part] = Given(arrays[x], arrays[y], x_name, y_name)
        columns |= {x_name: columns_of(flat[x]), y_name: columns_of(flat[y])}
    return _framed(parts, columns)


def _pairs(arrays: Sequence[NDArray[Any]]) -> list[tuple[int, int]]:
    """Return where the images and the labels of each part are: beside each other, usually.

    Or all images come first, then all labels, as scikit-learn's train_test_split returns them.
    """
    half = len(arrays) // 2
    images, labels = ({each.ndim for each in group} for group in (arrays[:half], arrays[half:]))
    if half > 1 and len(images) == len(labels) == 1 and min(images) > max(labels):
        return [(index, half + index) for index in range(half)]
    return [(2 * index, 2 * index + 1) for index in range(half)]


def _from_mapping(value: Mapping[str, Any]) -> DataSet:
    stated, value = _scale(value)
    arrays = {
        str(key): as_array(each)
        for key, each in value.items()
        if (_is_array(each) or role_of(str(key)) is not None) and not _is_no_name(str(key), each)
    }
    if not arrays:
        if value and all(map(_gives_items, value.values())):
            called = some([shown(str(each)) for each in value])
            raise DataError(
                f"data: expected one data set, found a mapping with {called}: {_SEVERAL}"
            )
        raise DataError(
            f"data: expected {_FORMS}, found a mapping with {some([shown(str(e)) for e in value])}"
        )
    keys, notes = array_keys(
        {key: (each.shape, each.dtype.kind in "US") for key, each in arrays.items()},
        None,
        in_python,
    )
    texts = [str(each) for each in arrays[keys["class_names"]]] if "class_names" in keys else None
    columns = {key: columns_of(value.get(key)) for key in arrays}
    return _framed(given_parts(keys, arrays), columns, texts, tuple(notes), stated)


def _scale(value: Mapping[str, Any]) -> tuple[float | None, Mapping[str, Any]]:
    """Return the scale that a mapping of arrays states, if it does, and the mapping without it."""
    scale = value.get("scale")
    if isinstance(scale, bool) or not isinstance(scale, Number) or scale is None:
        return None, value
    stated = float(scale)  # type: ignore[arg-type]
    if not 0 < stated < math.inf:
        raise DataError(f"scale: expected a number above 0, found {stated:g}")
    return stated, {key: each for key, each in value.items() if key != "scale"}


def _is_no_name(key: str, value: Any) -> bool:
    """Say whether a value is called like names of classes and holds none, as fetch_openml's."""
    if role_of(key) != "class_names":
        return False
    numbered = isinstance(value, Mapping) and any(
        isinstance(each, int) for each in (*value, *value.values())
    )
    if bare(key) == "targetnames" and not isinstance(value, Mapping):
        return as_array(value).size < 2  # there, of the column of labels
    return value is None or (isinstance(value, Mapping) and not numbered)
