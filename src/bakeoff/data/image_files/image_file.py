"""One image file as pixels: told by its content and judged by its header before it is decoded."""

import io
import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.image_files.image_container import essentials, exif_orientation, kind_of
from bakeoff.data.image_files.plain_png import plain_png
from bakeoff.data.safe_reading import check_memory, refusing, regular_file
from bakeoff.data.source_images import content_key
from bakeoff.data.sources import Color, Fit
from bakeoff.errors import DataError

MAX_PIXELS = 89_478_485  # Pillow's own limit
LARGE = 25_000_000  # pixels; above it, only where there is memory for it, or at a fraction
MAX_BYTES = 1 << 26
_MAX_TEXT = 1 << 22  # bytes of PNM in decimal digits, which Pillow decodes slowly
WHITE_16 = 65535.0  # the largest value of 16 bits
_CUT = re.compile(r"RGB\w*;16[A-Z]")  # Pillow's for 16 bits a colour; BGR;16 are 16 in all
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0  # TIFF's tag, and its value for negatives
_KIND, _REDUCED = 254, 1  # likewise, for a small copy of another picture
_INSIDE = 330  # TIFF's tag for where other pictures lie in the file
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF orientation to Image.Transpose
_SWAPPED = (5, 6, 7, 8)  # orientations that lie on their side


class NotAnImage(DataError):
    """A file that is in no format that Pillow reads here."""


@dataclass(frozen=True)
class Decoded:
    """One image.

    Attributes
    ----------
    pixels : uint8, shape (height, width, 1 or 3)
    deepest : its largest value where it has 16 bits, else None
    cut : whether only the upper 8 of its 16 bits were read, as Pillow does in colour
    key : what it was before it was decoded, as `content_key`
    """

    pixels: NDArray[np.uint8]
    deepest: int | None
    cut: bool
    key: np.uint64


@contextmanager
def decoding() -> Iterator[None]:
    """Make Pillow's warning about huge images an error and silence its others, and its log."""
    from PIL import Image

    log = logging.getLogger("PIL")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        log.setLevel(level)


def decode_file(
    path: str | os.PathLike[str],
    *,
    size: tuple[int, int],
    color: Color,
    fit: Fit = "stretch",
    white: float = WHITE_16,
) -> Decoded:
    """Decode an image file; raises DataError, which names it, as `decode` does."""
    with content_of(path) as content:
        return decode(content, size=size, color=color, fit=fit, white=white)


@contextmanager
def content_of(path: str | os.PathLike[str]) -> Iterator[bytes]:
    """Give an image file's content; whatever is wrong with it is a DataError that names it."""
    with regular_file(path) as (file, length):
        if length > MAX_BYTES:
            raise DataError(f"expected at most {MAX_BYTES:,} bytes, found {length:,}")
        yield file.read(length)


def decode_bytes(
    content: bytes, name: str, *, size: tuple[int, int], color: Color, fit: Fit, white: float
) -> Decoded:
    """Decode an image that is stored inside another file, where it is called `name`."""
    with refusing(name):
        if len(content) > MAX_BYTES:
            raise DataError(f"expected at most {MAX_BYTES:,} bytes, found {len(content):,}")
        return decode(content, size=size, color=color, fit=fit, white=white)


def upright(content: bytes) -> tuple[int, int]:
    """Return (height, width) of an image file's content as it is shown, orientation applied."""
    image, orientation = _opened(content)
    width, height = image.size
    return (width, height) if orientation in _SWAPPED else (height, width)


def decode(
    content: bytes,
    *,
    size: tuple[int, int],
    color: Color,
    fit: Fit = "stretch",
    white: float = WHITE_16,
) -> Decoded:
    """Decode the content of an image file, bring it to `size` and to grey or RGB.

    The content decides what it is. Of several frames the first is taken. EXIF orientation is
    applied, transparency laid on white, 16 bits scaled to 8; the image is resized with Pillow's
    BILINEAR (antialiased where it shrinks). Grey is Pillow's luma, (299 R + 587 G + 114 B) / 1000.

    Parameters
    ----------
    content : the bytes of a PNG, JPEG, WebP, GIF, BMP, TIFF, PNM, AVIF or JPEG 2000 file
    size : (height, width)
    color : grey or rgb
    fit : stretch; crop in the middle; or pad with black
    white : what white is in images of 16 bits

    Raises
    ------
    DataError
        If it is not a whole image of at most MAX_PIXELS pixels; NotAnImage, which is one, if it is
        in no format that Pillow reads here.
    """
    image, orientation = _opened(content)
    tall, wide = size[::-1] if orientation in _SWAPPED else size
    image.draft(None, (2 * wide, 2 * tall))  # decodes large JPEGs at a fraction
    if image.size[0] * image.size[1] > LARGE:
        check_memory(8 * image.size[0] * image.size[1])
    cut = any(_CUT.search(str(tile[3])) for tile in getattr(image, "tile", ()))
    image, deepest = _plain(image, white)
    if cut:
        deepest = 257 * max(high for _, high in image.getextrema()[:3])
    image = _fitted(image, (wide, tall), fit)
    image, mode = _flat(image), "L" if color == "grey" else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    image = _turned(image, orientation)
    return Decoded(
        np.asarray(image, dtype=np.uint8).reshape((*size, -1)), deepest, cut, content_key(content)
    )


