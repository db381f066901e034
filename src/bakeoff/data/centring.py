"""A photographed or drawn figure brought into the frame of the training images.

MNIST was made so: ink light on dark, scaled to fit a box of 20 × 20 pixels, its centre of mass in
the middle of 28 × 28 (LeCun et al. 1998). `frame_of` finds such a frame in any set of grey images.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy  # its part is imported where it is used: comparing needs none
from numpy.typing import NDArray

_INK = 0.25  # of the strongest ink: less is paper
_DARK, _LIGHT = 0.1, 0.9  # a border that is darker or lighter throughout is a background
_SIDE = 256  # pixels to which a large picture is reduced first


@dataclass(frozen=True)
class Frame:
    """How figures lie in training images.

    size : (height, width) of an image
    box : the longer side of a figure
    light_ink : whether figures are light on dark
    by_mass : whether it is the centre of mass that lies at `middle`; otherwise that of the box does
    middle : (row, column)
    """

    size: tuple[int, int]
    box: int
    light_ink: bool
    by_mass: bool
    middle: tuple[float, float]


def frame_of(images: NDArray[Any], maximum: float) -> Frame | None:
    """Return the frame of grey images on an even background; None where they have none.

    images : shape (n, height, width, channels)
    """
    if images.shape[3] != 1 or min(images.shape[1:3]) < 4 or not len(images):
        return None
    ink = images[..., 0].astype(np.float32) / maximum
    corners = np.concatenate([ink[:, :1, :1], ink[:, :1, -1:], ink[:, -1:, :1], ink[:, -1:, -1:]])
    level = float(np.median(corners))
    if _DARK < level < _LIGHT or np.mean(np.abs(corners - level) > _DARK) > 0.1:
        return None
    light = level <= _DARK
    ink = ink if light else 1 - ink
    sides, masses, middles = [], [], []
    for image in ink:
        if image.max() <= 0:
            continue
        top, bottom, left, right = _bounds(image > _INK * image.max())
        sides.append(max(bottom - top, right - left))
        masses.append(scipy.ndimage.center_of_mass(image))
        middles.append(((top + bottom - 1) / 2, (left + right - 1) / 2))
    if not sides:
        return None
    by_mass = bool(np.std(masses, axis=0).sum() <= np.std(middles, axis=0).sum())
    row, column = np.mean(masses if by_mass else middles, axis=0).tolist()
    height, width = images.shape[1:3]
    return Frame((height, width), int(np.median(sides)), light, by_mass, (row, column))


def centred(picture: NDArray[Any], frame: Frame) -> NDArray[np.uint8] | None:
    """Return a grey picture as the training images show their figures; None where it is empty.

    Paper is found as what is lightest (or, where most of the border is dark, darkest) around every
    point, so that shadows do not matter; what stands out from it is ink.

    Parameters
    ----------
    picture : uint8, shape (height, width): dark on light or light on dark

    Returns
    -------
    uint8, shape (*frame.size, 1), 255 is white
    """
    ink = _ink(_reduced(picture).astype(np.float32))
    if ink is None:
        return None
    top, bottom, left, right = _bounds(ink > _INK)
    figure = _fitted(ink[top:bottom, left:right], frame)
    height, width = figure.shape
    inside = ((height - 1) / 2, (width - 1) / 2)
    if frame.by_mass:
        inside = scipy.ndimage.center_of_mass(figure)
    canvas = np.zeros(frame.size, np.float32)
    start = [
        min(max(round(middle - at), 0), full - side)
        for full, side, middle, at in zip(
            frame.size, figure.shape, frame.middle, inside, strict=True
        )
    ]
    canvas[start[0] : start[0] + height, start[1] : start[1] + width] = figure
    pixels = np.round(255 * (canvas if frame.light_ink else 1 - canvas))
    return np.asarray(pixels, np.uint8)[..., None]


def _reduced(picture: NDArray[Any]) -> NDArray[np.uint8]:
    from PIL import Image

    image = Image.fromarray(np.asarray(picture, np.uint8))
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(image)


def _ink(picture: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return how much ink is where, 0 to 1; None where there is none."""
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    if np.median(border) < np.mean([picture.min(), picture.max()]):
        picture = 255 - picture  # light on dark: now dark on light
    reach = max(3, max(picture.shape) // 4)
    paper = scipy.ndimage.maximum_filter(
        scipy.ndimage.uniform_filter(picture, 3), reach, mode="nearest"
    )
    ink = np.clip(scipy.ndimage.uniform_filter(paper, reach, mode="nearest") - picture, 0, None)
    strongest = float(np.percentile(ink, 99.5))
    if strongest < 16:  # of 255: nothing but paper and noise
        return None
    ink = np.clip(ink / strongest, 0, 1)
    return np.where(ink < _INK, 0, ink)


def _bounds(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return (top, bottom, left, right) around the true pixels, bottom and right excluded."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _fitted(ink: NDArray[np.float32], frame: Frame) -> NDArray[np.float32]:
    """Return the figure with its longer side as long as the box, and its shape kept."""
    from PIL import Image

    height, width = ink.shape
    factor = frame.box / max(height, width)
    size = (
        min(frame.size[1], max(1, round(factor * width))),
        min(frame.size[0], max(1, round(factor * height))),
    )
    small = Image.fromarray(ink.astype(np.float32)).resize(size, Image.Resampling.LANCZOS)
    return np.clip(np.asarray(small, np.float32), 0, 1)
