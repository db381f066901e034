"""Which value means white in image files, of 8 bits and 16.

Oracle: pictures written here, whose white is known. Cost: 1 s.
Run: pytest tests/data/image_files/test_file_scale.py
"""

import re
import zlib

import numpy as np
import pytest
from PIL import Image

from bakeoff.data import FolderSource, load
from bakeoff.data.image_files.decoded_images import to_decode
from bakeoff.data.image_files.file_scale import check_depth, find_white, first_white
from bakeoff.data.image_files.image_file import Decoded
from bakeoff.data.sources import Pictures
from bakeoff.errors import DataError
from tests.helpers.folders import grey, read, refusal, save
from tests.helpers.png import png


def decoded_of(*images):
    """Return images of one pixel: of so much in 8 bits or, in a tuple, in 16 and then in 8."""
    decoded = to_decode(len(images), Pictures(size=(1, 1)))
    for place, each in enumerate(images):
        deepest, value = each if isinstance(each, tuple) else (None, each)
        pixels = np.full((1, 1, 1), value, np.uint8)
        decoded.put(place, Decoded(pixels, deepest, cut=False, key=np.uint64(place)))
    return decoded


def white_of(decoded, parts=None, scale=None):
    """Return what white is, and what was asked to be decoded again."""
    asked = []

    def again(which, white):
        asked.append((which.tolist(), white))
        decoded.images[which] = np.rint(decoded.deepest[which] / white * 255)[:, None, None, None]

    parts = parts or {"train": len(decoded.images)}
    return find_white(decoded, Pictures(size=(1, 1), scale=scale), parts, again), asked


@pytest.mark.parametrize(
    ("scale", "white"), [(None, 65535), (1, 65535), (255, 65535), (4095, 4095)]
)
def test_the_first_reading_takes_all_16_bits_unless_told(scale, white):
    assert first_white(Pictures(scale=scale)) == white


def test_only_pictures_of_16_bits_are_decoded_again():
    white, asked = white_of(decoded_of((4095, 16), (4000, 16), (2000, 8)))
    assert (white.maximum, white.deep) == (255, 4095)
    assert asked == [([0, 1, 2], 4095)]
    assert white.notes == ("the largest value of 16 bits is 4,095: white is 4,095",)
    white, asked = white_of(decoded_of(250, (4095, 16), 255, (3000, 12)))
    assert (white.maximum, white.deep, asked) == (255, 4095, [([1, 3], 4095)])


@pytest.mark.parametrize(
    ("images", "scale", "maximum", "deep"),
    [
        ([255, 9], None, 255, None),
        ([(65535, 255), (300, 1), (40_000, 156)], None, 255, 65535),
        ([(0, 0), (0, 0)], None, 255, 65535),
        ([(30_000, 117), 255], None, 255, 65535),  # plainly all 16, beside 8
        ([(3000, 187), (4000, 249)], 4095, 255, 4095),
        ([40, 100], 100, 100, None),
    ],
)
def test_none_is_decoded_again_where_white_was_right(images, scale, maximum, deep):
    white, asked = white_of(decoded_of(*images), scale=scale)
    assert (white.maximum, white.deep, asked) == (maximum, deep, [])


def test_what_could_not_be_read_says_nothing():
    """Its place holds whatever was in memory."""
    decoded = decoded_of(1, 0, 255, 1)
    decoded.kept[2] = False
    assert white_of(decoded)[0].maximum == 1


@pytest.mark.parametrize(
    ("train", "validation", "found"),
    [
        ([255, 255], 1, "255 and validation 1"),
        ([100, 100], 20, "100 and validation 20"),  # dark, both
        ([(65535, 255), (0, 0)], (4095, 16), "65535 and validation 4095"),
        ([(65535, 255), 255], (4095, 16), "65535 and validation 4095"),  # beside 8 bits
    ],
)
def test_every_part_is_looked_at_in_its_place(train, validation, found):
    decoded = decoded_of(*train, validation, train[0])
    with pytest.raises(DataError, match=f"found that train reaches {found}: scale them alike"):
        white_of(decoded, {"train": 2, "validation": 1, "test": 1})


def test_a_value_of_16_bits_above_the_stated_white_is_refused():
    with pytest.raises(DataError) as error:
        white_of(decoded_of((4095, 255), (5000, 255)), scale=4095)
    assert str(error.value) == (
        "expected at most 4,095 in pictures of 16 bits, which is white, found 5,000: bring it to "
        "that scale"
    )


@pytest.mark.parametrize(
    ("deepest", "white", "refused"),
    [
        (None, None, False),  # 8 bits
        (None, 4095, False),
        (4095, None, True),
        (16_383, None, True),  # which may be 14 bits
        (16_384, None, False),
        (4095, 4095, False),
        (4100, 4095, False),  # by rounding
        (4200, 4095, True),
    ],
)
def test_a_picture_given_later_must_be_on_the_same_scale(deepest, white, refused):
    if not refused:
        check_depth(deepest, white)
        return
    with pytest.raises(DataError, match=f"found (16 whose largest value is )?{deepest:,}: "):
        check_depth(deepest, white)


def deep_colour(path, top):
    """Write a PNG of 4 × 4, three colours of 16 bits, the largest value of which is `top`."""
    pixels = np.full((4, 4, 3), top // 2, ">u2")
    pixels[0, 0] = top
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels))
    path.write_bytes(png(4, 4, data, depth=16, color=2))


