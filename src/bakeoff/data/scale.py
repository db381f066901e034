"""Which pixel value means white: recognised where it is plain, asked for where it is not.

A scale is taken from the largest pixel. Bytes are 0 … 255 even where they are a little dark; floats
are on a scale only if their largest value is near its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import DataError

HAIR = 1.005  # as far as rounding, or 255 / 254, may go beyond a scale's end
BRIGHT = 64  # bytes that reach this far are plainly bytes
_SMALL = (15.0, 16.0)  # 4 bits, and scikit-learn's digits
_DEPTHS = (1023.0, 4095.0, 16383.0, 65535.0)  # 10, 12, 14 and 16 bits
_FAINT = 0.1  # floats whose largest is below it were probably divided twice
_VERY_FAINT = 0.01  # of white: no picture is so dark, but one divided by 255 is, beside others
_SOME, _MOSTLY = 0.02, 0.8  # of the images
DARK = 200  # bytes whose largest is below it may be percent, or 7 bits
_APART = 4  # parts whose largest pixels are so many times apart are on different scales
_UNLIKE = 1.5  # parts whose largest pixels are so many times apart may be
_WRONG = 250  # a stated white of 16 bits, so many times the largest pixel: the pixels are bytes


@dataclass(frozen=True)
class Reach:
    """The smallest and largest pixel of one array; `whole`: its type holds whole numbers only."""

    low: float
    high: float
    whole: bool


def white(reaches: Mapping[str, Reach], stated: float | None) -> tuple[float, tuple[str, ...]]:
    """Return (the pixel value that means white, notes for the user).

    Parameters
    ----------
    reaches : by the name of the array, the training part first
    stated : what the recipe says as `scale`, or None

    Raises
    ------
    DataError
        If a pixel is below 0, if the parts are on different scales, or if no scale is plain.
    """
    for name, reach in reaches.items():
        _check_sign(name, reach)
    name, most = max(reaches.items(), key=lambda each: each[1].high)
    if stated is not None:
        _check_stated(stated, name, most.high)
        return max(float(stated), most.high), _dark(reaches, stated, _APART)
    check_alike(reaches)
    found = _plain(most)
    if found is None:
        raise DataError(
            f"{name}: expected pixels on a plain scale (the largest near 1, 15, 16, 255, 1023, "
            f"4095, 16383 or 65535), found the largest {most.high:g}: say what white is, as in "
            f"{{…, scale: {_guess(most.high):g}}}"
        )
    others = {part: each for part, each in reaches.items() if part != name}
    return found, (*_notes(most, found), *_dark(others, most.high, _UNLIKE))


def _check_stated(stated: float, name: str, high: float) -> None:
    """Refuse a stated white that the largest pixel exceeds, or beside which it is black."""
    if high > stated * HAIR:
        raise DataError(
            f"scale: expected at least the largest pixel, {high:g} in {name}, found {stated:g}"
        )
    times = _WRONG if stated > 255 else 1 / _VERY_FAINT
    if 0 < high * times <= stated:
        raise DataError(
            f"scale: expected what is white in the pixels as they are stored, found {stated:g}, "
            f"which makes the largest of them, {high:g} in {name}, black: say {_guess(high):g}"
        )


def _check_sign(name: str, reach: Reach) -> None:
    if reach.low < 0:
        around = -HAIR <= reach.low <= -1 / HAIR and reach.high <= HAIR
        cure = (
            "store (x + 1) / 2 instead"
            if around
            else "store the images as they were before they were standardised"
        )
        raise DataError(
            f"{name}: expected pixels from 0 up, found {reach.low:g} to {reach.high:g}: {cure}"
        )


def check_alike(reaches: Mapping[str, Reach]) -> None:
    """Refuse parts on different scales, naming both; a black part says nothing."""
    seen = {name: reach.high for name, reach in reaches.items() if reach.high > 0}
    if not seen:
        return
    first = next(iter(seen))
    for name, high in seen.items():
        if max(high, seen[first]) > _APART * min(high, seen[first]):
            raise DataError(
                f"expected all parts on one scale, found that {first} reaches {seen[first]:g} and "
                f"{name} {high:g}: scale them alike; if they are, and one is dark, say so: "
                f"{{…, scale: {_guess(max(high, seen[first])):g}}}"
            )


def highest(images: NDArray[Any]) -> NDArray[Any]:
    """Return the largest pixel of every image, shape (n,)."""
    found: NDArray[Any] = images.max(axis=tuple(range(1, images.ndim)))
    return found


def check_images_alike(name: str, highest: NDArray[Any], white: float) -> None:
    """Refuse images of which some are on another scale, as after a division by 255 of some only.

    highest : the largest pixel of every image, shape (n,); a black image says nothing
    """
    faint = _foreign(highest[highest > 0].astype(np.float64), white)
    if len(faint) < max(_SOME * len(highest), 2):
        return
    raise DataError(
        f"{name}: expected all images on one scale, found {len(faint):,} of {len(highest):,} that "
        f"reach at most {float(faint.max()):.4g}, others {float(highest.max()):.4g}: scale them "
        f"alike; if they are, and some are dark, say so: {{…, scale: {white:.8g}}}"
    )


def _foreign(highest: NDArray[Any], white: float) -> NDArray[Any]:
    """Return the largest pixels of those images that are probably on another scale."""
    faint = highest[highest <= white * _VERY_FAINT]
    for end in (1.0, *_SMALL, 255.0, *_DEPTHS):
        if end * _APART > white:
            break
        below = highest[highest <= end * HAIR]
        # dark pictures end anywhere; those of another scale where it ends, and the rest far above
        ends_there = (below >= 0.9 * end).sum() >= _MOSTLY * len(below)
        if ends_there and (highest <= min(_APART * end, white / 2)).sum() == len(below):
            faint = max(faint, below, key=len)
    return faint


def _plain(most: Reach) -> float | None:
    """Return the scale that a largest pixel plainly belongs to, or None."""
    high = most.high
    if high == 0:
        return 255.0 if most.whole else 1.0
    if most.whole:
        if high == 1:
            return 1.0
        if high in _SMALL:
            return high
        if BRIGHT <= high <= 255:
            return 255.0
        return next((depth for depth in _DEPTHS if 0.9 * depth <= high <= depth), None)
    if high <= 1:
        return 1.0 if high >= _FAINT else None
    for end in (1.0, *_SMALL):
        if end / HAIR <= high <= end * HAIR:
            return max(end, high)
    if 200 <= high <= 255 * HAIR:
        return max(255.0, high)
    return next((max(d, high) for d in _DEPTHS if 0.9 * d <= high <= d * HAIR), None)


def _guess(high: float) -> float:
    """Return the nearest scale above a largest pixel, as an example, or itself."""
    if high <= _VERY_FAINT or 1 < high <= 2:
        return high
    return next((end for end in (1.0, *_SMALL, 255.0, *_DEPTHS) if high <= end), high)


def _notes(most: Reach, found: float) -> tuple[str, ...]:
    """Return a note where the scale is one that people do not expect."""
    usual = (255.0,) if most.whole else (1.0, 255.0)
    if most.high == 0:
        return ("every pixel is 0",)
    if found == 1 and most.whole:
        return ("every pixel is 0 or 1: white is 1",)
    if found in (1, 255) and most.high < found * DARK / 255:
        return (
            f"the largest pixel is {most.high:.8g}, and white is taken to be {found:g}: scale: "
            "says otherwise",
        )
    if found in usual:
        return ()
    return (f"the largest pixel is {most.high:.8g}: pixels are divided by {found:.8g}",)


def _dark(reaches: Mapping[str, Reach], end: float, times: float) -> tuple[str, ...]:
    """Return a note for every part whose largest pixel is more than so many times below `end`."""
    return tuple(
        f"the largest pixel in {name} is {reach.high:.8g} of {end:.8g}: dark, or on another scale"
        for name, reach in reaches.items()
        if 0 < reach.high * times < end
    )
