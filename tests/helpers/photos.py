"""Photographs of digits, made: dark ink anywhere on a light page with a shadow across it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def page(
    ink: NDArray[Any], *, side: int = 160, size: tuple[int, int] = (480, 640), seed: int = 0
) -> NDArray[np.uint8]:
    """Return a grey photograph, uint8, of a figure; ink has shape (h, w), 1 is the strongest."""
    rng = np.random.default_rng(seed)
    figure = Image.fromarray((255 * ink).astype(np.uint8)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    paper = 205 + np.linspace(-40, 30, size[1])[None] + rng.normal(0, 4, size)
    top, left = (rng.integers(20, full - side - 20) for full in size)
    paper[top : top + side, left : left + side] -= 0.6 * np.asarray(figure, float)
    return np.clip(paper, 0, 255).astype(np.uint8)
