"""Folders of small images written by Pillow: order, notes, what is refused; 1 s.

Run: pytest tests/data/folders/test_folder.py
"""

import os
import sys

import numpy as np
import pytest

from tests.helpers.folders import grey, read, refusal, save, values

no_such_names = pytest.mark.skipif(
    sys.platform == "darwin", reason="macOS has no files of such names"
)


def test_classes_and_files_in_natural_order(root):
    data = read(root)
    assert (data.name, data.class_names, data.maximum) == ("pets", ("cat", "dog"), 255)
    assert (data.test_start, data.notes) == (None, ())
    assert values(data) == [10, 15, 20, 30]
    assert data.labels.tolist() == [0, 0, 0, 1]
    assert data.images.dtype == np.uint8


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
        "ignored 1 file or folder beside the class folders: others",
        "found no test image of 1 class: a",
    )


def test_a_test_class_must_be_in_training(tmp_path):
    for name in ("train/a/1", "train/b/1", "test/c/1"):
        save(tmp_path / f"{name}.png", grey(1))
    assert refusal(tmp_path) == (
        "expected in test/ only classes of training, found c (classes of training: a and b): "
        "rename it to one of these, or take it away"
    )


def test_the_test_part_must_have_images(tmp_path):
    for name in ("train/a/1", "train/b/1"):
        save(tmp_path / f"{name}.png", grey(1))
    (tmp_path / "test" / "a").mkdir(parents=True)
    assert refusal(tmp_path) == "expected images in the test part, found none that can be read"


def test_not_such_a_folder(tmp_path):
    two = "expected a sub-folder for each of at least 2 classes, found"
    name = tmp_path.name
    cure = f"put each class into a folder of its own: {name}/cat/1.png, {name}/dog/1.png, …"
    assert refusal(tmp_path) == f"{two} 0: {cure}"
    save(tmp_path / "a" / "1.png", grey(1))
    assert refusal(tmp_path) == f"{two} 1 (a): {cure}"
    assert refusal(tmp_path / "a" / "1.png") == "expected a folder of images, found a file"


@no_such_names
def test_names_that_look_the_same(root):
    save(root / "é" / "1.png", grey(1))
    save(root / "e\u0301" / "1.png", grey(1))
    assert refusal(root) == (
        "expected different class names, found é twice (spaces at the ends and Unicode's forms "
        "make no difference): rename one, or put the two together"
    )


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


def test_reading_twice_gives_the_same(root):
    assert read(root).hash == read(root).hash


def test_names_beyond_ascii_are_refused_where_python_reads_them_otherwise(root, monkeypatch):
    save(root / "été" / "1.png", grey(1))
    monkeypatch.setattr("sys.getfilesystemencoding", lambda: "ascii")
    assert "expected Python to read names of files as UTF-8, found ascii" in refusal(root)


def test_a_table_with_labels_beside_the_class_folders_is_named(root):
    """Folders may be cameras or days, and the table say the classes."""
    (root / "labels.csv").write_text("file,label\ncat/1.png,a\ndog/1.png,b\n")
    (root / "sizes.csv").write_text("file,width\ncat/1.png,4\n")
    assert read(root).notes[-1] == (
        "labels are the folders' names, and not those in labels.csv beside them: for these, write "
        "{table: …}"
    )
