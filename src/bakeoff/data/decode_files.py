"""Many image files to one array: what cannot be read is left out and named."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import scale as scales
from bakeoff.data.folder_layout import File
from bakeoff.data.image_file import NotAnImage, decode_file, decoding
from bakeoff.data.safe_reading import check_memory
from bakeoff.data.scale import Reach
from bakeoff.data.sources import COLORS, FITS, Pictures
from bakeoff.errors import DataError
from bakeoff.utils.text import counted, shown, some

ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
    *(".pnm", ".pbm", ".pgm", ".ppm", ".avif", ".jp2", ".j2k", ".jpx"),
)
_NAMED = 5  # examples in a note
_MAX_SIDE = 4096
_DEPTHS = (1023, 4095, 16383)  # of 16 bits, what 10, 12 and 14 bits fill


@dataclass
class Skipped:
    """What was not read, as shown; of every label the first broken file."""

    broken: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    first_broken: dict[int, str] = field(default_factory=dict)

    def endings(self) -> str:
        """Say what the files that are no images are called: "30 files end in .heic"."""
        counts: dict[str, int] = {}
        for name in self.other:
            ending = os.path.splitext(name)[1].lower() or "no ending"
            counts[ending] = counts.get(ending, 0) + 1
        texts = [f"{counted(n, 'file')} that end in {ending}" for ending, n in counts.items()]
        return some([text.replace("1 file that end ", "1 file that ends ") for text in texts])

    def notes(self) -> list[str]:
        """Return a sentence for each kind, with examples."""
        kinds = [
            ("skipped", self.broken, "broken file", ""),
            ("ignored", self.other, "file", " that no image can be read from here"),
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
    maximum : what white is
    notes : for the user
    """

    images: NDArray[np.uint8]
    origins: NDArray[np.uint64]
    kept: NDArray[np.bool_]
    maximum: float
    notes: tuple[str, ...]


def examples(names: Sequence[str]) -> str:
    """Return the first few names."""
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")


def check_pictures(how: Pictures) -> None:
    """Refuse a size, colour or fit that there is not."""
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


def decode_files(files: Sequence[File], how: Pictures, skipped: Skipped) -> Read:
    """Read image files, of at most half of the free memory together."""
    shape = (len(files), *how.size, 1 if how.color == "grey" else 3)
    check_memory(2 * int(np.prod(shape, dtype=object)))
    images = np.empty(shape, dtype=np.uint8)
    white = how.scale if how.scale is not None and how.scale > 255 else 65535.0
    origins = np.zeros(len(files), dtype=np.uint64)
    deepest = _fill(images, origins, files, how, white, skipped)
    kept = deepest >= -1
    notes: list[str] = []
    most, deep = int(deepest.max(initial=-1)), deepest >= 0
    if how.scale is None and most > 255:
        fitting = next((depth for depth in _DEPTHS if 0.9 * depth <= most <= depth), None)
        if fitting is not None:  # 10, 12 or 14 bits in 16: read again, now that it is known
            again = Skipped()
            which = np.flatnonzero(deep)
            part = np.empty((len(which), *shape[1:]), dtype=np.uint8)
            _fill(
                part, origins[which], [files[e] for e in which.tolist()], how, float(fitting), again
            )
            images[which] = part
            notes.append(f"the largest value of 16 bits is {most:,}: white is {fitting:,}")
    images = images if kept.all() else images[kept]
    maximum, more = _white(images, how.scale if white == 65535.0 else None)
    return Read(images, origins[kept], kept, maximum, (*notes, *more))


def _white(images: NDArray[np.uint8], stated: float | None) -> tuple[float, tuple[str, ...]]:
    """Return what white is in decoded images, which are bytes, and notes."""
    if not images.size:
        return 255.0, ()
    high = float(images.max())
    if stated is None and (high == 0 or 16 < high < 64):  # dark, but bytes all the same
        return 255.0, (f"the brightest pixel is {high:g} of 255: dark, or on another scale",)
    return scales.white({"the images": Reach(0.0, high, whole=True)}, stated)


def _fill(
    images: NDArray[np.uint8],
    origins: NDArray[np.uint64],
    files: Sequence[File],
    how: Pictures,
    white: float,
    skipped: Skipped,
) -> NDArray[np.int64]:
    """Fill `images` and `origins`; return each file's deepest value of 16 bits.

    It is −1 for images of 8 bits and −2 for files that cannot be read.
    """
    deepest = np.full(len(files), -1, dtype=np.int64)
    with decoding():
        for position, file in enumerate(files):
            try:
                read = decode_file(
                    file.path, size=how.size, color=how.color, fit=how.fit, white=white
                )
            except DataError as error:
                deepest[position] = -2
                ending = os.path.splitext(file.path)[1].lower()
                if isinstance(error, NotAnImage) and ending not in ENDINGS:
                    skipped.other.append(file.name)
                    continue
                reason = str(error).removeprefix(f"{shown(file.path)}: ")
                skipped.broken.append(f"{file.name} ({reason})")
                skipped.first_broken.setdefault(file.label, skipped.broken[-1])
            else:
                images[position], origins[position] = read.pixels, read.key
                if read.deepest is not None:
                    deepest[position] = read.deepest
    return deepest
