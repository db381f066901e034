"""Data sets that give (image, label) item by item, or batch by batch: read once into arrays."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from itertools import count, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.image_files.image_file import flat_picture
from bakeoff.data.labels import listed_labels, plain
from bakeoff.data.words import role_of
from bakeoff.errors import BakeoffError, DataError, printable
from bakeoff.utils.machine import available_memory
from bakeoff.utils.text import counted, listed, shown, some

_ENDLESS = -1  # tf.data.INFINITE_CARDINALITY
_OBJECT = 200  # bytes that an array takes beside its values
_END = (
    "use smaller images or fewer; what has no end needs one, as in itertools.islice(items, 1000) "
    "or tf.data's take(1000)"
)


def as_array(value: Any, name: str = "data") -> NDArray[Any]:
    """Return an array, a tensor of another library or a list as a NumPy array; text as text.

    name : what errors call it
    """
    value = _decoded(plain(value))
    if hasattr(value, "detach"):  # torch
        value = value.detach().cpu()
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise DataError(
            f"{name}: expected arrays without gaps, found one with masked values: fill them "
            "(x.filled(0)), or leave those images out"
        )
    if isinstance(value, list | tuple) and any(isinstance(each, str | Enum) for each in value):
        return listed_labels(value, name)
    try:
        array = np.asarray(value)
    except ValueError:  # lists of several lengths
        raise DataError(
            f"{name}: expected arrays, found a list of things of several shapes: give images of "
            "one shape as one array, apart from their labels"
        ) from None
    if array.dtype.kind == "O" and {type(each) for each in array.flat} <= {int, bool, np.int64}:
        if any(abs(int(each)) >= 2**63 for each in array.flat):
            raise DataError(f"{name}: expected whole numbers below 2**63, found larger ones")
        array = array.astype(np.int64)
    if array.dtype.kind in "OT" and array.shape in ((array.size,), (array.size, 1)):
        array = listed_labels(array.reshape(-1).tolist(), name)
    if array.dtype.kind == "O":
        found = type(array.flat[0]).__name__
        raise DataError(
            f"{name}: expected arrays of numbers or text, found {found}: give images of one shape "
            "as one array, apart from their labels"
        )
    return array


def _decoded(value: Any) -> Any:
    """Return a picture of Pillow's, or a list, array or column of them, as arrays.

    All else is returned as it is. NumPy takes a palette's numbers, or the values of YCbCr and HSV,
    for pixels.
    """
    if hasattr(value, "getbands"):
        return np.asarray(flat_picture(value))
    listed_ = isinstance(value, list | tuple) or getattr(value, "dtype", None) == np.dtype(object)
    if not listed_ or getattr(value, "ndim", 1) != 1 or len(value) == 0:
        return value
    pictures = all(hasattr(each, "getbands") for each in value)
    return [np.asarray(flat_picture(each)) for each in value] if pictures else value


def gathered(value: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (images, labels) of an object that gives them one by one, or in batches.

    Raises DataError for other objects, images of several shapes, and more than fits in half of the
    free memory, which what has no end comes to.
    """
    try:
        return _gathered(value)
    except MemoryError:
        raise DataError(f"data: expected images that fit in memory, found more: {_END}") from None


