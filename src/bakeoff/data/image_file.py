"""One PNG or JPEG file as pixels: judged by its header before it is decoded."""

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.image_container import essentials
from bakeoff.data.safe_reading import regular_file
from bakeoff.errors import DataError

FORMATS = ("PNG", "JPEG")
MAX_PIXELS = 25_000_000
MAX_BYTES = 1 << 26
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF orientation to Image.Transpose
_SWAPPED = (5, 6, 7, 8)  # orientations that lie on their side


@contextmanager
def decoding() -> Iterator[None]:
    """Make Pillow's warning about huge images an error and silence its others."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def read_picture(
    path: str | os.PathLike[str], *, size: tuple[int, int], color: Literal["grey", "rgb"]
) -> NDArray[np.uint8]:
    """Decode an image file, bring it to `size` and to grey or RGB.

    The file's content decides what it is, not its name. EXIF orientation is applied, transparency
    laid on white, 16 bits scaled to 8; the image is stretched to `size` with Pillow's BILINEAR
    (antialiased where it shrinks). Grey is Pillow's luma, (299 R + 587 G + 114 B) / 1000.

    Parameters
    ----------
    path : path of a PNG or JPEG file
    size : (height, width)
    color : "grey" or "rgb"

    Returns
    -------
    uint8, shape (height, width, 1 or 3)

    Raises
    ------
    DataError
        If it is not a whole PNG or JPEG of at most MAX_PIXELS pixels and MAX_BYTES bytes.
    """
    with regular_file(path) as (file, length):
        if length > MAX_BYTES:
            raise DataError(f"expected at most {MAX_BYTES:,} bytes, found {length:,}")
        return _decode(file.read(length), size, color)


def _decode(
    content: bytes, size: tuple[int, int], color: Literal["grey", "rgb"]
) -> NDArray[np.uint8]:
    from PIL import Image

    content, orientation = essentials(content)
    try:
        image: Any = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"more than {MAX_PIXELS:,} pixels") from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise DataError(f"more than {MAX_PIXELS:,} pixels ({width} × {height})")
    tall, wide = size[::-1] if orientation in _SWAPPED else size
    image.draft(None, (2 * wide, 2 * tall))  # decodes large JPEGs at a fraction
    image = _plain(image)
    if image.size != (wide, tall):
        image = image.resize((wide, tall), Image.Resampling.BILINEAR)
    image = _flat(image).convert("L" if color == "grey" else "RGB")
    if orientation != 1:
        image = image.transpose(Image.Transpose(_TURNS[orientation]))
    return np.asarray(image, dtype=np.uint8).reshape((*size, -1))


def _plain(image: Any) -> Any:
    """Return an image of 8 bits: grey or RGB, with or without transparency."""
    from PIL import Image

    if image.mode.startswith("I"):
        levels = ((np.arange(1 << 16) + 128) // 257).astype(np.uint8)
        return Image.fromarray(levels[np.asarray(image).astype(np.uint16, copy=False)])
    if "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        return image.convert("L" if image.mode == "1" else "RGB")
    image.load()
    return image


def _flat(image: Any) -> Any:
    """Return an image laid on white where it is transparent."""
    from PIL import Image

    if image.mode not in ("LA", "RGBA"):
        return image
    clear = image.convert("RGBA")
    flat = Image.new("RGB", clear.size, "white")
    flat.paste(clear, mask=clear)
    return flat
