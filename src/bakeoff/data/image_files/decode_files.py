"""Many image files to one array: what cannot be read is left out and named."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import scale as scales
from bakeoff.data.image_files.image_container import is_called_image
from bakeoff.data.image_files.image_file import DEEP, Decoded, NotAnImage, decode_file, decoding
from bakeoff.data.safe_reading import check_memory
from bakeoff.data.scale import Reach
from bakeoff.data.sources import COLORS, FITS, Pictures
from bakeoff.errors import DataError
from bakeoff.utils.text import counted, shown, some

_NAMED = 5  # examples in a note
_MAX_SIDE = 4096
FULL = 1 << 14  # a picture of 16 bits that stays below it may be one of 12 bits
_CUT = -3  # and below, as `depth` says


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
    """Files that were not read, as messages show them; `first_broken` is by label."""

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


@dataclass(frozen=True)
class White:
    """The pixel values that mean white.

    Attributes
    ----------
    maximum : in the decoded images
    deep : in the files of 16 bits, which decoding has brought to 255; None where there are none
    notes : for the user
    """

    maximum: float
    deep: float | None
    notes: tuple[str, ...]


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
    """Read image files, of at most half of the free memory together.

    parts : how many files each part has, in the order of the files
    """
    shape = (len(files), *how.size, 1 if how.color == "grey" else 3)
    check_memory(2 * int(np.prod(shape, dtype=object)))
    images = np.empty(shape, dtype=np.uint8)
    origins = np.zeros(len(files), dtype=np.uint64)
    deepest = _fill(images, origins, files, how, first_white(how), skipped)

    def again(which: NDArray[np.int64], white: float) -> None:
        part = np.empty((len(which), *shape[1:]), dtype=np.uint8)
        _fill(part, origins[which], [files[e] for e in which.tolist()], how, white, Skipped())
        images[which] = part

    white = find_white(images, deepest, how, parts, again)
    kept = deepest != -2
    return Read(images if kept.all() else images[kept], origins[kept], kept, white)


def depth(read: Decoded) -> int:
    """Return an image's largest value of 16 bits; −1 for 8 bits.

    For 16 bits of which the upper 8 were read it is −3 less the largest value of these.
    """
    if read.deepest is None:
        return -1
    return _CUT - read.deepest // 257 if read.cut else read.deepest


def first_white(how: Pictures) -> float:
    """Return what is taken for white in files of 16 bits before any has been read."""
    return how.scale if how.scale is not None and how.scale > 255 else DEEP


def find_white(
    images: NDArray[np.uint8],
    deepest: NDArray[np.int64],
    how: Pictures,
    parts: Mapping[str, int],
    again: Callable[[NDArray[np.int64], float], None],
) -> White:
    """Return what white is in images decoded with `first_white`; the parts must agree.

    Parameters
    ----------
    deepest : of each image, its `depth`; −2 if it is not read
    again : decodes the images with these positions once more, with another white for 16 bits
    """
    if how.scale is None:
        _check_cut(_CUT - deepest[deepest <= _CUT])
    if len(parts) == 1:
        parts = {"the images": sum(parts.values())}
    bounds = np.cumsum([0, *parts.values()]).tolist()
    slices = {name: slice(*ends) for name, ends in zip(parts, pairwise(bounds), strict=True)}
    tops = {name: int(deepest[part].max(initial=-1)) for name, part in slices.items()}
    reaches = {name: Reach(0.0, top, whole=True) for name, top in tops.items() if top >= 0}
    deep, notes = None, []
    if reaches:
        deep = first_white(how)
        if how.scale is None:
            found = _deep_white(reaches, mixed=bool(((deepest < 0) & (deepest != -2)).any()))
            if found != deep and max(tops.values()) > 0:  # known now: 12 bits in 16, say
                deep = found
                notes.append(
                    f"the largest value of 16 bits is {max(tops.values()):,}: white is {deep:,.0f}"
                )
                again(np.flatnonzero(deepest >= 0), deep)
        else:
            check_depth(max(tops.values()), deep)
    highs = {name: images[part][deepest[part] != -2] for name, part in slices.items()}
    stated = how.scale if how.scale is not None and how.scale <= 255 else None
    highest = {name: _highest(each) for name, each in highs.items()}
    tops = {name: int(each.max(initial=0)) for name, each in highest.items()}
    maximum, more = _white(tops, stated)
    if stated is None:
        for name, each in highest.items():
            scales.check_images_alike(name, each, maximum)
    return White(maximum, deep, (*notes, *more))


def _check_cut(highs: NDArray[np.int64]) -> None:
    """Refuse pictures of 16 bits in colour that use few of the upper 8, which alone are read."""
    high = int(highs.max(initial=0))
    if 0 < high < FULL >> 8:
        raise DataError(
            f"expected pictures of 8 bits, or of 16 that are used, found {len(highs):,} of 16 bits "
            f"in colour whose largest value is about {257 * high:,}, and of these only the upper 8 "
            "bits are read: store them with 8 bits, or give arrays; if all 16 are used, and they "
            "are dark, say so: {…, scale: 255}"
        )


def _deep_white(reaches: Mapping[str, Reach], *, mixed: bool) -> float:
    """Return what white is in pictures of 16 bits; `mixed`: beside some of 8 bits.

    Beside these, 16 bits that are plainly used are used whole.
    """
    if mixed and max(reach.high for reach in reaches.values()) >= FULL:
        scales.check_alike(reaches)
        return DEEP
    if len(reaches) == 1:
        reaches = {f"{name} of 16 bits": each for name, each in reaches.items()}
    return scales.white(reaches, None)[0]


def _highest(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the largest pixel of every image, shape (n,)."""
    highest: NDArray[np.uint8] = images.max(axis=(1, 2, 3), initial=0)
    return highest


