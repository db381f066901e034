"""From arrays in memory to a data set: what pixels and labels may be, and how classes get names."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import DataSet
from bakeoff.errors import DataError, printable
from bakeoff.utils.text import shown

_BLOCK = 1 << 22  # values looked at in one go, so that checks need little memory
_DARK = 63


def from_arrays(
    name: str,
    x: NDArray[Any],
    y: NDArray[Any],
    x_test: NDArray[Any] | None = None,
    y_test: NDArray[Any] | None = None,
    *,
    class_names: Sequence[str] | None = None,
    notes: tuple[str, ...] = (),
) -> DataSet:
    """Make a data set of arrays.

    Parameters
    ----------
    name : str
    x, x_test : numbers, shape (n, height, width) or (n, height, width, 1 or 3)
        Whole numbers from 0 to 255, or floats in [0, 1] or [0, 255].
    y, y_test : whole numbers or text, shape (n,) or (n, 1)
        Any values without `class_names`; 0 … k−1 with them.
    class_names : sequence of str, optional
        Names of the classes; without them the sorted values of the labels are the names.

    Returns
    -------
    DataSet
        Whole-number images as uint8, others as float32. Arrays may be shared with the arguments.

    Raises
    ------
    DataError
        If shapes, types or values are others than those above.
    """
    images_by_name = {"x": x} if x_test is None else {"x_train": x, "x_test": x_test}
    labels_by_name = {"y": y} if y_test is None else {"y_train": y, "y_test": y_test}
    check_shapes(
        [(each, a.shape, a.dtype) for each, a in images_by_name.items()],
        [(each, a.shape, a.dtype) for each, a in labels_by_name.items()],
    )
    images, maximum = _images(images_by_name)
    test_start = None if x_test is None else len(x)
    labels, names = _labels(labels_by_name, class_names, test_start)
    if maximum == 255 and images.dtype == np.uint8 and images.max() <= _DARK:
        notes += (f"the brightest pixel is {images.max()} of 255: dark, or on another scale",)
    return DataSet(name, images, labels, names, maximum, test_start, notes)


Described = tuple[str, tuple[int, ...], np.dtype[Any]]


def check_shapes(images: Sequence[Described], labels: Sequence[Described]) -> None:
    """Refuse arrays that cannot be images and their labels, by name, shape and type alone.

    `images` and `labels` hold the training part, then the test part where there is one.
    """
    for name, shape, dtype in images:
        if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
            raise DataError(
                f"{name}: expected shape (n, height, width) or (n, height, width, 1 or 3), "
                f"found {shape}"
            )
        if 0 in shape:
            raise DataError(f"{name}: expected at least one image, found shape {shape}")
        if dtype.kind not in "buif":
            raise DataError(f"{name}: expected numbers, found {dtype}")
    for name, shape, dtype in labels:
        if len(shape) == 2 and shape[1] > 1:
            raise DataError(
                f"{name}: expected one label an image, shape (n,), found {shape}: if the rows are "
                "one-hot, store their argmax"
            )
        if len(shape) != 1 and (len(shape) != 2 or shape[1] != 1):
            raise DataError(f"{name}: expected shape (n,) or (n, 1), found {shape}")
        if dtype.kind not in "buiUS":
            raise DataError(f"{name}: expected whole numbers or text, found {dtype}")
    for (x_name, x_shape, _), (y_name, y_shape, _) in zip(images, labels, strict=True):
        if x_shape[0] != y_shape[0]:
            raise DataError(
                f"{y_name}: expected {x_shape[0]:,} labels, one for every image of {x_name}, "
                f"found {y_shape[0]:,}"
            )
    (first, first_shape, first_type), (other, other_shape, other_type) = images[0], images[-1]
    if _size(first_shape) != _size(other_shape):
        raise DataError(
            f"{other}: expected images of {_size(first_shape)} as in {first}, "
            f"found {_size(other_shape)}"
        )
    if (first_type.kind == "f") != (other_type.kind == "f"):
        raise DataError(
            f"{other}: expected numbers like those of {first} ({first_type}), found {other_type}"
        )


def _size(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[1:], 1)[:3]


def _images(arrays: dict[str, NDArray[Any]]) -> tuple[NDArray[Any], float]:
    """Return (images pooled, maximum)."""
    highest = max(_check_pixels(name, array) for name, array in arrays.items())
    given = list(arrays.values())
    dtype = np.dtype(np.float32 if given[0].dtype.kind == "f" else np.uint8)
    shape = (sum(len(each) for each in given), *_size(given[0].shape))
    if len(given) == 1:
        pooled = given[0].astype(dtype, copy=False).reshape(shape)
    else:
        pooled = np.empty(shape, dtype)
        start = 0
        for each in given:
            pooled[start : start + len(each)] = each.reshape((len(each), *shape[1:]))
            start += len(each)
    return pooled, 1.0 if 0 < highest <= 1 or (dtype.kind == "f" and highest <= 1) else 255.0


def _check_pixels(name: str, array: NDArray[Any]) -> float:
    """Return the largest pixel; refuse what is not finite or lies outside 0 … 255."""
    step = max(1, _BLOCK // max(1, array[0].size))
    highest = 0.0
    for start in range(0, len(array), step):
        block = array[start : start + step]
        if block.dtype.kind == "f" and not np.isfinite(block).all():
            where = np.argwhere(~np.isfinite(block))[0]
            place = ", ".join(str(int(each)) for each in (where[0] + start, *where[1:]))
            raise DataError(
                f"{name}: expected finite pixels, found {block[tuple(where)]} at [{place}]"
            )
        low, high = block.min(), block.max()
        if low < 0 or high > 255:
            expected = "in [0, 1] or [0, 255]" if block.dtype.kind == "f" else "from 0 to 255"
            raise DataError(
                f"{name}: expected pixels {expected}, found {low if low < 0 else high}: rescale it"
            )
        highest = max(highest, float(high))
    return highest


def _labels(
    arrays: dict[str, NDArray[Any]], class_names: Sequence[str] | None, test_start: int | None
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return (labels pooled, class names)."""
    flat = [decoded(name, array.reshape(-1)) for name, array in arrays.items()]
    if len({each.dtype.kind == "U" for each in flat}) == 2:
        raise DataError(f"{list(arrays)[-1]}: expected labels like those of {next(iter(arrays))}")
    values, labels = np.unique(_joined(flat), return_inverse=True)
    labels = labels.astype(np.int64, copy=False)
    if class_names is None:
        names = [str(each) for each in values]
    else:
        names = list(class_names)
        _check_range(values, len(names), ", ".join(arrays))
        labels = values.astype(np.int64)[labels]
    shown_names = checked_class_names(names)
    if test_start is not None:
        check_test_classes(labels, test_start, shown_names)
    return labels, shown_names


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
    if values.dtype.kind == "U":
        raise DataError(f"{where}: expected whole numbers beside class_names, found text")
    if values[0] < 0 or values[-1] >= count:
        found = values[0] if values[0] < 0 else values[-1]
        raise DataError(
            f"{where}: expected labels from 0 to {count - 1}, one for each of the {count} "
            f"class_names, found {found}"
        )


def checked_class_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return class names as they can be shown; there must be two or more, all different."""
    clean = tuple(printable(name).strip() for name in names)
    if len(clean) < 2:
        raise DataError(f"expected at least 2 classes, found {len(clean)}: nothing to tell apart")
    seen: set[str] = set()
    for position, name in enumerate(clean):
        if not name:
            raise DataError(f"class {position}: expected a name, found an empty one")
        if name in seen:
            raise DataError(f"expected different class names, found {shown(name)} twice")
        seen.add(name)
    return clean


def check_test_classes(
    labels: NDArray[np.int64], test_start: int, class_names: tuple[str, ...]
) -> None:
    """Refuse a test part with a class of which the training part has no image."""
    known = np.bincount(labels[:test_start], minlength=len(class_names)) > 0
    strange = np.flatnonzero(~known[labels[test_start:]])
    if len(strange):
        raise DataError(
            f"class {shown(class_names[labels[test_start + strange[0]]])}: expected in the "
            "training part too, found in the test part only"
        )
