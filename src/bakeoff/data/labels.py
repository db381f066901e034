"""Labels of any kind to classes: whole numbers, text or one-hot rows in; 0 … k−1 and names out."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.class_names import check_known, checked_class_names
from bakeoff.errors import DataError
from bakeoff.utils.text import counted, natural, shown

_MISSING = ("nan", "na", "n/a", "<na>", "none", "null", "nat", "?")  # among numbers: no label
_LABELS = (str, bytes, bool, int, float, np.bool_, np.integer, np.floating)
_NAN_AMONG_TEXT = np.dtype("U32")  # what NumPy makes of a list of words and NaN
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Labels:
    """The labels of one part as they are given, and how many images they are for."""

    array: NDArray[Any]
    images: int


@dataclass(frozen=True)
class Classes:
    """int64 labels of all parts, 0 … k−1, and the k names."""

    values: NDArray[np.int64]
    names: tuple[str, ...]


def pooled_labels(
    given: Mapping[str, Labels], class_names: Sequence[str] | None, parts: Sequence[str]
) -> Classes:
    """Return the labels of all parts together.

    Parameters
    ----------
    given : labels by the name of their array
    class_names : names of 0 … k−1; without them the values themselves, in natural order
    parts : the names of the parts, in the same order

    Raises
    ------
    DataError
        If they are no labels, differ in kind, or a later part has a class that training lacks.
    """
    _check_widths(given)
    flat = {name: _flat(name, each) for name, each in given.items()}
    text = _are_text(flat)
    if text and class_names is not None:
        flat = {name: _named(name, each, class_names) for name, each in flat.items()}
        text = False
    values, labels = np.unique(_joined(list(flat.values())), return_inverse=True)
    labels = labels.reshape(-1).astype(np.int64, copy=False)
    if class_names is not None:
        names = list(class_names)
        _check_range(values, len(names), ", ".join(flat))
        labels = values.astype(np.int64)[labels]
    elif text:
        order = sorted(range(len(values)), key=lambda index: natural(str(values[index])))
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        labels, names = rank[labels], [str(values[index]) for index in order]
    else:
        names = [str(each) for each in values]
    shown_names = checked_class_names(names)
    ends = np.cumsum([len(each) for each in flat.values()]).tolist()
    for part, start, end in zip(parts[1:], ends, ends[1:], strict=False):
        check_known(labels[: ends[0]], labels[start:end], part, shown_names)
    return Classes(labels, shown_names)


def _are_text(flat: Mapping[str, NDArray[Any]]) -> bool:
    """Say whether labels, by the name of their array, are text; refuse text beside numbers."""
    kinds = {name: "text" if each.dtype.kind == "U" else "numbers" for name, each in flat.items()}
    first = next(iter(kinds))
    other = next((name for name in kinds if kinds[name] != kinds[first]), None)
    if other is not None:
        raise DataError(
            f"{other}: expected labels like those of {first}, which are {kinds[first]}, found "
            f"{kinds[other]}: store them alike"
        )
    return kinds[first] == "text"


def table_labels(values: Sequence[object]) -> NDArray[Any]:
    """Return the labels of a table, one a row: whole numbers where all are, else text.

    A cell that holds nothing, None or NaN becomes "", which `pooled_labels` refuses. Raises
    DataError for numbers with fractions, which are measurements.
    """
    texts = ["" if _is_nothing(each) else str(plain(each)).strip() for each in values]
    different = {text for text in texts if text}
    if not different or not all(map(_NUMBER.fullmatch, different)):
        return np.array(texts)
    fractions = sorted(text for text in different if float(text) % 1)
    if fractions:
        raise DataError(
            f"labels: expected whole numbers or text, found numbers with fractions such as "
            f"{shown(fractions[0])}: labels are the names of classes; those that look like numbers "
            "need a letter before them"
        )
    if "" in texts or any(abs(float(text)) >= 2**53 for text in different):
        return np.array(texts)
    return np.array([int(float(text)) for text in texts], dtype=np.int64)


def listed_labels(values: Sequence[object], name: str = "labels") -> NDArray[Any]:
    """Return labels that are given as Python objects, one an image, as an array.

    What is None or NaN among text becomes "", which `pooled_labels` refuses. Raises DataError for
    what is neither a number nor text, and no list of as many numbers for every image.
    """
    values = [plain(each) for each in values]
    nothing = [_is_nothing(each) for each in values]
    kinds = {type(each) for each, gone in zip(values, nothing, strict=True) if not gone}
    rows = [each for each in values if isinstance(each, list | tuple | np.ndarray)]
    if rows and len(rows) == len(values) and len({len(each) for each in rows}) == 1:
        return np.array(rows)
    strange = [kind for kind in kinds if not issubclass(kind, _LABELS)]
    if strange:
        place = next(i for i, each in enumerate(values) if type(each) is strange[0])
        raise DataError(
            f"{name}: expected whole numbers or text, found {shown(strange[0].__name__)}, the "
            f"first at [{place}]"
        )
    if all(issubclass(kind, bytes) for kind in kinds) and not any(nothing):
        return decoded(name, np.array(values))
    if any(nothing) or any(issubclass(kind, str) for kind in kinds):
        return np.array(
            ["" if gone else str(each) for each, gone in zip(values, nothing, strict=True)]
        )
    return np.array(values)


def plain(value: object) -> object:
    """Return the value of a member of an Enum, anything else as it is."""
    return value.value if isinstance(value, Enum) else value


def _is_nothing(value: object) -> bool:
    """Say whether a value is none: None, NaN, pandas's NA and NaT."""
    not_a_number = isinstance(value, float | np.floating) and bool(np.isnan(value))
    return value is None or not_a_number or type(value).__name__ in ("NAType", "NaTType")


