"""Image files told by their content, and their orientation.

Oracle: Pillow. Cost: 1 s.

Run: pytest tests/data/image_files/test_image_container.py
"""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from bakeoff.data.image_files.image_container import exif_orientation
from bakeoff.data.image_files.image_file import decode_file, upright
from tests.helpers.png import ZEROS, chunk, png


def read_picture(path, **how):
    return decode_file(path, **how).pixels


LOSSLESS = {"GIF": {}, "BMP": {}, "TIFF": {}, "PPM": {}, "PNG": {}, "WEBP": {"lossless": True},
            "JPEG2000": {}}  # fmt: skip


@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize("orientation", [1, 6])
def test_formats_are_told_by_content(tmp_path, kind, orientation):
    pixels = np.kron([[10, 60, 110], [160, 210, 240]], np.ones((8, 8))).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    tagged = orientation > 1 and kind in ("TIFF", "WEBP", "PNG")
    path = tmp_path / "a.jpg"
    image = Image.fromarray(pixels)
    image.save(path, format=kind, **LOSSLESS[kind], **({"exif": exif} if tagged else {}))
    expected = np.asarray(image.transpose(Image.Transpose.ROTATE_270)) if tagged else pixels
    assert upright(path.read_bytes()) == expected.shape
    read = read_picture(path, size=expected.shape, color="grey")[..., 0]
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_formats_keep_their_colours(tmp_path, kind):
    corners = [[[220, 60, 60], [60, 60, 220]], [[40, 200, 90], [250, 240, 10]]]
    pixels = np.kron(np.array(corners), np.ones((8, 8, 1))).astype(np.uint8)
    path = tmp_path / "a.jpg"
    Image.fromarray(pixels).save(path, format=kind, **LOSSLESS[kind])
    read = read_picture(path, size=(16, 16), color="rgb")
    np.testing.assert_array_equal(read, pixels)
    grey = read_picture(path, size=(16, 16), color="grey")[..., 0]
    np.testing.assert_allclose(grey, pixels @ [0.299, 0.587, 0.114], atol=1)


def test_bigtiff(tmp_path):
    """TIFF with offsets of 64 bits, written by hand: not every Pillow writes it."""
    pixels = np.arange(60, dtype=np.uint8).reshape(6, 10)
    tags = {256: 10, 257: 6, 258: 8, 259: 1, 262: 1, 273: 16, 277: 1, 278: 6, 279: 60}
    start = b"II+\0" + struct.pack("<HHQ", 8, 0, 76)
    entries = [struct.pack("<HHQQ", tag, 3, 1, value) for tag, value in tags.items()]
    end = struct.pack("<Q", len(tags)) + b"".join(entries) + bytes(8)
    (tmp_path / "a.tif").write_bytes(start + pixels.tobytes() + end)
    read = read_picture(tmp_path / "a.tif", size=(6, 10), color="grey")
    np.testing.assert_array_equal(read[..., 0], pixels)


@pytest.mark.parametrize("progressive", [False, True])
def test_what_follows_a_jpeg_is_not_its_own(tmp_path, rng, progressive):
    """Motion photos have a film after the picture, in which any two bytes occur."""
    path = tmp_path / "a.jpg"
    pixels = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, progressive=progressive)
    alone = read_picture(path, size=(40, 60), color="rgb")
    path.write_bytes(path.read_bytes() + b"\0\0\0\x18ftypmp42" + b"\xff\xda" + rng.bytes(1 << 23))
    np.testing.assert_array_equal(read_picture(path, size=(40, 60), color="rgb"), alone)


PACKED = b"a\0\0" + zlib.compress(bytes(1 << 27))


@pytest.mark.parametrize(
    "more",
    [
        chunk(b"zTXt", PACKED),
        chunk(b"iCCP", PACKED),
        b"".join([chunk(b"tEXt", b"a\0b")] * 19_000),
        chunk(b"eXIf", b"II*\0" + b"\xff" * 60_000),
    ],
    ids=range(4),
)
def test_metadata_is_never_looked_at(tmp_path, more, cheap):
    path = tmp_path / "a.png"
    path.write_bytes(png(40, 40, ZEROS, more))
    with cheap():
        assert not read_picture(path, size=(4, 4), color="grey").any()


def tiff(order, *entries):
    body = b"".join(struct.pack(f"{order}HHIHH", *(*entry, 0)[:5]) for entry in entries)
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8)
    return start + struct.pack(f"{order}H", len(entries)) + body


@pytest.mark.parametrize(
    ("content", "orientation"),
    [
        (tiff("<", (0x0100, 3, 1, 7), (0x0112, 3, 1, 6)), 6),
        (tiff(">", (0x0112, 3, 1, 8)), 8),
        (tiff(">", (0x0112, 3, 1, 9)), 1),
        (tiff(">", (0x0112, 4, 1, 8)), 1),  # 8 · 2¹⁶
        (tiff(">", (0x0112, 4, 1, 0, 8)), 8),  # LONG
        (tiff("<", (0x0112, 4, 1, 6)), 6),
        (tiff("<", (0x0112, 2, 1, 6)), 1),  # text
        (tiff("<", (0x0112, 3, 1, 6))[:-3], 1),
        (tiff("<"), 1),
        (b"II*\0\xff\xff\xff\xff", 1),
        (b"", 1),
    ],
)
def test_exif_orientation(content, orientation):
    assert exif_orientation(content) == orientation
