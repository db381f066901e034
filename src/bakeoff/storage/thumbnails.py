"""Small copies of the images that a report shows; pictures.npz in the study's folder holds them.

The file is derived: it can be deleted, and is made again where the data is at hand. It holds the
hash of the test set it was taken from, and is not used beside another one.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.formats.npz import read_arrays
from bakeoff.errors import DataError

MOST_SIDE = 128  # pixels; larger images are made smaller
SAMPLE_SIDE = 64  # of the samples, which are many
_PLAIN_SIDE = 48  # larger images are stored as JPEG, which takes a tenth as many bytes
_LONGEST_NAME = 200
_ARRAYS = ("test_hash", "indices", "images", "sample_labels", "samples")
_STORED = {"indices": "places"}  # in the file, since version 0.1.0
_NAMES = ("names", "sample_names")  # files of before 0.2 have none
_LARGEST = 64 * 2**20  # bytes of the file and of its arrays together

Image = NDArray[np.uint8]  # (height, width, channels), 255 is white


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images of the test part by their index in it, and samples of the training part's classes.

    Attributes
    ----------
    test_hash : SHA-256 of the test set, as study.json has it
    indices : int64, shape (n,), ascending; rows of an opening's predictions, from 0
    images : uint8, shape (n, height, width, channels); channels is 1 or 3
    sample_labels : int64, shape (m,)
    samples : uint8, shape (m, height, width, channels)
    names : "class/file" of every image, shape (n,); "" where the data has no files
    sample_names : the same of every sample, shape (m,)
    """

    test_hash: str
    indices: NDArray[np.int64]
    images: NDArray[np.uint8]
    sample_labels: NDArray[np.int64]
    samples: NDArray[np.uint8]
    names: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, "U1"))
    sample_names: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, "U1"))

    def name(self, index: int) -> str:
        """Return what the test image at an index is called: "rose/img_3.jpg", or else "no. 48"."""
        row = self._row(index)
        known = row is not None and row < len(self.names)
        return (str(self.names[row]) if known else "") or f"no. {index}"

    def of(self, index: int) -> Image | None:
        """Return the test image at an index; None where it is not among these."""
        row = self._row(index)
        return None if row is None else self.images[row]

    def _row(self, index: int) -> int | None:
        """Return where the test image at an index is among these; None where it is not."""
        row = int(np.searchsorted(self.indices, index))
        return row if row < len(self.indices) and self.indices[row] == index else None

    def to_bytes(self) -> bytes:
        """Return the content of pictures.npz; equal pictures give equal bytes."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {
            _STORED.get(name, name): np.asarray(getattr(self, name)) for name in _ARRAYS
        }
        arrays |= {name: np.asarray(getattr(self, name), dtype=np.str_) for name in _NAMES}
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()


def read(path: Path, *, test_hash: str, n_test: int, n_classes: int) -> Pictures | None:
    """Return the pictures in a file; None where it is missing, damaged or of another test set.

    Parameters
    ----------
    n_test, n_classes : how many test images and classes there are; the file may know no others
    """
    arrays = _arrays(path)
    if arrays is None:
        return None
    if str(arrays["test_hash"]) != test_hash:
        return None
    pictures = Pictures(**{**arrays, "test_hash": test_hash})  # type: ignore[arg-type]
    known = ((pictures.indices, n_test), (pictures.sample_labels, n_classes))
    if not _sound(pictures) or any(((each < 0) | (each >= n)).any() for each, n in known):
        return None
    return pictures


def _arrays(path: Path) -> dict[str, NDArray[Any]] | None:
    for names in ((*_ARRAYS, *_NAMES), _ARRAYS):
        try:
            stored = tuple(_STORED.get(name, name) for name in names)
            arrays = read_arrays(path, stored, limit=_LARGEST)
            return {name: arrays[each] for name, each in zip(names, stored, strict=True)}
        except DataError:
            continue
    return None


def thumbnails(images: NDArray[Any], maximum: float, *, most: int = MOST_SIDE) -> NDArray[np.uint8]:
    """Return images as uint8 of at most `most` pixels a side.

    Parameters
    ----------
    images : uint8 or float32, shape (n, height, width, channels)
    maximum : the pixel value that means white
    """
    scaled = np.clip(np.nan_to_num(images.astype(np.float64)) / maximum, 0, 1)
    small = np.round(255 * scaled).astype(np.uint8)
    height, width, channels = small.shape[1:]
    if max(height, width) <= most:
        return small
    from PIL import Image as pillow

    factor = most / max(height, width)
    size = (max(1, round(factor * width)), max(1, round(factor * height)))
    result = np.empty((len(small), size[1], size[0], channels), np.uint8)
    for target, image in zip(result, small, strict=True):
        resized = _to_pillow(image).resize(size, pillow.Resampling.BOX)
        target[:] = np.asarray(resized).reshape(target.shape)
    return result


def picture_file(image: Image) -> tuple[str, bytes]:
    """Return an image's media type and file: PNG where it is small, else JPEG.

    Equal images give equal bytes.
    """
    buffer = io.BytesIO()
    if max(image.shape[:2]) <= _PLAIN_SIDE:
        _to_pillow(image).save(buffer, format="PNG", optimize=True)
        return "image/png", buffer.getvalue()
    _to_pillow(image).save(buffer, format="JPEG", quality=85, optimize=True)
    return "image/jpeg", buffer.getvalue()


def _to_pillow(image: Image) -> Any:
    from PIL import Image as pillow

    return pillow.fromarray(image[..., 0] if image.shape[2] == 1 else image)


def _sound(pictures: Pictures) -> bool:
    """Say whether the arrays are what a report can show."""
    return (
        _fit(pictures.images, pictures.indices, pictures.names)
        and _fit(pictures.samples, pictures.sample_labels, pictures.sample_names)
        and bool((np.diff(pictures.indices) > 0).all())
    )


def _fit(images: NDArray[Any], numbers: NDArray[Any], names: NDArray[Any]) -> bool:
    """Say whether there is a number for each image, and a name for each or for none."""
    return (
        (images.ndim, numbers.ndim, names.ndim) == (4, 1, 1)
        and images.dtype == np.uint8
        and numbers.dtype == np.int64
        and names.dtype.kind == "U"
        and all(0 < side <= MOST_SIDE for side in images.shape[1:3])
        and images.shape[3] in (1, 3)
        and len(numbers) == len(images)
        and len(names) in (0, len(images))
        and names.dtype.itemsize <= 4 * _LONGEST_NAME
    )
