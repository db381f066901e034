"""One PNG or JPEG file as pixels: judged by its header before it is decoded."""

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.guard import regular_file
from bakeoff.errors import DataError

FORMATS = ("PNG", "JPEG")
MAX_PIXELS = 25_000_000
MAX_BYTES = 1 << 26
_MAX_SCANS = 200  # of a progressive JPEG; encoders write about ten
_SWAPPED = (5, 6, 7, 8)  # EXIF orientations that lie on their side


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
    from PIL import Image, UnidentifiedImageError

    try:
        image: Any = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise DataError("not a PNG or JPEG") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"more than {MAX_PIXELS:,} pixels") from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise DataError(f"more than {MAX_PIXELS:,} pixels ({width} × {height})")
    orientation = image.getexif().get(0x0112, 1)
    tall, wide = size[::-1] if orientation in _SWAPPED else size
    if image.format != "PNG":
        if content.count(b"\xff\xda") > _MAX_SCANS:
            raise DataError(f"more than {_MAX_SCANS} scans in a JPEG")
        image.draft(None, (2 * wide, 2 * tall))  # decodes large photographs at a fraction
    image = _flattened(image, color)
    if image.size != (wide, tall):
        image = image.resize((wide, tall), Image.Resampling.BILINEAR)
    pixels = np.asarray(_turned(image, orientation), dtype=np.uint8)
    return pixels.reshape((*size, -1))


def _flattened(image: Any, color: Literal["grey", "rgb"]) -> Any:
    """Return an 8-bit image, grey or RGB, without transparency."""
    from PIL import Image

    mode = "L" if color == "grey" else "RGB"
    if image.mode.startswith("I"):  # 16 bits, grey
        deep = np.asarray(image).astype(np.uint32).clip(0, 65535)
        image = Image.fromarray(((deep + 128) // 257).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        clear = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(clear, mask=clear)
    if image.mode in ("P", "CMYK", "YCCK", "LAB", "HSV"):
        image = image.convert("RGB")
    return image.convert(mode)


def _turned(image: Any, orientation: object) -> Any:
    """Apply EXIF orientation 2 … 8."""
    from PIL import Image

    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    turn = turns.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)
