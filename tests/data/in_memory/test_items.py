"""Data sets that have no end, and lists of pictures.

Oracle: the messages, word for word; Pillow. Cost: 1 s.
Run: pytest tests/data/in_memory/test_items.py
"""

import io
import re
from itertools import repeat

import numpy as np
import pytest
from PIL import Image, ImageOps

from bakeoff.data.image_files.image_file import decode_file
from bakeoff.data.in_memory import items
from bakeoff.data.in_memory.python_data import from_python
from bakeoff.errors import DataError

END = (
    "use smaller images or fewer; what has no end needs one, as in itertools.islice(items, 1000) "
    "or tf.data's take(1000)"
)
IMAGE = np.zeros((10, 10), np.uint8)


class Repeated:
    """A tf.data set after repeat()."""

    def cardinality(self):
        return np.int64(-1)

    def as_numpy_iterator(self):
        raise AssertionError("it is not read")


@pytest.mark.parametrize(
    ("endless", "read"),
    [
        (repeat((IMAGE, 1)), 33),
        (repeat((np.stack([IMAGE] * 9), np.arange(9))), 27),
    ],
)
def test_what_has_no_end_stops_at_half_of_the_free_memory(monkeypatch, endless, read):
    monkeypatch.setattr(items, "available_memory", lambda: 20_000)
    with pytest.raises(DataError) as error:
        from_python(endless)
    assert str(error.value) == (
        "data: expected at most 10,000 bytes of images (half of the free memory), found more after "
        f"{read} images: {END}"
    )


def test_a_data_set_that_says_that_it_repeats_is_not_read():
    with pytest.raises(DataError) as error:
        from_python(Repeated())
    assert str(error.value) == (
        "data: expected a data set with an end, found one that repeats for ever: leave repeat() "
        "out, or give take(1000)"
    )


@pytest.mark.parametrize(
    ("item", "found"),
    [
        ({"image": IMAGE, "label": 3, "target": 0}, "label in every item, found label and target"),
        ({"image": IMAGE, "data": IMAGE, "label": 3}, "image in every item, found image and data"),
    ],
)
def test_two_keys_of_one_role_are_asked_about(item, found):
    with pytest.raises(DataError) as error:
        from_python([item] * 9)
    assert str(error.value) == (
        f"data: expected one {found}: leave out what is not meant, or give pairs (image, label)"
    )


@pytest.mark.parametrize(
    ("item", "found"),
    [
        ({"img": IMAGE, "fine_label": 3}, "a mapping with img and fine_label"),  # CIFAR-100
        ({"image": IMAGE, "label": None}, "a mapping with image and label, one of them None"),
        ((IMAGE, 3, 1.0), "3 objects"),
    ],
)
def test_items_that_are_no_pairs(item, found):
    """They were called tuples, whatever they were."""
    with pytest.raises(DataError) as error:
        from_python([item] * 9)
    assert str(error.value) == (
        f"data: expected (image, label) in every item, found {found}: give such pairs"
    )


def test_memory_that_runs_out_is_no_broken_item():
    def images():
        yield IMAGE, 0
        raise MemoryError

    with pytest.raises(DataError) as error:
        from_python(images())
    assert str(error.value) == f"data: expected images that fit in memory, found more: {END}"


@pytest.mark.parametrize("mode", ["P", "YCbCr", "HSV", "RGBA"])
def test_lists_of_pictures_are_decoded(rng, mode):
    """NumPy took a palette's numbers for pixels, and luma for red."""
    colours = rng.integers(0, 256, (6, 8, 8, 3), np.uint8)
    pictures = [Image.fromarray(each).convert(mode) for each in colours]
    expected = np.stack([np.asarray(each.convert("RGB")) for each in pictures])
    labels = [0, 1] * 3
    for given in ((pictures, labels), {"image": pictures, "label": labels}):
        np.testing.assert_array_equal(from_python(given).images, expected)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"image": pictures, "label": labels})
    np.testing.assert_array_equal(from_python((frame["image"], labels)).images, expected)


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp"])
def test_pictures_lie_as_those_of_files(rng, tmp_path, ending):
    """A phone's portraits lay on their side where Image.open gave them, and not in files."""
    exif = Image.Exif()
    exif[0x0112] = 6
    paths = [tmp_path / f"{index}.{ending}" for index in range(4)]
    for path in paths:
        picture = rng.integers(0, 256, (8, 12, 3), np.uint8)
        Image.fromarray(picture).save(path, exif=exif)
    expected = [decode_file(path, size=(12, 8), color="rgb").pixels for path in paths]
    for ready in (lambda each: each, ImageOps.exif_transpose, lambda each: each.convert("RGB")):
        pictures = [ready(Image.open(path)) for path in paths]
        np.testing.assert_array_equal(from_python((pictures, [0, 1] * 2)).images, expected)
        np.testing.assert_array_equal(items.as_array(pictures[0]), expected[0])


def test_images_of_several_classes_are_refused(rng):
    """It was a ValueError of NumPy's."""
    images = rng.integers(0, 256, (4, 8, 8), np.uint8)
    labels = [np.array([1, 2]), np.array([3]), np.array([1]), np.array([2, 3])]
    with pytest.raises(DataError) as error:
        from_python(list(zip([*images, *images], labels * 2, strict=True)))
    assert str(error.value) == (
        "data: expected one label an image, found labels of the shapes (1,) and (2,): an image of "
        "several classes cannot be used"
    )


def test_numbers_beyond_all_types_are_refused(rng):
    images = rng.integers(0, 256, (4, 8, 8), np.uint8)
    with pytest.raises(DataError, match=r"^data: expected whole numbers below 2\*\*63"):
        from_python((images, [10**20, 1, 10**20, 1]))


@pytest.mark.parametrize(
    ("shapes", "cure"),
    [
        (((8, 8), (8, 8, 3)), "make all grey, or all RGB (convert('RGB')), where they are read"),
        (((8, 8, 1), (8, 8, 3)), "make all grey, or all RGB"),
        (((8, 8), (8, 9)), "resize them where they are read"),
        (((8, 8, 3), (9, 8)), "resize them where they are read"),
    ],
)
def test_images_of_several_shapes(shapes, cure):
    """Sets of photographs have a few grey ones: no resizing makes them alike."""
    with pytest.raises(DataError, match=re.escape(cure)):
        from_python([(np.zeros(shapes[number % 2]), number % 2) for number in range(9)])


def test_a_picture_whose_file_is_cut_short_is_a_line():
    """Pillow opens it, and reads its pixels only when they are asked for."""
    written = io.BytesIO()
    Image.fromarray(np.arange(4800).astype(np.uint8).reshape(40, 40, 3)).save(written, "PNG")
    whole, cut = written.getvalue(), written.getvalue()[:120]
    pictures = [Image.open(io.BytesIO(each)) for each in (whole, cut)]
    with pytest.raises(
        DataError, match=r"whole, found one that cannot be read \(.+\): leave it out"
    ):
        items.as_array(pictures)