def _check_widths(given: Mapping[str, Labels]) -> None:
    """Refuse one-hot rows of different widths: a column would be another class in each part."""
    widths = {
        name: each.array.shape[1]
        for name, each in given.items()
        if each.array.ndim == 2 and 1 not in each.array.shape
    }
    if len(set(widths.values())) > 1:
        first = next(iter(widths))
        other = next(name for name in widths if widths[name] != widths[first])
        raise DataError(
            f"{other}: expected one-hot rows of {widths[first]:,} columns as in {first}, found "
            f"{widths[other]:,}: a class keeps its column where it has no image"
        )


def check_there(name: str, array: NDArray[Any], files: Sequence[str] | None = None) -> None:
    """Refuse labels that are missing: NaN, nothing, or words such as nan among numbers.

    files : what the images are called, where they are files
    """
    if array.dtype.kind not in "fU":
        return
    if array.dtype.kind == "f":
        absent = np.isnan(array)
    else:
        texts = [str(each).strip() for each in np.unique(array).tolist()]
        rest = [text for text in texts if text.casefold() not in ("", *_MISSING)]
        numbers = bool(rest) and all(map(_NUMBER.fullmatch, rest))
        made = array.dtype == _NAN_AMONG_TEXT and max(map(len, texts)) < 32
        words = ("", *_MISSING) if numbers else ("", "nan") if made else ("",)
        if not any(text.casefold() in words for text in texts):
            return
        absent = np.array([each.strip().casefold() in words for each in array.tolist()])
    if absent.any():
        place = int(absent.argmax())
        text = str(array[place]).strip()
        which = f"at [{place}]" if files is None else f"of {files[place]}"
        raise DataError(
            f"{name}: expected a label for every image, found {counted(int(absent.sum()), 'image')}"
            f" without one, the first {which}{f' ({shown(text)})' if text else ''}: label it, "
            "or leave it out"
        )


def _about_rows(array: NDArray[Any]) -> str:
    """Say what is wrong with rows of labels that are not one-hot, and what to do."""
    if array.dtype.kind not in "bfui" or not np.isin(array, (0, 1)).all():
        return "other rows: if they are probabilities, store their argmax"
    if array.sum(axis=1).max() < 2:
        return "rows of no class: leave these images out"
    return (
        "rows of several classes or of none: images of several classes cannot be used; one column, "
        "as in y[:, 0], makes two classes of them"
    )


def _flat(name: str, labels: Labels) -> NDArray[Any]:
    """Return labels of shape (n,): whole numbers or text; one-hot rows become their column."""
    array = decoded(name, labels.array)
    if array.ndim == 2 and array.shape[1] > 1 and array.shape[0] == labels.images:
        if array.dtype.kind not in "bfui" or not is_one_hot(array):
            raise DataError(
                f"{name}: expected one label an image, shape (n,), or one-hot rows, found "
                f"{array.shape} with {_about_rows(array)}"
            )
        columns: NDArray[Any] = array.argmax(axis=1)
        return columns
    array = array.reshape(-1)
    check_there(name, array)
    if array.dtype.kind == "f":
        array = array.astype(np.float64, copy=False)
        if (
            not np.isfinite(array).all()
            or (array != np.round(array)).any()
            or (np.abs(array) >= 2**53).any()
        ):
            raise DataError(
                f"{name}: expected whole numbers or text, found {array.dtype} with fractions"
            )
        return array.astype(np.int64)
    return _composed(array) if array.dtype.kind == "U" else array


def _composed(array: NDArray[Any]) -> NDArray[Any]:
    """Return text in Unicode's composed form, so that names that look the same are the same."""
    values, indices = np.unique(array, return_inverse=True)
    return np.array([unicodedata.normalize("NFC", each) for each in values.tolist()])[indices]


def is_one_hot(array: NDArray[Any]) -> bool:
    """Say whether every row is 0 but for a single 1."""
    return bool(((array == 0) | (array == 1)).all() and (array.sum(axis=1, dtype=int) == 1).all())


def _named(name: str, array: NDArray[Any], class_names: Sequence[str]) -> NDArray[Any]:
    """Return the position of each label among the class names."""
    known = {unicodedata.normalize("NFC", each): index for index, each in enumerate(class_names)}
    strange = next((each for each in array.tolist() if each not in known), None)
    if strange is not None:
        raise DataError(
            f"{name}: expected labels that stand in class_names, found {shown(strange)!r}"
        )
    return np.array([known[each] for each in array.tolist()], dtype=np.int64)


def _joined(flat: list[NDArray[Any]]) -> NDArray[Any]:
    """Concatenate without the float64 that NumPy makes of int64 and uint64 together."""
    if flat[0].dtype.kind != "U" and any(each.max() > np.iinfo(np.int64).max for each in flat):
        raise DataError("labels: expected whole numbers below 2**63, found larger ones")
    return np.concatenate(
        [each if each.dtype.kind == "U" else each.astype(np.int64) for each in flat]
    )


def decoded(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return text kept as bytes as text, other arrays as they are."""
    if array.dtype.kind != "S":
        return array
    try:
        return np.char.decode(array, "utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{name}: expected text in UTF-8, found other bytes") from None


def _check_range(values: NDArray[Any], count: int, where: str) -> None:
    if values[0] < 0 or values[-1] >= count:
        found = values[0] if values[0] < 0 else values[-1]
        from_one = values[0] == 1 and values[-1] == count
        cure = ": they seem to count from 1; store y - 1" if from_one else ""
        cure = ": -1 means no label; leave those images out" if found == -1 else cure
        raise DataError(
            f"{where}: expected labels from 0 to {count - 1}, one for each of the {count} "
            f"class_names, found {found}{cure}"
        )
