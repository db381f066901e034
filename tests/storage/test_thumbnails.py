"""The file of small pictures beside a study, and how pictures become small.

Oracle: the digits' own pixels. Cost: 2 s.

Run: pytest tests/storage/test_thumbnails.py
"""

import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bakeoff.analysis.compare import compare
from bakeoff.storage import thumbnails as pictures
from bakeoff.storage.thumbnails import Pictures, picture_file, thumbnails
from tests.helpers.fake_study import write_study


@pytest.fixture(scope="module")
def fake(tmp_path_factory):
    return compare([write_study(tmp_path_factory.mktemp("fake") / "study")])


def some_pictures(comparison, shape=(8, 8, 1), kind=np.uint8):
    count = len(comparison.labels)
    pixels = np.arange(count * np.prod(shape)).reshape(count, *shape) % 256
    return Pictures(
        test_hash=comparison.data["test_hash"],
        indices=np.arange(count),
        images=pixels.astype(kind),
        sample_labels=np.arange(10),
        samples=pixels[:10].astype(kind),
    )


def read(path, content, test_hash="0123"):
    path.write_bytes(content)
    return pictures.read(path, test_hash=test_hash, n_test=1000, n_classes=10)


@pytest.fixture
def ours(fake):
    return replace(some_pictures(fake), test_hash="0123")


def test_pictures_are_read_back_as_they_were_written(tmp_path, ours):
    found = read(tmp_path / "pictures.npz", ours.to_bytes())
    for name in ("indices", "images", "sample_labels", "samples"):
        np.testing.assert_array_equal(getattr(found, name), getattr(ours, name))
    assert ours.to_bytes() == ours.to_bytes() == found.to_bytes()
    np.testing.assert_array_equal(found.of(7), ours.images[7])
    assert found.of(len(ours.indices)) is None


def test_names_of_files_are_kept_and_older_files_have_none(tmp_path, ours):
    named = replace(
        ours,
        names=np.array([f"rosé/{k}.jpg" for k in ours.indices]),
        sample_names=np.array([f"lily/{k}.jpg" for k in range(10)]),
    )
    found = read(tmp_path / "pictures.npz", named.to_bytes())
    assert (found.name(7), found.sample_names[3]) == ("rosé/7.jpg", "lily/3.jpg")
    assert found.name(10_000) == "no. 10000"
    old = archive(**stored(ours))
    assert read(tmp_path / "pictures.npz", old).name(7) == "no. 7"


def test_pictures_of_another_test_set_are_not_used(tmp_path, ours):
    assert read(tmp_path / "pictures.npz", ours.to_bytes(), test_hash="4567") is None
    nothing = tmp_path / "nothing.npz"
    assert pictures.read(nothing, test_hash="0123", n_test=1000, n_classes=10) is None


def stored(ours):
    return {pictures._STORED.get(name, name): getattr(ours, name) for name in pictures._ARRAYS}


def archive(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_a_damaged_or_hostile_file_is_no_pictures(tmp_path, ours):
    path = tmp_path / "pictures.npz"
    whole = ours.to_bytes()
    good = stored(ours)
    assert read(path, archive(**good)) is not None
    bad = [
        b"",
        b"not a zip file",
        whole[: len(whole) // 2],
        archive(),
        archive(**{**good, "places": np.array(["x", object()], dtype=object)}),
        archive(**{**good, "places": ours.indices.astype(np.float64)}),
        archive(**{**good, "places": ours.indices[::-1]}),
        archive(**{**good, "places": ours.indices[:-1]}),
        archive(**{**good, "images": ours.images[..., 0]}),
        archive(**{**good, "images": np.repeat(ours.images, 2, axis=3)}),
        archive(**{**good, "images": np.zeros((len(ours.indices), 190, 8, 1), np.uint8)}),
        archive(**{**good, "samples": ours.samples.astype(np.int16)}),
        archive(**{**good, "names": np.array(["x"]), "sample_names": np.zeros(0, "U1")}),
        archive(**{**good, "names": np.zeros(0, "U1"), "sample_names": np.array(["x" * 300] * 10)}),
    ]
    for content in bad:
        assert read(path, content) is None
    for place in range(0, len(whole), 97):  # one byte changed, anywhere
        changed = bytearray(whole)
        changed[place] ^= 0x55
        read(path, bytes(changed))  # whatever comes of it, no error does


def test_a_header_that_lies_about_its_size_is_no_pictures(tmp_path, ours):
    buffer = io.BytesIO()
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (2**40, 8, 8, 1)}
    )
    with zipfile.ZipFile(buffer, "w") as file:
        for name in pictures._ARRAYS:
            content = io.BytesIO()
            np.save(content, getattr(ours, name))
            lies = name == "images"
            file.writestr(f"{name}.npy", header.getvalue() if lies else content.getvalue())
    assert read(tmp_path / "pictures.npz", buffer.getvalue()) is None


def test_thumbnails_scale_values_and_sizes(digits):
    small = thumbnails(digits.images[:3], digits.maximum)
    expected = np.round(digits.images[:3] * (255 / 16)).astype(np.uint8)
    np.testing.assert_array_equal(small, expected)
    tall = np.zeros((2, 256, 128, 3), np.float32)
    tall[0, ::2], tall[1] = 1.0, [0.2, np.nan, 7.0]
    made = thumbnails(tall, 1.0)
    assert made.shape == (2, 128, 64, 3)
    assert set(made[0].ravel().tolist()) == {128}  # every other line is white
    assert made[1, 0, 0].tolist() == [51, 0, 255]
    assert thumbnails(tall[:0], 1.0, most=64).shape == (0, 64, 32, 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_small_picture_holds_the_pixels_and_a_large_one_is_a_jpeg(rng, channels):
    image = rng.integers(0, 256, (9, 7, channels)).astype(np.uint8)
    kind, content = picture_file(image)
    opened = np.asarray(Image.open(io.BytesIO(content), formats=["PNG"]))
    np.testing.assert_array_equal(opened.reshape(image.shape), image)
    assert kind == "image/png"
    assert picture_file(image) == picture_file(image)
    kind, content = picture_file(np.full((60, 100, channels), 90, np.uint8))
    opened = Image.open(io.BytesIO(content), formats=["JPEG"])
    assert (kind, opened.size) == ("image/jpeg", (100, 60))
