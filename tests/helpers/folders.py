"""Folders of small pictures, written and read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bakeoff.data import DataSet, FolderSource, load
from bakeoff.errors import DataError


def save(path: Path, pixels: Any, **options: Any) -> None:
    """Write a picture, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path, **options)


def grey(value: int, size: tuple[int, int] = (4, 4)) -> NDArray[Any]:
    """Return a picture of one grey, and a white corner, so that its scale is plain."""
    pixels = np.full(size, value)
    pixels[-1, -1] = 255
    return pixels


def read(root: Path, size: Any = (4, 4), **options: Any) -> DataSet:
    """Load a folder of pictures."""
    return load(FolderSource(folder=root, size=size, **options))


def refusal(root: Path, **options: Any) -> str:
    """Return why a folder of pictures is refused, without its name."""
    with pytest.raises(DataError) as error:
        read(root, **options)
    return str(error.value).removeprefix(f"{root}: ")


def values(data: DataSet) -> list[int]:
    """Return every picture's grey."""
    found: list[int] = data.images[:, 0, 0, 0].tolist()
    return found