def _gathered(value: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    images: list[NDArray[Any]] = []
    labels: list[NDArray[Any]] = []
    batched: bool | None = None
    limit, size = available_memory() // 2, 0
    for image, label in _pairs(value):
        if batched is None or image.ndim != images[0].ndim + batched:
            batched = _is_batch(image, label)
        size += image.nbytes + _OBJECT * (len(image) if batched else 1)
        if size > limit:
            raise DataError(
                f"data: expected at most {limit:,} bytes of images (half of the free memory), "
                f"found more after {len(images):,} images: {_END}"
            )
        images += list(image) if batched else [image]
        labels += list(label) if batched else [label]
    if not images:
        raise DataError("data: expected images and labels, found none")
    _check_one_shape(images, labels)
    values = [each.item() if each.ndim == 0 else each for each in labels]
    if any(isinstance(each, str) for each in values):
        return np.stack(images), listed_labels(values, "labels")
    return np.stack(images), np.stack(labels)


def _check_one_shape(images: Sequence[NDArray[Any]], labels: Sequence[NDArray[Any]]) -> None:
    shapes = {each.shape for each in images}
    if len(shapes) > 1:
        colours = len({each[:2] for each in shapes}) == 1 and {*map(len, shapes)} <= {2, 3}
        cure = "resize them" if not colours else "make all grey, or all RGB (convert('RGB')),"
        raise DataError(
            f"data: expected images of one shape, found {_few(shapes)}: {cure} where they are read"
        )
    kinds = {each.shape for each in labels}
    if len(kinds) > 1:
        raise DataError(
            f"data: expected one label an image, found labels of the shapes {_few(kinds)}: an "
            "image of several classes cannot be used"
        )


def _few(shapes: set[tuple[int, ...]]) -> str:
    return listed([str(each) for each in islice(sorted(shapes), 3)])


def _pairs(value: Any) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield (image, label) of every item; what the owner's own code raises names the item."""
    items = _items(value)
    for number in count():
        try:
            item = next(items)
        except StopIteration:
            return
        except (BakeoffError, MemoryError):
            raise
        except Exception as error:  # code of the user's, or of another library
            reason = printable(str(error))[:200]
            raise DataError(
                f"data: expected (image, label) in every item, found {type(error).__name__} at "
                f"item {number} ({reason}): mend or leave it out"
            ) from error
        yield _pair(item)


def _is_batch(image: NDArray[Any], label: NDArray[Any]) -> bool:
    """Say whether an item is a batch; one image of 8 × 8 × 3 may have a one-hot label of 8."""
    if label.ndim == 0 or image.ndim < 3 or len(label) != len(image):
        return False
    one_hot = (
        label.ndim == 1 and label.dtype.kind in "buif" and sorted(label.tolist())[-2:] == [0, 1]
    )
    channels = image.shape[0] in (1, 3) or image.shape[-1] in (1, 3)
    return not (image.ndim == 3 and channels and one_hot)


def _items(value: Any) -> Iterator[Any]:
    if hasattr(value, "as_numpy_iterator"):  # tf.data
        if hasattr(value, "cardinality") and int(value.cardinality()) == _ENDLESS:
            raise DataError(
                "data: expected a data set with an end, found one that repeats for ever: leave "
                "repeat() out, or give take(1000)"
            )
        return iter(value.as_numpy_iterator())
    if hasattr(value, "__getitem__") and hasattr(value, "__len__"):  # torch's and Hugging Face's
        return (value[index] for index in range(len(value)))
    return iter(value)


def _pair(item: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    found = type(item).__name__
    if isinstance(item, Mapping):
        keys = some([shown(str(key)) for key in item])
        found = f"a mapping with {keys}" if item else "an empty mapping"
        if {"x", "y"} <= {role_of(str(key)) for key in item}:
            found += ", one of them None"
        item = (_only(item, "x", "image"), _only(item, "y", "label"))
    elif isinstance(item, tuple | list) and len(item) != 2:
        found = f"{counted(len(item), 'object')}"
    if not isinstance(item, tuple | list) or len(item) != 2 or item[0] is None or item[1] is None:
        raise DataError(
            f"data: expected (image, label) in every item, found {found}: give such pairs"
        )
    image, label = item
    return as_array(image), as_array(label)


def _only(item: Mapping[Any, Any], role: str, word: str) -> Any:
    """Return what an item has in the one key of this role; None where it has no such key."""
    keys = [key for key in item if role_of(str(key)) == role]
    if len(keys) > 1:
        names = listed(shown(str(key)) for key in keys)
        raise DataError(
            f"data: expected one {word} in every item, found {names}: leave out what is not meant, "
            "or give pairs (image, label)"
        )
    return item[keys[0]] if keys else None
