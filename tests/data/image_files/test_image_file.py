"""Pictures written by Pillow and by hand: colours, orientation, bombs; 2 s.

Run: pytest tests/data/image_files/test_image_file.py
"""

import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from bakeoff.data.image_files.image_file import NotAnImage, _fitted, decode_file, decoding
from bakeoff.errors import DataError
from tests.helpers.png import ZEROS, chunk, png


def read_picture(path, **how):
    return decode_file(path, **how).pixels


def picture(path, pixels, *, size=None, color="grey", mode=None, **options):
    image = Image.fromarray(np.asarray(pixels))
    (image.convert(mode) if mode else image).save(path, **options)
    return read_picture(path, size=size or np.shape(pixels)[:2], color=color)


RED_BLUE = np.array([[[255, 0, 0], [0, 0, 255]]], dtype=np.uint8)


def test_grey_is_luma(tmp_path):
    path = tmp_path / "a.png"
    assert picture(path, RED_BLUE)[0, :, 0].tolist() == [76, 29]  # 0.299 · 255, 0.114 · 255
    assert picture(path, RED_BLUE, color="rgb").tolist() == RED_BLUE.tolist()
    assert picture(path, RED_BLUE, color="rgb", mode="P").tolist() == RED_BLUE.tolist()


def test_black_and_white(tmp_path):
    pixels = np.array([[0, 255], [255, 0]], dtype=np.uint8)
    read = picture(tmp_path / "a.png", pixels, mode="1")
    assert read[..., 0].tolist() == pixels.tolist()


def test_transparency_lies_on_white(tmp_path):
    rgba = np.array([[[255, 0, 0, 0], [255, 0, 0, 255], [0, 0, 0, 128]]], dtype=np.uint8)
    expected = [[255, 255, 255], [255, 0, 0], [127, 127, 127]]
    assert picture(tmp_path / "a.png", rgba, color="rgb")[0].tolist() == expected
    assert picture(tmp_path / "a.png", rgba, mode="LA")[0, 0].tolist() == [255]
    palette = Image.fromarray(RED_BLUE).convert("P")
    palette.save(tmp_path / "b.png", transparency=palette.getpixel((0, 0)))
    read = read_picture(tmp_path / "b.png", size=(1, 2), color="rgb")
    assert read[0].tolist() == [[255, 255, 255], [0, 0, 255]]


def test_sixteen_bits_are_scaled(tmp_path):
    deep = np.array([[0, 128, 129, 257, 32768, 65535]], dtype=np.uint16)
    read = picture(tmp_path / "a.png", deep)
    assert read[0, :, 0].tolist() == np.rint(deep[0] / 257).astype(int).tolist()


