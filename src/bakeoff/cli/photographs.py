"""Whether images look like photographs or like drawings: letters, sketches, shapes on a ground.

Colour images of some size are taken for photographs, since icons and emoji, too, do best with a
backbone (docs/log.md). Grey ones, also those with three equal channels, are looked at.
"""

import numpy as np

from bakeoff.data import DataSet
from bakeoff.data.image_files.guess import sample

_SIDE = 32  # height and width from which there is something to see for a backbone
_ENOUGH = 128  # pixels along the shorter side are looked at: sorting all of a scan takes long
_GROUND = 0.75  # share of a drawing's pixels that are of about one level, its ground's
_LEVELS = 8  # such levels from a picture's darkest to its brightest pixels
_OUTLIERS = 0.002  # share of pixels darker or brighter than these


def look_like_photographs(data: DataSet) -> bool:
    """Say whether a network that has seen photographs has seen something like these images."""
    if min(data.input_shape[:2]) < _SIDE:
        return False
    images = data.images[sample(len(data.images))]
    if (images != images[..., :1]).any():
        return True
    step = max(min(data.input_shape[:2]) // _ENOUGH, 1)
    return float(np.median([_ground(image[::step, ::step, 0]) for image in images])) < _GROUND


def _ground(image: np.ndarray) -> float:
    """Return the largest share of the pixels that are within an eighth of the image's contrast."""
    levels = np.sort(image.ravel().astype(np.float64))
    dark, bright = np.quantile(levels, [_OUTLIERS, 1 - _OUTLIERS])
    last = np.searchsorted(levels, levels + (bright - dark) / _LEVELS, side="right")
    return float((last - np.arange(len(levels))).max() / len(levels))
