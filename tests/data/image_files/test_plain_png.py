"""The shortcut for small PNG files, against Pillow's own reader of them, byte by byte.

Oracle: the same function with the shortcut switched off. Cost: 1 s. Run: pytest
tests/data/image_files/test_plain_png.py
"""

import io

import numpy as np
import pytest
from PIL import Image

from bakeoff.data.image_files import image_file
from bakeoff.data.image_files.plain_png import plain_png
from bakeoff.errors import BakeoffError


def written(pixels, **settings):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", **settings)
    return buffer.getvalue()


def drawn(rng, channels, side=9):
    """Noise beside smooth parts, so that every one of PNG's filters is used."""
    shape = (side, side + 2, channels) if channels > 1 else (side, side + 2)
    pixels = rng.integers(0, 256, shape).astype(np.uint8)
    pixels[: side // 3] = np.arange(side + 2).reshape(-1, *[1] * (channels > 1)) * 9
    pixels[side // 3 : 2 * side // 3] = 77
    return pixels


def read(content, color="rgb"):
    """What decoding a file gives: pixels, or the sentence that refuses it."""
    try:
        found = image_file.decode(content, size=(9, 11), color=color)
    except BakeoffError as error:
        return str(error)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return type(error).__name__
    return found.pixels.tobytes()


@pytest.fixture
def without(monkeypatch):
    """Reads a file as if there were no shortcut."""

    def read_slowly(content, color="rgb"):
        with monkeypatch.context() as patched:
            patched.setattr(image_file, "plain_png", lambda content: None)
            return read(content, color)

    return read_slowly


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_plain_files(rng, without, channels):
    for side in (9, 40):
        pixels = drawn(rng, channels, side)
        content = written(pixels)
        np.testing.assert_array_equal(np.asarray(plain_png(content)), pixels)
        for color in ("grey", "rgb"):
            assert read(content, color) == without(content, color) != ""


def test_data_in_several_chunks(rng):
    pixels = rng.integers(0, 256, (300, 300)).astype(np.uint8)  # 64 KiB are Pillow's largest chunk
    content = written(pixels)
    assert content.count(b"IDAT") > 1
    np.testing.assert_array_equal(np.asarray(plain_png(content)), pixels)


@pytest.mark.parametrize("channels", [1, 4])
def test_every_byte_changed_or_cut_off(rng, without, channels):
    content = written(drawn(rng, channels))
    for position in range(len(content)):
        for change in (0x01, 0x80):
            broken = bytearray(content)
            broken[position] ^= change
            assert read(bytes(broken)) == without(bytes(broken)), position
        assert read(content[:position]) == without(content[:position]), position


def test_what_is_not_plain_is_left_to_others(rng, without):
    grey, colour = drawn(rng, 1), drawn(rng, 3)
    palette = io.BytesIO()
    Image.fromarray(colour).quantize(8).save(palette, format="PNG")
    for content in (
        written(grey, dpi=(72, 72)),  # a chunk before the data
        written(grey, transparency=77),
        written(grey.astype(np.uint16) * 200),
        palette.getvalue(),
        written(grey > 9),  # one bit
        b"",
        b"GIF89a" + bytes(40),
    ):
        assert plain_png(content) is None
        assert read(content) == without(content)
    assert plain_png(written(np.zeros((1025, 1025), np.uint8))) is None  # too large
