"""Which value means white in image files: of 8 bits or 16, of which some use only 12 or fewer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import scale as scales
from bakeoff.data.image_files.decoded_images import DecodedImages
from bakeoff.data.image_files.image_file import WHITE_16
from bakeoff.data.scale import Reach
from bakeoff.data.sources import Pictures
from bakeoff.errors import DataError

FULL = 1 << 14  # a picture of 16 bits that stays below it may be one of 12 bits

Again = Callable[[NDArray[np.int64], float], None]
Slices = Mapping[str, slice]


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


def first_white(how: Pictures) -> float:
    """Return what is taken for white in files of 16 bits before any has been read."""
    return how.scale if how.scale is not None and how.scale > 255 else WHITE_16


def find_white(
    decoded: DecodedImages, how: Pictures, parts: Mapping[str, int], again: Again
) -> White:
    """Return what white is in images decoded with `first_white`; the parts must agree.

    Parameters
    ----------
    parts : how many images each part has, in order
    again : decodes the images at these positions once more, with another white for 16 bits

    Raises
    ------
    DataError
        If the parts, or the images of one, are on different scales, or no scale is plain.
    """
    if how.scale is None:
        _check_cut(decoded.deepest[decoded.cut])
    if len(parts) == 1:
        parts = {"the images": sum(parts.values())}
    bounds = np.cumsum([0, *parts.values()]).tolist()
    slices = {name: slice(*ends) for name, ends in zip(parts, pairwise(bounds), strict=True)}
    deep, notes = _find_deep_white(decoded, how, slices, again)
    maximum, more = _find_white_of_bytes(decoded, how, slices)
    return White(maximum, deep, (*notes, *more))


def _find_deep_white(
    decoded: DecodedImages, how: Pictures, slices: Slices, again: Again
) -> tuple[float | None, tuple[str, ...]]:
    """Return (what white is in files of 16 bits, None where there are none; notes)."""
    deepest = {name: decoded.deepest[part][decoded.deep[part]] for name, part in slices.items()}
    tops = {name: int(each.max()) for name, each in deepest.items() if len(each)}
    if not tops:
        return None, ()
    top, taken = max(tops.values()), first_white(how)
    if how.scale is not None:
        check_depth(top, taken)
        return taken, ()
    mixed = bool((decoded.kept & ~decoded.deep).any())
    found = _deep_white(tops, mixed=mixed)
    if found == taken or not top:
        return taken, ()
    again(np.flatnonzero(decoded.deep), found)  # known now: 12 bits in 16, say
    return found, (f"the largest value of 16 bits is {top:,}: white is {found:,.0f}",)


def _find_white_of_bytes(
    decoded: DecodedImages, how: Pictures, slices: Slices
) -> tuple[float, tuple[str, ...]]:
    """Return (what white is in the decoded images, notes)."""
    highest = {
        name: scales.highest(decoded.images[part][decoded.kept[part]])
        for name, part in slices.items()
    }
    stated = how.scale if how.scale is not None and how.scale <= 255 else None
    tops = {name: int(each.max(initial=0)) for name, each in highest.items()}
    maximum, notes = _white_of_bytes(tops, stated)
    if stated is None:
        for name, each in highest.items():
            scales.check_images_alike(name, each, maximum)
    return maximum, notes


def _check_cut(deepest: NDArray[np.int64]) -> None:
    """Refuse pictures of 16 bits in colour that use few of the upper 8, which alone are read.

    deepest : their largest values
    """
    top = int(deepest.max(initial=0))
    if 0 < top < FULL:
        raise DataError(
            f"expected pictures of 8 bits, or of 16 that are used, found {len(deepest):,} of 16 "
            f"bits in colour whose largest value is about {top:,}, and of these only the upper 8 "
            "bits are read: store them with 8 bits, or give arrays; if all 16 are used, and they "
            "are dark, say so: {…, scale: 255}"
        )


def _deep_white(tops: Mapping[str, int], *, mixed: bool) -> float:
    """Return what white is in pictures of 16 bits with these largest values, by part.

    mixed : whether they stand beside some of 8 bits; then 16 that are plainly used are used whole
    """
    reaches = {name: Reach(0.0, top, whole=True) for name, top in tops.items()}
    if mixed and max(tops.values()) >= FULL:
        scales.check_alike(reaches)
        return WHITE_16
    if len(reaches) == 1:
        reaches = {f"{name} of 16 bits": each for name, each in reaches.items()}
    return scales.white(reaches, None)[0]


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


def _white_of_bytes(
    highs: Mapping[str, int], stated: float | None
) -> tuple[float, tuple[str, ...]]:
    """Return (what white is in decoded images, notes)."""
    if not highs:
        return 255.0, ()
    high = max(highs.values())
    reaches = {name: Reach(0.0, float(each), whole=True) for name, each in highs.items()}
    if stated is None and (high == 0 or 16 < high < scales.DARK):  # but bytes all the same
        scales.check_alike(reaches)
        dark = f"the brightest pixel is {high:g} of 255: dark, or on another scale"
        return 255.0, (dark,)
    return scales.white(reaches, stated)
