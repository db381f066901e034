"""Pictures that stand under two classes, and the remarks that say so.

Oracle: digits of which some are copied to the end with another label, files copied into another
class's folder. Cost: 0.5 s. Run: pytest tests/data/test_contradictions.py
"""

import shutil

import numpy as np
from PIL import Image

from bakeoff import data as datasets
from bakeoff.data import FolderSource
from bakeoff.data.in_memory.python_data import from_python
from bakeoff.data.named import load_digits


def test_the_same_pixels_with_other_labels_are_noticed():
    digits = load_digits()
    images, labels = digits.images[:50, ..., 0], digits.labels[:50]
    other = (labels[[3, 7]] + 1) % 10
    data = from_python((np.concatenate([images, images[[3, 7]]]), np.append(labels, other)))
    assert data.notes[-1] == (
        "2 pictures also found under another class, such as image 3 (3) and image 50 (4): the "
        "pixels are the same, so one of the labels is wrong"
    )


def test_a_file_in_two_folders_is_called_by_its_names(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(3):
            pixels = rng.integers(0, 256, (28, 28), np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{name}{number}.png")
    shutil.copy(tmp_path / "cat/cat1.png", tmp_path / "dog/copy.png")
    data = datasets.load(FolderSource(tmp_path))
    assert data.notes[-1] == (
        "1 picture also found under another class, such as cat/cat1.png (cat) and dog/copy.png "
        "(dog): the pixels are the same, so one of the labels is wrong"
    )


def test_copies_in_one_class_and_blank_pictures_are_not():
    digits = load_digits()
    images, labels = digits.images[:50, ..., 0], digits.labels[:50]
    blank = np.full((2, 8, 8), 16, images.dtype)
    for more, classes in ((images, labels), (blank, [0, 1])):
        data = from_python((np.concatenate([images, more]), np.append(labels, classes)))
        assert not [note for note in data.notes if "under another class" in note]


def test_blank_pictures_in_colour_are_not_either(rng):
    """Red is one colour, though its three values differ."""
    images = rng.integers(0, 256, (8, 4, 4, 3), np.uint8)
    images[[2, 5]] = (255, 0, 9)
    data = from_python((images, [0, 1] * 4))
    assert not [note for note in data.notes if "under another class" in note]


def test_pictures_that_only_look_alike_at_first_are_told_apart():
    """Their quick keys are of the first eight pixels of nine."""
    images = np.arange(9, dtype=np.uint8) + np.zeros((4, 1), np.uint8)
    images[1, 8] = 99
    data = from_python((images.reshape(4, 3, 3), [0, 1, 0, 1]))
    assert data.notes[-1] == (
        "1 picture also found under another class, such as image 0 (0) and image 3 (1): the "
        "pixels are the same, so one of the labels is wrong"
    )


def test_pixels_that_differ_by_less_than_a_byte_are_not_the_same(rng):
    """Faint floats, or 16 bits: as bytes they were the same, and one label was called wrong."""
    images = rng.random((12, 4, 4)).astype(np.float32)
    images[2:] = 0.5 + images[2:] / 1000
    labels = np.arange(12) % 2
    assert from_python((images, labels)).notes == ()
    images[7] = images[2]
    assert from_python((images, labels)).notes == (
        "1 picture also found under another class, such as image 2 (0) and image 7 (1): the pixels "
        "are the same, so one of the labels is wrong",
    )