def flat_picture(image: Any) -> Any:
    """Return a picture of Pillow's that is already decoded as grey, RGB or numbers of one channel.

    EXIF orientation is applied and what is transparent laid on white, as in files.
    """
    try:
        image.load()  # PNG's EXIF may come last
    except Exception as error:  # whatever a file cut short or broken can make of a decoder
        raise DataError(
            f"expected Pillow's pictures to be whole, found one that cannot be read ({error}): "
            "leave it out, or get or make its file again"
        ) from None
    orientation = _orientation(image)
    if image.mode[0] not in "IF":
        grey = image.mode in ("1", "L", "LA", "La")
        image = _flat(_plain(image, WHITE_16)[0]).convert("L" if grey else "RGB")
    return _turned(image, orientation)


def _opened(content: bytes) -> tuple[Any, int]:
    """Return (Pillow's image, most kinds not yet decoded; its EXIF orientation)."""
    plain = plain_png(content)
    if plain is not None:
        return plain, 1
    from PIL import Image, UnidentifiedImageError

    kind = kind_of(content)
    if kind is None:
        heic = content[4:8] == b"ftyp" and b"heic" in content[8:64]
        what = "HEIC, not an image" if heic else "not an image"
        raise NotAnImage(f"{what} that can be read here")
    orientation = 1
    if kind in ("PNG", "JPEG"):
        content, orientation = essentials(content, kind)
    elif kind == "PPM" and content[1:2] in b"123" and len(content) > _MAX_TEXT:
        raise DataError(f"more than {_MAX_TEXT:,} bytes of decimal digits: store it as PNG")
    try:
        image: Any = Image.open(io.BytesIO(content), formats=(kind,))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"more than {MAX_PIXELS:,} pixels") from None
    except UnidentifiedImageError:
        if kind in ("AVIF", "WEBP", "JPEG2000") and not _supported(kind):
            raise NotAnImage(f"{kind}, which Pillow cannot read here") from None
        bands = ", or of other bands than grey or RGB (give arrays then)" if kind == "TIFF" else ""
        raise DataError(f"a broken {kind}{bands}") from None
    tags: Any = image.tag_v2 if kind == "TIFF" else {}
    if tags.get(_KIND) == _REDUCED and _INSIDE in tags:  # NEF and DNG begin so
        raise NotAnImage(
            "a small copy of a raw picture that cannot be read here: save that as JPEG or TIFF"
        )
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise DataError(f"more than {MAX_PIXELS:,} pixels ({width} × {height})")
    if kind in ("WEBP", "AVIF"):
        orientation = _orientation(image)
    return image, orientation


def _orientation(image: Any) -> int:
    exif = image.info.get("exif") or b""
    return exif_orientation(exif.removeprefix(b"Exif\0\0"))


def _turned(image: Any, orientation: int) -> Any:
    """Return an image as its EXIF orientation says that it is shown."""
    if orientation == 1:
        return image
    from PIL import Image

    return image.transpose(Image.Transpose(_TURNS[orientation]))


def _supported(kind: str) -> bool:
    from PIL import features

    return bool(features.check({"AVIF": "avif", "WEBP": "webp"}.get(kind, "jpg_2000")))


def _plain(image: Any, white: float) -> tuple[Any, int | None]:
    """Return (an image of 8 bits: grey or RGB, with or without transparency; its deepest value)."""
    from PIL import Image

    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        deepest = int(values.max(initial=0))
        if deepest > WHITE_16 or values.min(initial=0) < 0:
            raise DataError("values beyond 16 bits: give arrays instead, with their scale")
        levels = (
            np.arange(1 << 16) if white == WHITE_16 else np.arange(1 << 16) * (WHITE_16 / white)
        )
        bytes_ = np.minimum((levels + 128) // 257, 255).astype(np.uint8)
        if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
            bytes_ = 255 - bytes_  # as Pillow does with up to 8 bits
        return Image.fromarray(bytes_[values]), deepest
    if image.mode == "F":
        raise DataError("values with fractions: give arrays instead, with their scale")
    if "transparency" in image.info or image.mode in ("PA", "La", "RGBa"):
        return image.convert("RGBA"), None
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        return image.convert("L" if image.mode == "1" else "RGB"), None
    image.load()
    return image, None


def _fitted(image: Any, size: tuple[int, int], fit: Fit) -> Any:
    """Return an image of `size`, (width, height)."""
    from PIL import Image

    if image.size == size:
        return image
    how = Image.Resampling.BILINEAR
    (width, height), (wide, tall) = image.size, size
    if fit == "crop":
        share = min(width / wide, height / tall)
        # not below 0, as rounding may have it
        left, top = max(width - share * wide, 0) / 2, max(height - share * tall, 0) / 2
        return image.resize(size, how, box=(left, top, width - left, height - top))
    if fit == "pad":
        share = max(width / wide, height / tall)
        inner = (max(round(width / share), 1), max(round(height / share), 1))
        canvas = Image.new(image.mode, size)
        if image.mode in ("LA", "RGBA"):
            canvas = Image.new(image.mode, size, (0,) * (len(image.mode) - 1) + (255,))
        canvas.paste(image.resize(inner, how), ((wide - inner[0]) // 2, (tall - inner[1]) // 2))
        return canvas
    return image.resize(size, how)


def _flat(image: Any) -> Any:
    """Return an image laid on white where it is transparent."""
    from PIL import Image

    if image.mode not in ("LA", "RGBA"):
        return image
    clear = image.convert("RGBA")
    flat = Image.new("RGB", clear.size, "white")
    flat.paste(clear, mask=clear)
    return flat
