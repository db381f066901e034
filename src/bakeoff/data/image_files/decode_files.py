"""Many image files to one array: what cannot be read is left out and named."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.image_files.decoded_images import DecodedImages, to_decode
from bakeoff.data.image_files.file_scale import White, find_white, first_white
from bakeoff.data.image_files.image_container import is_called_image
from bakeoff.data.image_files.image_file import NotAnImage, decode_file, decoding
from bakeoff.data.sources import COLORS, FITS, Pictures
from bakeoff.errors import DataError
from bakeoff.utils.text import counted, shown, some

_NAMED = 5  # examples in a note
_MAX_SIDE = 4096


@dataclass(frozen=True)
class File:
    """An image file and its class.

    Attributes
    ----------
    name : its path below the data's folder, as shown
    mask : whether it is called like a mask of a picture beside it, as most pictures there have one
    """

    path: str
    label: int
    name: str
    mask: bool = False


@dataclass
class Skipped:
    """Files that were not read; `broken` and `first_broken`, by label, as messages show them."""

    broken: list[str] = field(default_factory=list)
    other: list[File] = field(default_factory=list)
    first_broken: dict[int, str] = field(default_factory=dict)

    def endings(self, label: int) -> str:
        """Say what a class's files that are no images are called: "30 files that end in .heic"."""
        names = [file.name for file in self.other if file.label == label]
        counts = Counter(os.path.splitext(name)[1].lower() for name in names)
        texts = []
        for ending, count in counts.items():
            end = "ends" if count == 1 else "end"
            how = f"that {end} in {ending}" if ending else "without an ending"
            texts.append(f"{counted(count, 'file')} {how}")
        return some(texts)

    def notes(self) -> list[str]:
        """Return a sentence for each kind, with examples."""
        other = [file.name for file in self.other]
        kinds = [
            ("skipped", self.broken, "broken file", ""),
            ("ignored", other, "file", " that no image can be read from here"),
        ]
        return [
            f"{verb} {counted(len(names), noun)}{rest}: {examples(names)}"
            for verb, names, noun, rest in kinds
            if names
        ]


@dataclass(frozen=True, eq=False)
class Read:
    """The files that could be read.

    Attributes
    ----------
    images : uint8, shape (n, height, width, channels)
    origins : uint64, shape (n,): what each was before it was decoded
    kept : bool, one for every file: whether it could be read
    white : what white is
    """

    images: NDArray[np.uint8]
    origins: NDArray[np.uint64]
    kept: NDArray[np.bool_]
    white: White


def examples(names: Sequence[str]) -> str:
    """Return the first few names."""
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")


def check_pictures(how: Pictures) -> None:
    """Refuse a size, colour or fit that is not allowed."""
    sides = tuple(how.size)
    good = [isinstance(side, int) and 1 <= side <= _MAX_SIDE for side in sides]
    if len(sides) != 2 or not all(good):
        raise DataError(
            f"size: expected [height, width] from 1 to {_MAX_SIDE:,}, found {list(sides)}"
        )
    if how.color not in COLORS:
        raise DataError(f"color: expected grey or rgb, found {how.color!r}")
    if how.fit not in FITS:
        raise DataError(f"fit: expected stretch, crop or pad, found {how.fit!r}")


def decode_files(
    files: Sequence[File], how: Pictures, skipped: Skipped, parts: Mapping[str, int]
) -> Read:
    """Read image files, of at most a quarter of the free memory together.

    parts : how many files each part has, in the order of the files
    """
    decoded = to_decode(len(files), how)
    _fill(decoded, files, range(len(files)), how, first_white(how), skipped)

    def again(which: NDArray[np.int64], white: float) -> None:
        _fill(decoded, files, which.tolist(), how, white, Skipped())

    white = find_white(decoded, how, parts, again)
    kept = decoded.kept
    images = decoded.images if kept.all() else decoded.images[kept]
    return Read(images, decoded.origins[kept], kept, white)


def _fill(
    decoded: DecodedImages,
    files: Sequence[File],
    positions: Iterable[int],
    how: Pictures,
    white: float,
    skipped: Skipped,
) -> None:
    """Decode the files at these positions; those that cannot be read are not kept."""
    with decoding():
        for position in positions:
            file = files[position]
            try:
                read = decode_file(
                    file.path, size=how.size, color=how.color, fit=how.fit, white=white
                )
            except DataError as error:
                decoded.kept[position] = False
                _skip(file, error, skipped)
            else:
                decoded.put(position, read)


def _skip(file: File, error: DataError, skipped: Skipped) -> None:
    if isinstance(error, NotAnImage) and not is_called_image(file.path):
        skipped.other.append(file)
        return
    reason = str(error).removeprefix(f"{shown(file.path)}: ")
    skipped.broken.append(f"{file.name} ({reason})")
    skipped.first_broken.setdefault(file.label, skipped.broken[-1])
