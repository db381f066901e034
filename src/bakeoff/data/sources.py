"""What a recipe's `data` may say: each way to name a data set, as a frozen value.

Field names are the recipe's own keys. None stands for what the data itself decides.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Literal

NAMES = ("digits", "mnist", "fashion-mnist")
PARTS = ("train", "validation", "test")
ARRAYS = (
    *("x", "y", "x_train", "y_train", "x_validation", "y_validation", "x_test", "y_test"),
    "class_names",
)

Color = Literal["grey", "rgb"]
Fit = Literal["stretch", "crop", "pad"]
COLORS: tuple[Color, ...] = ("grey", "rgb")
FITS: tuple[Fit, ...] = ("stretch", "crop", "pad")


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """How image files become arrays.

    Attributes
    ----------
    size : (height, width) of every image
    color : grey or rgb
    fit : how other shapes are brought to `size`: stretched, cropped in the middle, or padded black
    scale : the value of white in the files; None where it is plain
    """

    size: tuple[int, int] = (28, 28)
    color: Color = "grey"
    fit: Fit = "stretch"
    scale: float | None = None


@dataclass(frozen=True)
class FolderSource(Pictures):
    """A folder of images, one sub-folder a class; `parts` names the folders of the parts."""

    folder: Path
    parts: Mapping[str, str] | None = None


@dataclass(frozen=True)
class TableSource(Pictures):
    """A CSV table of image files and their labels.

    `images` is the folder that file names begin in; `columns` names the table's columns by what
    they hold: file, label and, where there is one, part.
    """

    table: Path
    images: Path | None = None
    columns: Mapping[str, str] | None = None


@dataclass(frozen=True)
class ParquetSource(Pictures):
    """Parquet files as Hugging Face stores image sets; `columns` names those of image and label."""

    parquet: Path
    columns: Mapping[str, str] | None = None


@dataclass(frozen=True)
class NpzSource:
    """A file of NumPy arrays; `keys` names arrays that are not called as people usually do."""

    npz: Path
    keys: Mapping[str, str] | None = None
    scale: float | None = None


@dataclass(frozen=True)
class CsvSource:
    """A table of pixels: a column of labels and one column for each pixel, row by row.

    `test` is a second table, the test part; `shape` is that of one image. `transpose` exchanges
    rows and columns, since EMNIST stores its images column by column.
    """

    csv: Path
    test: Path | None = None
    label: str | None = None
    shape: tuple[int, ...] | None = None
    scale: float | None = None
    transpose: bool | None = None


@dataclass(frozen=True)
class IdxSource:
    """IDX files as MNIST has them: images and labels, or these twice, for training and for test.

    `transpose` exchanges rows and columns, since EMNIST stores its images column by column.
    """

    idx: tuple[Path, ...]
    scale: float | None = None
    transpose: bool | None = None


@dataclass(frozen=True)
class ArraysSource:
    """Arrays that were given in Python; `arrays` is the hash of the data set they make."""

    arrays: str


Source = (
    str
    | FolderSource
    | TableSource
    | ParquetSource
    | NpzSource
    | CsvSource
    | IdxSource
    | ArraysSource
)


def missing(source: Source) -> Path | None:
    """Return the first file or folder that a source names and that is not there."""
    return next((path for path in _paths(source) if _is_missing(path)), None)


def _paths(source: Source) -> Iterator[Path]:
    for field in fields(source) if is_dataclass(source) else ():
        value = getattr(source, field.name)
        yield from (p for p in (value if field.name == "idx" else [value]) if isinstance(p, Path))


def _is_missing(path: Path) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # it may be there: who reads it will say what is wrong
        return False
    return False
