"""Folders of small images written by Pillow: order, notes, what is refused; 1 s.

Run: pytest tests/data/test_folder.py
"""

import os
import re
import sys

import numpy as np
import pytest
from PIL import Image

from bakeoff.data import FolderSource, load
from bakeoff.data.labels import natural
from bakeoff.errors import DataError

no_such_names = pytest.mark.skipif(
    sys.platform == "darwin", reason="macOS has no files of such names"
)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path, **options)


def grey(value, size=(4, 4)):
    """Return a picture of one grey, and a white corner, so that its scale is plain."""
    pixels = np.full(size, value)
    pixels[-1, -1] = 255
    return pixels


@pytest.fixture
def root(tmp_path):
    """Two classes of two images; the grey value says which is which."""
    root = tmp_path / "pets"
    for name, value in [("cat/1", 10), ("cat/10", 20), ("cat/2", 15), ("dog/1", 30)]:
        save(root / f"{name}.png", grey(value))
    return root


def read(root, size=(4, 4), **options):
    return load(FolderSource(folder=root, size=size, **options))


def refusal(root, **options):
    with pytest.raises(DataError) as error:
        read(root, **options)
    return str(error.value).removeprefix(f"{root}: ")


def values(data):
    return data.images[:, 0, 0, 0].tolist()


def test_classes_and_files_in_natural_order(root):
    data = read(root)
    assert (data.name, data.class_names, data.maximum) == ("pets", ("cat", "dog"), 255)
    assert (data.test_start, data.notes) == (None, ())
    assert values(data) == [10, 15, 20, 30]
    assert data.labels.tolist() == [0, 0, 0, 1]
    assert data.images.dtype == np.uint8


def test_natural_order():
    names = ["b", "a10", "a2", "A1", "10", "9", "a", "a2b", "²", "a01"]
    assert sorted(names, key=natural) == ["9", "10", "a", "A1", "a01", "a2", "a2b", "a10", "b", "²"]


def test_train_and_test(tmp_path):
    for name, value in [("train/b/1", 1), ("train/a/1", 2), ("test/b/1", 3), ("train/b/2", 4)]:
        save(tmp_path / f"{name}.png", grey(value))
    save(tmp_path / "others/a/1.png", grey(9))
    (tmp_path / "readme.txt").write_text("hello")
    data = read(tmp_path)
    assert values(data) == [2, 1, 4, 3]
    assert data.labels.tolist() == [0, 1, 1, 1]
    assert (data.test_start, data.validation_start) == (3, None)
    assert data.notes == (
        "ignored 1 file or folders beside the class folders: others",
        "found no test image of 1 class: a",
    )


def test_a_test_class_must_be_in_training(tmp_path):
    for name in ("train/a/1", "train/b/1", "test/c/1"):
        save(tmp_path / f"{name}.png", grey(1))
    assert refusal(tmp_path) == "expected in test/ only classes of training, found c"


def test_the_test_part_must_have_images(tmp_path):
    for name in ("train/a/1", "train/b/1"):
        save(tmp_path / f"{name}.png", grey(1))
    (tmp_path / "test" / "a").mkdir(parents=True)
    assert refusal(tmp_path) == "expected images in the test part, found none that can be read"


def test_what_is_left_out_is_noted(root, tmp_path):
    good = (root / "cat" / "1.png").read_bytes()
    (root / "cat" / "3.png").write_bytes(good[:-30])
    (root / "cat" / "4.jpg").write_bytes(b"GIF89a")
    (root / "cat" / "5.png").write_bytes(b"")
    (root / "dog" / "notes.txt").write_text("x")
    (root / "dog" / "deeper").mkdir()
    (root / "dog" / ".hidden.png").write_bytes(b"")
    (root / "dog" / "Thumbs.db").write_bytes(b"")
    (root / "__MACOSX").mkdir()
    (root / ".git").mkdir()
    save(tmp_path / "outside.png", grey(99))
    (root / "cat" / "6.png").symlink_to(tmp_path / "outside.png")
    (root / "cat" / "7.png").symlink_to("nowhere")
    (root / "cat" / "8.png").symlink_to("1.png")
    (root / "loop").symlink_to(root)
    data = read(root)
    assert data.class_names == ("cat", "dog")
    assert values(data) == [10, 15, 10, 20, 30]
    assert data.notes == (
        "skipped 3 broken files: cat/3.png (cut short), cat/4.jpg "
        "(a broken GIF), cat/5.png (not an image that can be read here)",
        "ignored 1 file that no image can be read from here: dog/notes.txt",
        "read 1 folder inside class folders too: dog/deeper",
        "did not follow 3 links out of this folder, to nowhere or back: loop, cat/6.png, cat/7.png",
    )


def test_pipes_are_not_waited_for(root):
    os.mkfifo(root / "cat" / "pipe.png")
    assert read(root).notes == (
        "skipped 1 broken file: cat/pipe.png (expected a file, found a folder, a pipe or a device)",
    )


def test_long_lists_are_cut(root):
    for number in range(7):
        (root / "cat" / f"x{number}.png").write_bytes(b"")
    (note,) = read(root).notes
    assert note.startswith(
        "skipped 7 broken files: cat/x0.png (not an image that can be read here), "
    )
    assert note.endswith("cat/x4.png (not an image that can be read here), …")


def test_a_class_without_a_readable_image(root):
    (root / "dog" / "1.png").write_bytes(b"")
    assert refusal(root) == (
        "class dog: expected at least one readable image, found none but dog/1.png (not an image "
        "that can be read here): add images, or remove the folder"
    )
    (root / "dog" / "1.png").unlink()
    assert refusal(root) == (
        "class dog: expected at least one readable image, found none: add images, or remove the "
        "folder"
    )


def test_not_such_a_folder(tmp_path):
    two = "expected a sub-folder for each of at least 2 classes, found"
    name = tmp_path.name
    cure = f"put each class into a folder of its own: {name}/cat/1.png, {name}/dog/1.png, …"
    assert refusal(tmp_path) == f"{two} 0: {cure}"
    save(tmp_path / "a" / "1.png", grey(1))
    assert refusal(tmp_path) == f"{two} 1 (a): {cure}"
    none = "expected a folder of images, found none"
    assert refusal(tmp_path / "absent") == none
    assert refusal(tmp_path / "a" / "1.png") == none.replace("none", "a file")


@no_such_names
def test_names_that_look_the_same(root):
    save(root / "é" / "1.png", grey(1))
    save(root / "e\u0301" / "1.png", grey(1))
    assert refusal(root) == "expected different class names, found é twice"


@no_such_names
def test_hostile_names(root):
    save(root / "line\nbreak" / "1.png", grey(1))
    broken = os.fsencode(root / "cat") + b"/\xff\r\x1b[31m.png"
    with open(broken, "wb"):
        pass
    data = read(root)
    assert data.class_names == ("cat", "dog", "line\\nbreak")
    assert data.notes == (
        "skipped 1 broken file: cat/\\udcff\\r\\x1b[31m.png (not an image that can be read here)",
    )


@pytest.mark.parametrize("size", [(0, 4), (4, 5000), (4,), (4.0, 4)])
def test_sizes(root, size):
    message = f"size: expected [height, width] from 1 to 4,096, found {list(size)}"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read(root, size=size)


def test_colors(root):
    with pytest.raises(DataError, match=r"^color: expected grey or rgb, found 'blue'$"):
        read(root, color="blue")


def test_reading_twice_gives_the_same(root):
    assert read(root).hash == read(root).hash
