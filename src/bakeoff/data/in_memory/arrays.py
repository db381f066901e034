"""From arrays in memory to a data set: what pixels and labels may be, and how classes get names."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import scale as scales
from bakeoff.data.dataset import DataSet, part_starts
from bakeoff.data.labels import Labels, pooled_labels
from bakeoff.data.scale import Reach
from bakeoff.errors import DataError

_BLOCK = 1 << 22  # values looked at in one go, so that checks need little memory
_SQUARE = 4096  # the longest side of images that come as flat rows
_MOST_CLASSES = 10_000  # columns of one-hot labels

Shape = tuple[int, ...]
Described = tuple[str, Shape, np.dtype[Any]]


@dataclass(frozen=True)
class Given:
    """Images and labels of one part, and what their owner calls the two arrays."""

    images: NDArray[Any]
    labels: NDArray[Any]
    images_name: str = "x"
    labels_name: str = "y"


def from_parts(
    name: str,
    parts: Mapping[str, Given],
    *,
    class_names: Sequence[str] | None = None,
    scale: float | None = None,
    notes: tuple[str, ...] = (),
) -> DataSet:
    """Make a data set of the arrays of its parts.

    Parameters
    ----------
    name : str
    parts : train, and where they are the data's own validation and test, in this order
        Images: numbers of shape (n, height, width), (n, height, width, 1 or 3), (n, 1 or 3, height,
        width), or (n, side²) for square images in rows. Labels: whole numbers or text of shape
        (n,), (n, 1) or (1, n), or one-hot rows of shape (n, k).
    class_names : sequence of str, optional
        Names of the classes 0 … k−1; without them the values of the labels, in natural order, are
        the names.
    scale : float, optional
        The pixel value that means white; recognised where it is plain without it.

    Returns
    -------
    DataSet
        Images of up to 255 in whole numbers as uint8, others as float32. Arrays may be shared with
        the arguments.

    Raises
    ------
    DataError
        If shapes, types or values are others than those above.
    """
    parts = _called_apart(parts)
    check_shapes(
        [(each.images_name, each.images.shape, each.images.dtype) for each in parts.values()],
        [(each.labels_name, each.labels.shape, each.labels.dtype) for each in parts.values()],
    )
    arranged = {each.images_name: arrange(each.images) for each in parts.values()}
    moved = [
        each.images_name
        for each in parts.values()
        if each.images.ndim == 4 and arranged[each.images_name].shape != each.images.shape
    ]
    if moved:
        notes += (f"{', '.join(moved)}: the channels stood first; they stand last now",)
    reaches = {each.images_name: reach(each.images_name, each.images) for each in parts.values()}
    images, maximum, remarks = _pooled(arranged, reaches, scale)
    if scale is None:
        for each in parts.values():
            scales.check_images_alike(each.images_name, scales.highest(each.images), maximum)
    counts = {part: len(each.images) for part, each in parts.items()}
    labels = pooled_labels(
        {each.labels_name: Labels(each.labels, len(each.images)) for each in parts.values()},
        class_names,
        list(parts),
    )
    validation_start, test_start = part_starts(counts)
    return DataSet(
        name,
        images,
        labels.values,
        labels.names,
        maximum,
        test_start,
        notes=notes + remarks,
        validation_start=validation_start,
    )


def _called_apart(parts: Mapping[str, Given]) -> Mapping[str, Given]:
    """Return the parts with arrays of different names: files of two folders may share one."""
    names = [name for each in parts.values() for name in (each.images_name, each.labels_name)]
    if len(set(names)) == len(names):
        return parts
    return {
        part: replace(
            each,
            images_name=f"{each.images_name}, {part}",
            labels_name=f"{each.labels_name}, {part}",
        )
        for part, each in parts.items()
    }


# ── shapes ───────────────────────────────────────────────────────────────────────────────────


def check_shapes(images: Sequence[Described], labels: Sequence[Described]) -> None:
    """Refuse arrays that cannot be images and their labels, by name, shape and type alone.

    `images` and `labels` hold the training part, then the other parts where there are any.
    """
    for name, shape, dtype in images:
        if 0 in shape:
            raise DataError(f"{name}: expected at least one image, found shape {shape}")
        arranged_shape(name, shape)
        if dtype.kind not in "buif":
            raise DataError(f"{name}: expected numbers, found {dtype}")
    for (name, shape, dtype), (x_name, x_shape, _) in zip(labels, images, strict=True):
        rows = shape[1] if len(shape) == 2 and shape[0] == 1 else shape[0] if shape else 0
        if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] > _MOST_CLASSES < rows):
            raise DataError(f"{name}: expected shape (n,) or (n, 1), found {shape}")
        if dtype.kind not in "buiUSf":
            raise DataError(f"{name}: expected whole numbers or text, found {dtype}")
        if x_shape[0] != rows:
            raise DataError(
                f"{name}: expected {x_shape[0]:,} labels, one for every image of {x_name}, "
                f"found {rows:,}"
                + (
                    ": the images seem to be counted last; store np.moveaxis(x, -1, 0)"
                    if x_shape[-1] == rows > max(x_shape[:-1])
                    else ""
                )
            )
    first, first_shape, _ = images[0]
    wanted = arranged_shape(first, first_shape)
    for other, shape, _ in images[1:]:
        found = arranged_shape(other, shape)
        if found != wanted:
            raise DataError(f"{other}: expected images of {wanted} as in {first}, found {found}")


def arranged_shape(name: str, shape: Shape) -> Shape:
    """Return (height, width, channels) of the images in an array of this shape; refuse others."""
    if len(shape) == 3 and 1 in shape[1:] and square_side(max(shape[1:])) > 2:
        shape = (shape[0], max(shape[1:]))  # flat rows, and an axis of channels beside them
    if len(shape) == 3 and not _colour_rows(shape):
        return (*shape[1:], 1)
    if len(shape) == 4 and shape[3] in (1, 3):
        return shape[1:]
    if len(shape) == 4 and shape[1] in (1, 3):
        return (*shape[2:], shape[1])
    side = square_side(shape[1]) if len(shape) == 2 else 0
    if 1 < side <= _SQUARE:
        return (side, side, 1)
    raise DataError(f"{name}: expected shape (n, height, width) or (n, height, width, 1 or 3), "
                    f"found {shape}{_cure(shape)}")  # fmt: skip


def square_side(pixels: int) -> int:
    """Return the side of a square image of so many pixels; 0 where there is none."""
    side = math.isqrt(pixels)
    return side if side * side == pixels else 0


def _colour_rows(shape: Shape) -> bool:
    """Say whether square images in three colours lie in rows, as CIFAR's do, and not in lines."""
    return 3 in shape[1:] and square_side(max(shape[1:])) > 3