@pytest.mark.parametrize("top", [10_000, 4095, 3000])
def test_colour_of_16_bits_that_are_not_used_is_refused(root, top):
    """Satellites' reflectances, cameras' 12 bits: Pillow reads the upper 8 bits of colour."""
    for place in root.glob("*/*.png"):
        deep_colour(place, top)
    wanted = re.escape("in colour whose largest value is about ") + f"{top // 256 * 257:,}, "
    assert re.match(f"expected pictures of 8 bits.* found 4 of 16 bits {wanted}", refusal(root))
    assert refusal(root, color="rgb")
    for place in root.glob("*/*.png"):
        deep_colour(place, 65535)
    assert read(root, color="rgb").maximum == 255


def test_colour_of_16_bits_that_are_used_is_read(root):
    deep_colour(root / "cat" / "1.png", 65535)
    data = read(root, color="rgb")
    assert data.images[0, 0, 0].tolist() == [255] * 3
    assert data.images[0, 1, 1].tolist() == [127] * 3
    assert data.deep_white is None


def test_dark_colour_of_16_bits_that_is_said_to_be_used_is_read(root):
    """One dark screenshot among 8 bits: the refusal named no way to keep it."""
    deep_colour(root / "cat" / "1.png", 9000)
    assert refusal(root).endswith("are dark, say so: {…, scale: 255}")
    assert read(root, color="rgb", scale=255).images[0, 0, 0].tolist() == [9000 >> 8] * 3


def test_dark_pictures_of_a_stated_scale_are_noted(root):
    """The note said that the images reaches only so much."""
    for place in root.glob("*/*.png"):
        save(place, np.full((4, 4), 40))
    note = "the largest pixel in the images is 40 of 255: dark, or on another scale"
    assert note in read(root, scale=255).notes


@pytest.mark.parametrize(("levels", "maximum"), [(1, 1), (15, 15), (16, 16), (40, 255), (255, 255)])
def test_scales_of_files(tmp_path, levels, maximum):
    for number, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        pixels = np.array([[0, levels], [levels, number]], np.uint8)
        Image.fromarray(pixels).save(tmp_path / name / "1.png")
    assert load(FolderSource(tmp_path, size=(2, 2))).maximum == maximum


def in_parts(root, **largest):
    """Write a folder of two classes, in parts whose pictures reach so far; 16 bits above 255."""
    for part, most in largest.items():
        for number, name in enumerate(("cat", "dog")):
            (root / part / name).mkdir(parents=True)
            kind = np.uint8 if isinstance(most, np.uint8) else np.uint16
            pixels = np.array([[0, most], [most // 2 + 1, number % (int(most) + 1)]], kind)
            Image.fromarray(pixels).save(root / part / name / "1.png")
    return root


@pytest.mark.parametrize("white", [255, 1023, 4095])
def test_fewer_bits_in_sixteen(tmp_path, white):
    data = load(FolderSource(in_parts(tmp_path, train=white, test=white), size=(2, 2)))
    assert data.images[0, ..., 0].tolist() == [[0, 255], [128, 0]]
    assert (data.maximum, data.deep_white) == (255, white)
    assert data.notes == (f"the largest value of 16 bits is {white:,}: white is {white:,}",)


@pytest.mark.parametrize(
    ("train", "test", "found"),
    [
        (4095, 65535, "train reaches 4095 and test 65535"),
        (np.uint8(255), np.uint8(1), "train reaches 255 and test 1"),
        (np.uint8(1), np.uint8(255), "train reaches 1 and test 255"),
    ],
)
def test_parts_of_pictures_on_different_scales_are_refused(tmp_path, train, test, found):
    with pytest.raises(DataError) as error:
        load(FolderSource(in_parts(tmp_path, train=train, test=test), size=(2, 2)))
    assert f"expected all parts on one scale, found that {found}: scale them alike" in str(
        error.value
    )


def test_sixteen_bits_of_no_plain_scale_are_asked_for(tmp_path):
    in_parts(tmp_path, train=30_000)
    with pytest.raises(DataError, match=r"found the largest 30000: say .* scale: 65535}"):
        load(FolderSource(tmp_path / "train", size=(2, 2)))
    data = load(FolderSource(tmp_path / "train", size=(2, 2), scale=65535))
    assert data.images[0, 0, 1, 0] == round(30_000 / 257)


def test_sixteen_bits_beside_eight_are_used_whole(tmp_path):
    """One such file among others of 8 bits made the folder unusable."""
    for name in ("cat/0", "cat/1", "cat/2", "dog/0"):
        save(tmp_path / f"{name}.png", grey(250))
    pixels = np.array([[0, 49_601], [20_000, 5]], np.uint16)
    Image.fromarray(pixels).save(tmp_path / "cat" / "9.png")
    data = load(FolderSource(tmp_path, size=(2, 2)))
    assert (data.maximum, data.deep_white) == (255, 65_535)
    assert data.images[3, ..., 0].tolist() == [[0, round(49_601 / 257)], [round(20_000 / 257), 0]]


def test_a_class_of_masks_among_photographs_is_on_another_scale(tmp_path, rng):
    """Pixels of 0 and 1 in one class alone: a network would tell it by that."""
    for number in range(9):
        save(tmp_path / "pets" / "cat" / f"{number}.png", rng.integers(0, 256, (8, 8), np.uint8))
        save(tmp_path / "pets" / "mask" / f"{number}.png", rng.integers(0, 2, (8, 8), np.uint8))
    assert refusal(tmp_path / "pets", size=(8, 8)) == (
        "the images: expected all images on one scale, found 9 of 18 that "
        "reach at most 1, others 254: scale them alike; if they are, and some are dark, say so: "
        "{…, scale: 255}"
    )
