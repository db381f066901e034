"""What a data set is once it is loaded: images, labels, classes, and the parts it comes with."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.sources import Pictures


@dataclass(frozen=True, eq=False)
class DataSet:
    """Images and their classes: the training part, then validation, then test. Read-only.

    Attributes
    ----------
    name : str
        "mnist", or the name of the folder or file.
    images : uint8 or float32, shape (n, height, width, channels)
        As stored, not scaled; channels is 1 or 3.
    labels : int64, shape (n,)
        0 … n_classes − 1.
    class_names : tuple of str
        Printable, all different.
    maximum : float
        The pixel value that means white; images / maximum lies in [0, 1].
    test_start : int or None
        Position where the data set's own test part begins; None where it has none.
    notes : tuple of str
        What a user should know about how it was read; one sentence each.
    origins : uint64, shape (n,), or None
        What every image was before it was decoded or resized, as `source_images.content_key`;
        None where `images` are what was stored.
    validation_start : int or None
        Position where the data set's own validation part begins; None where it has none.
    files : tuple of str or None
        What the files are called that images were read from, one for each image, as shown.
    deep_white : float or None
        What white was in picture files of 16 bits, brought to 255 when they were decoded; None
        where there were none.
    pictures : Pictures or None
        How picture files that Python named were brought to arrays; None for all other data, where
        the recipe says so or there were none.
    """

    name: str
    images: NDArray[Any]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    maximum: float
    test_start: int | None
    notes: tuple[str, ...] = ()
    origins: NDArray[np.uint64] | None = None
    validation_start: int | None = None
    files: tuple[str, ...] | None = None
    deep_white: float | None = None
    pictures: Pictures | None = None

    def __post_init__(self) -> None:
        for array in (self.images, self.labels):
            array.flags.writeable = False

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of one image."""
        height, width, channels = self.images.shape[1:]
        return height, width, channels

    @cached_property
    def hash(self) -> str:
        """SHA-256, hexadecimal, of shapes, dtypes, images, labels and class names.

        Where the data came from and what it is called do not enter.
        """
        digest = hashlib.sha256()
        for array in (self.images, self.labels):
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            digest.update(f"{little.dtype.str} {little.shape}\n".encode())
            digest.update(np.ascontiguousarray(little).data)
        digest.update(f"{self.maximum} {self.test_start} {list(self.class_names)}\n".encode())
        if self.validation_start is not None:
            digest.update(f"validation from {self.validation_start}\n".encode())
        return digest.hexdigest()


def class_counts(
    data: DataSet, parts: Mapping[str, NDArray[np.int64]]
) -> dict[str, NDArray[np.int64]]:
    """Count the images of every class in every part.

    Parameters
    ----------
    data : DataSet
    parts : mapping of name to int64 positions
        For instance `Split.parts()`, or `own_parts(data)`.

    Returns
    -------
    dict of name to int64, shape (n_classes,)
    """
    return {
        name: np.bincount(data.labels[positions], minlength=data.n_classes)
        for name, positions in parts.items()
    }


def own_parts(data: DataSet) -> dict[str, NDArray[np.int64]]:
    """Return the parts a data set comes with: train, validation and test, or all."""
    everything = np.arange(len(data.labels))
    if data.test_start is None and data.validation_start is None:
        return {"all": everything}
    end = len(everything) if data.test_start is None else data.test_start
    begin = end if data.validation_start is None else data.validation_start
    validation = {"validation": everything[begin:end]} if begin < end else {}
    return {"train": everything[:begin], **validation, "test": everything[end:]}


def part_starts(counts: Mapping[str, int]) -> tuple[int | None, int | None]:
    """Return (validation_start, test_start) of a data set.

    counts : how many images each of its own parts has, in the order train, validation, test
    """
    validation = counts["train"] if "validation" in counts else None
    return validation, sum(counts.values()) - counts["test"] if "test" in counts else None


def about_pixels(maximum: float) -> str:
    """Say how pixels become the numbers that a network gets."""
    if maximum == 1:
        return "pixels from 0 to 1, as they are"
    return f"pixels from 0 to {maximum:.8g}, divided by {maximum:.8g}"