def check_depth(deepest: int | None, white: float | None) -> None:
    """Refuse a picture of 16 bits on another scale than the pictures that `white` was found for.

    white : None where these had 8 bits; then only 16 bits that are plainly all used will do
    """
    if deepest is None:
        return
    if white is None and deepest < FULL:
        raise DataError(
            f"expected 8 bits, or 16 that are used, found 16 whose largest value is {deepest:,}: "
            "what white is cannot be told from that; store it with 8 bits"
        )
    if white is not None and deepest > white * scales.HAIR:
        raise DataError(
            f"expected at most {white:,.0f} in pictures of 16 bits, which is white, found "
            f"{deepest:,}: bring it to that scale"
        )


def _white(highs: Mapping[str, int], stated: float | None) -> tuple[float, tuple[str, ...]]:
    """Return what white is in decoded images, which are bytes, and notes."""
    if not highs:
        return 255.0, ()
    high = max(highs.values())
    reaches = {name: Reach(0.0, float(each), whole=True) for name, each in highs.items()}
    if stated is None and (high == 0 or 16 < high < scales.DARK):  # but bytes all the same
        scales.check_alike(reaches)
        dark = f"the brightest pixel is {high:g} of 255: dark, or on another scale"
        return 255.0, (dark,)
    return scales.white(reaches, stated)


def _fill(
    images: NDArray[np.uint8],
    origins: NDArray[np.uint64],
    files: Sequence[File],
    how: Pictures,
    white: float,
    skipped: Skipped,
) -> NDArray[np.int64]:
    """Fill `images` and `origins`; return each file's `depth`, −2 where it cannot be read."""
    deepest = np.full(len(files), -1, dtype=np.int64)
    with decoding():
        for position, file in enumerate(files):
            try:
                read = decode_file(
                    file.path, size=how.size, color=how.color, fit=how.fit, white=white
                )
            except DataError as error:
                deepest[position] = -2
                if isinstance(error, NotAnImage) and not is_called_image(file.path):
                    skipped.other.append(file.name)
                    continue
                reason = str(error).removeprefix(f"{shown(file.path)}: ")
                skipped.broken.append(f"{file.name} ({reason})")
                skipped.first_broken.setdefault(file.label, skipped.broken[-1])
            else:
                images[position], origins[position] = read.pixels, read.key
                deepest[position] = depth(read)
    return deepest