@pytest.mark.parametrize("ending", ["png", "jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(tmp_path, orientation, ending):
    pixels = np.kron(
        np.arange(0, 240, 40, dtype=np.uint8).reshape(2, 3), np.ones((16, 16), np.uint8)
    )
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{ending}"
    Image.fromarray(pixels).save(path, exif=exif, quality=95)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    read = read_picture(path, size=expected.shape, color="grey")[..., 0]
    np.testing.assert_array_equal(read, expected)


def test_cmyk(tmp_path):
    read = picture(tmp_path / "a.jpg", np.repeat(RED_BLUE, 8, axis=0).repeat(8, axis=1),
                   color="rgb", mode="CMYK", quality=100, subsampling=0)  # fmt: skip
    np.testing.assert_allclose(read[4, [4, 12]], RED_BLUE[0], atol=4)


def test_resizing_is_antialiased(tmp_path):
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    read = picture(tmp_path / "a.png", board, size=(8, 4))
    assert read.shape == (8, 4, 1)
    assert abs(read.astype(int) - 127).max() <= 3


def test_a_photograph_is_decoded_at_a_fraction(tmp_path, rng):
    small = rng.integers(0, 256, (16, 16), dtype=np.uint8)
    large = np.kron(small, np.ones((128, 128), np.uint8))
    path = tmp_path / "a.jpg"
    Image.fromarray(large).save(path, quality=95)
    read = read_picture(path, size=(16, 16), color="grey")[..., 0]
    whole = np.asarray(Image.fromarray(large).resize((16, 16), Image.Resampling.BILINEAR))
    assert np.abs(read.astype(int) - whole).mean() < 6


def test_the_name_does_not_decide(tmp_path):
    Image.fromarray(RED_BLUE).save(tmp_path / "a.jpg", format="PNG")
    assert read_picture(tmp_path / "a.jpg", size=(1, 2), color="rgb").tolist() == RED_BLUE.tolist()


@pytest.mark.parametrize("other", ["PCX", "ICO", "TGA", "PDF", "EPS", "SGI"])
def test_formats_that_are_not_read(tmp_path, other):
    path = tmp_path / "a.png"
    Image.new("RGB", (16, 16)).save(path, format=other)
    message = f"^{re.escape(str(path))}: not an image that can be read here$"
    with pytest.raises(NotAnImage, match=message):
        read_picture(path, size=(4, 4), color="grey")


def test_the_small_copy_in_a_raw_picture_is_not_the_picture(tmp_path):
    path = tmp_path / "DSC_1.NEF"
    Image.fromarray(RED_BLUE).save(path, format="TIFF", tiffinfo={254: 1, 330: 8})
    with pytest.raises(NotAnImage, match="a small copy of a raw picture"):
        read_picture(path, size=(1, 2), color="rgb")
    for kind in (1, 2):  # cut out of a pyramid, whose larger ones are not here; a scanner's page
        tags = {"format": "TIFF", "tiffinfo": {254: kind}}
        read = picture(tmp_path / "a.tif", RED_BLUE, color="rgb", **tags)
        assert read.tolist() == RED_BLUE.tolist()


@pytest.mark.skipif(not features.check("avif"), reason="Pillow reads no AVIF here")
def test_avif(tmp_path):
    path = tmp_path / "a.avif"
    Image.fromarray(np.full((32, 48), 200, np.uint8)).save(path)
    read = read_picture(path, size=(32, 48), color="grey")
    np.testing.assert_allclose(read, 200, atol=3)


def test_the_first_frame_of_several(tmp_path):
    frames = [Image.new("L", (8, 8), value) for value in (40, 200, 90)]
    for kind in ("GIF", "TIFF", "WEBP", "PNG"):
        path = tmp_path / kind
        frames[0].save(path, format=kind, save_all=True, append_images=frames[1:])
        assert abs(int(read_picture(path, size=(8, 8), color="grey").mean()) - 40) <= 2, kind


@pytest.mark.parametrize(
    ("fit", "expected"),
    [
        ("stretch", [[10, 10, 200, 200]]),
        ("crop", [[10, 200]]),
        ("pad", [[0, 0], [10, 200], [0, 0]]),
    ],
)
def test_fit(tmp_path, fit, expected):
    """A picture of 8 × 16, left half 10, right half 200, into a square."""
    pixels = np.full((8, 16), 10, np.uint8)
    pixels[:, 8:] = 200
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    read = read_picture(path, size=(16, 16), color="grey", fit=fit)[..., 0]
    heights = [4, 8, 4] if fit == "pad" else [16]
    wanted = np.repeat(np.repeat(expected, heights, axis=0), 16 // len(expected[0]), axis=1)
    inner = np.abs(np.arange(16) - 7.5) > 2  # the edge between the halves is smoothed
    np.testing.assert_array_equal(read[:, inner], wanted[:, inner])
    if fit == "crop":
        stretched = read_picture(path, size=(16, 32), color="grey")[..., 0]
        np.testing.assert_array_equal(read, stretched[:, 8:24])


def test_a_crop_lies_inside_pictures_of_every_size():
    """Rounding once put its corner at -3.6e-15 for some sizes, which counted as broken."""
    for wide in range(1, 80):
        for tall in range(1, 80, 3):
            assert _fitted(Image.new("L", (wide, tall)), (16, 21), "crop").size == (16, 21)


def test_deep_images_of_fewer_bits(tmp_path):
    deep = np.array([[0, 2048, 4095]], dtype=np.uint16)
    Image.fromarray(deep).save(tmp_path / "a.tif")
    read = read_picture(tmp_path / "a.tif", size=(1, 3), color="grey", white=4095)
    assert read[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize(("bits", "kind"), [(8, "u1"), (16, "<u2")])
def test_white_may_be_zero(tmp_path, bits, kind):
    """As scanners of X-rays write it. Pillow inverts 8 bits, and not 16."""
    white = 2**bits - 1
    data = np.array([0, white // 3, white], kind).tobytes()
    tags = {256: 3, 257: 1, 258: bits, 259: 1, 262: 0, 273: 8, 277: 1, 278: 1, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in tags.items())
    end = struct.pack("<H", len(tags)) + entries + bytes(4)
    content = b"II*\0" + struct.pack("<I", 8 + len(data)) + data + end
    (tmp_path / "a.tif").write_bytes(content)
    read = read_picture(tmp_path / "a.tif", size=(1, 3), color="grey")
    assert read[0, :, 0].tolist() == [255, 170, 0]


def test_many_bands_are_no_colours(tmp_path, caplog):
    """As satellites' pictures have them; Pillow would print a line for each file."""
    tags = {256: 2, 257: 2, 258: 8, 259: 1, 262: 1, 273: 8, 277: 13, 278: 2, 279: 52}
    entries = b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in tags.items())
    end = struct.pack("<H", len(tags)) + entries + bytes(4)
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<I", 60) + bytes(52) + end)
    with (
        decoding(),
        pytest.raises(DataError, match="a broken TIFF, or of other bands than grey or RGB"),
    ):
        read_picture(tmp_path / "a.tif", size=(2, 2), color="rgb")
    assert not caplog.records


def jpeg(width, height, before=b"", after=b"\xff\xd9"):
    """Return a JPEG that promises a size and holds no data."""
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    return b"\xff\xd8" + before + frame + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + after


TWICE = jpeg(9, 9)[2:15]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (png(9460, 9460, b""), "more than 89,478,485 pixels"),
        (png(2**31 - 1, 2**31 - 1, b""), "more than 89,478,485 pixels"),
        (png(14_000, 14_000, b""), "more than 89,478,485 pixels"),
        (jpeg(65_500, 65_500), "more than 89,478,485 pixels"),
        (jpeg(60, 60, after=b"\xff\xda\0\x08\1\1\0\0\x3f\0" * 300), "more than 50 scans"),
        (jpeg(60, 60, before=TWICE), "more than one frame header"),
        (jpeg(60, 60, before=b"\xff\xe1\0\1"), "a segment shorter than its own length"),
        (jpeg(60, 60, before=b"\xff\xfe\0\2" * 20_000), "more than 20,000 segments"),
        (b"\xff\xd8" + b"\xff" * (1 << 25), "cut short"),
        (b"\xff\xd8\xff" + b"a" * (1 << 25), "cut short"),
        (png(40, 40, ZEROS)[:-1], "cut short"),
        (png(40, 40, ZEROS)[:-12], "cut short"),
        (png(40, 40, ZEROS, *[chunk(b"IDAT", b"")] * 20_000), "more than 20,000 chunks"),
        (b"", "not an image that can be read here"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC, not an image that can be read here"),
    ],
    ids=range(15),
)
def test_refusals(tmp_path, content, reason, cheap):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with cheap(), pytest.raises(DataError, match=f"^{re.escape(f'{path}: {reason}')}$"):
        read_picture(path, size=(4, 4), color="grey")


@pytest.mark.parametrize(
    "content",
    [png(40, 40, zlib.compress(b"")), png(40, 40, b"no"), png(0, 5, b""), jpeg(60, 60)],
    ids=range(4),
)
def test_what_pillow_refuses(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    reason = (
        "(cannot be read: .+|broken (.+): get the file again|a broken PNG)"  # in Pillow's own words
    )
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}: {reason}$"):
        read_picture(path, size=(4, 4), color="grey")


def test_a_file_too_long(tmp_path):
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    message = f"{path}: expected at most 67,108,864 bytes, found 1,099,511,627,776"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_picture(path, size=(4, 4), color="grey")