def _cure(shape: Shape) -> str:
    if len(shape) == 3:
        side = square_side(max(shape[1:]))
        wanted = (3, side, side) if shape[1] == 3 else (side, side, 3)
        return f": reshape the rows of colours, as in x.reshape(-1, {', '.join(map(str, wanted))})"
    side = square_side(shape[1] // 3) if len(shape) == 2 else 0
    if side > 1 and shape[1] == 3 * side * side:
        return (
            f": rows of colours may be stored in two ways; reshape them, as in "
            f"x.reshape(-1, 3, {side}, {side}) or x.reshape(-1, {side}, {side}, 3)"
        )
    if len(shape) == 2:
        return ": reshape the rows, as in x.reshape(-1, height, width)"
    if len(shape) == 4 and shape[2] in (1, 3):
        return ": the images seem to be counted last; store np.moveaxis(x, 3, 0)"
    if len(shape) == 4 and 4 in (shape[1], shape[3]):
        return ": leave the transparency out, as in x[..., :3]"
    if len(shape) == 4 and shape[1] < min(shape[2:]):
        return ": move the channel axis last, and keep 1 or 3 channels"
    if len(shape) == 4:
        return ": keep 1 or 3 channels, as in x[..., :1]"
    return ""


def arrange(array: NDArray[Any]) -> NDArray[Any]:
    """Return images as (n, height, width, channels); a view where that is possible."""
    shape = arranged_shape("x", array.shape)
    if array.ndim == 4 and array.shape[1:] != shape:
        return np.moveaxis(array, 1, 3)
    return array.reshape((len(array), *shape))


# ── pixels ───────────────────────────────────────────────────────────────────────────────────


def _pooled(
    arrays: Mapping[str, NDArray[Any]], reaches: Mapping[str, Reach], scale: float | None
) -> tuple[NDArray[Any], float, tuple[str, ...]]:
    """Return (images pooled, maximum, notes)."""
    if len({each.whole for each in reaches.values()}) == 2:  # of one scale, or refused
        reaches = {name: Reach(each.low, each.high, whole=False) for name, each in reaches.items()}
    maximum, notes = scales.white(reaches, scale)
    given = list(arrays.values())
    floats = any(each.dtype.kind == "f" for each in given)
    bytes_do = not floats and max(each.high for each in reaches.values()) <= 255
    dtype = np.dtype(np.uint8 if bytes_do else np.float32)
    if len(given) == 1:
        return np.ascontiguousarray(given[0].astype(dtype, copy=False)), maximum, notes
    pooled = np.empty((sum(len(each) for each in given), *given[0].shape[1:]), dtype)
    start = 0
    for each in given:
        pooled[start : start + len(each)] = each
        start += len(each)
    return pooled, maximum, notes


def reach(name: str, array: NDArray[Any]) -> Reach:
    """Return the smallest and largest pixel; refuse what is not finite.

    Floats that are all whole numbers, and not only 0 and 1, count as whole numbers.
    """
    step = max(1, _BLOCK // max(1, array[0].size))
    low, high, whole = np.inf, -np.inf, True
    for start in range(0, len(array), step):
        block = array[start : start + step]
        if block.dtype.kind == "f" and not np.isfinite(block).all():
            where = np.argwhere(~np.isfinite(block))[0]
            place = ", ".join(str(int(each)) for each in (where[0] + start, *where[1:]))
            raise DataError(
                f"{name}: expected finite pixels, found {block[tuple(where)]} at [{place}]"
            )
        low, high = min(low, float(block.min())), max(high, float(block.max()))
        whole = whole and (block.dtype.kind != "f" or bool((block == np.round(block)).all()))
    return Reach(low, high, whole=array.dtype.kind != "f" or (whole and high > 1))
