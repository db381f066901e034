"""Folders called like parts: which are parts, which are classes, and what is refused.

Oracle: the layouts written out here by hand, and what each must give. Cost: 1 s.
Run: pytest tests/data/folders/test_part_folders.py
"""

import pytest

from bakeoff.data import own_parts
from tests.helpers.folders import grey, read, refusal, save


def fill(folder, count=2):
    for number in range(count):
        save(folder / f"{number}.png", grey(number))


def two(folder, count=2):
    for name in ("cat", "dog"):
        fill(folder / name, count)


def sizes(data):
    return {name: len(rows) for name, rows in own_parts(data).items()}


@pytest.mark.parametrize(
    ("names", "called", "others", "parts"),
    [
        (("de", "en", "te", "tr"), "te and tr for classes", "de and en", "train: tr, test: te"),
        (
            ("de", "en", "tr", "va"),
            "tr and va for classes",
            "de and en",
            "train: tr, validation: va",
        ),
        (("bus", "car", "train"), "train for a class", "bus and car", "train: train"),
    ],
)
def test_classes_called_like_parts_are_no_parts(tmp_path, names, called, others, parts):
    """Handwriting by language and writer; vehicles by kind: the other classes were dropped."""
    for number, name in enumerate(names):
        two(tmp_path / name, number + 1)
    data = read(tmp_path)
    assert (data.class_names, data.test_start) == (names, None)
    which = "it is a part" if called.startswith("train") else "they are parts"
    assert data.notes[0] == (
        f"took {called}, as there are pictures in {others} too: if {which}, write "
        f"{{folder: …, parts: {{{parts}}}}}"
    )


def test_test_images_beside_the_classes_are_noted(tmp_path):
    """Pictures without labels, to be guessed: a class called test beside cat and dog."""
    two(tmp_path)
    fill(tmp_path / "test")
    data = read(tmp_path)
    assert data.class_names == ("cat", "dog", "test")
    assert data.notes[0] == (
        "took test for a class, as cat and dog: if these pictures are for testing, put the others "
        "into train/, a folder for each class in both; if they have no labels, take test away"
    )


def test_train_beside_one_folder_of_the_same_classes_is_asked_about(tmp_path):
    two(tmp_path / "holdout")
    two(tmp_path / "train")
    assert refusal(tmp_path).endswith(
        "expected parts called train, validation and test, found train/ beside holdout/ with the "
        "same folders: write {folder: …, parts: {train: train, test: holdout}}; if train/ is a "
        "class, call it something else"
    )


def test_parts_beside_what_is_no_class(tmp_path):
    """Whole words are parts whatever stands beside; others where no pictures stand beside."""
    for part in ("tr", "te"):
        two(tmp_path / "short" / part)
        two(tmp_path / "long" / {"tr": "train", "te": "dev"}[part])
    (tmp_path / "short" / "docs").mkdir()
    (tmp_path / "short" / "docs" / "read.txt").write_text("x")
    assert sizes(read(tmp_path / "short")) == {"train": 4, "test": 4}
    assert read(tmp_path / "short").notes[0] == (
        "ignored 1 file or folder beside the class folders: docs"
    )
    two(tmp_path / "long" / "unlabelled")
    assert refusal(tmp_path / "long").startswith("expected a test part beside train/ and dev/")


@pytest.mark.parametrize("name", ["{0}_{1}", "{1}-{0}"])
def test_parts_in_the_names_of_classes_are_refused(tmp_path, name):
    cat_test, cat_train, dog_test, dog_train = (
        name.format(kind, part) for kind in ("cat", "dog") for part in ("test", "train")
    )
    for each in (cat_test, cat_train, dog_test, dog_train):
        fill(tmp_path / each)
    assert refusal(tmp_path) == (
        f"expected the parts above the classes, found them in the folders' names ({cat_test}, "
        f"{cat_train}, {dog_test} and 1 more): move {cat_train}/ to train/cat/ and {cat_test}/ to "
        "test/cat/, and so on"
    )
    fill(tmp_path / "fish")  # then they may be classes
    assert len(read(tmp_path).class_names) == 5


def test_parts_called_after_the_data_are_asked_for(tmp_path):
    for name in ("pets_train", "pets_test"):
        two(tmp_path / name)
    assert refusal(tmp_path) == (
        "expected a folder for each class, found pets_train and pets_test, which seem to be parts: "
        "write {folder: …, parts: {train: pets_train, test: pets_test}}"
    )
    parts = {"train": "pets_train", "test": "pets_test"}
    assert sizes(read(tmp_path, parts=parts)) == {"train": 4, "test": 4}


@pytest.mark.parametrize("names", [("01_train", "02_val", "03_test"), ("A1-train", "A2-test")])
def test_numbered_parts_are_asked_for(tmp_path, names):
    """They were the classes."""
    for name in names:
        two(tmp_path / name)
    assert refusal(tmp_path).startswith(
        f"expected a folder for each class, found {', '.join(names[:-1])} and {names[-1]}, which "
    )
    two(tmp_path / "04_test")  # then numbers may tell classes
    assert len(read(tmp_path).class_names) == len(names) + 1


@pytest.mark.parametrize("part", ["test", "validation"])
def test_training_images_without_a_word_for_it(tmp_path, part):
    """TensorFlow's rock, paper, scissors: rps and rps-test-set were the classes."""
    two(tmp_path / "rps", 4)
    two(tmp_path / f"rps-{part}-set")
    fill(tmp_path / "rps-other-set")
    assert refusal(tmp_path) == (
        f"expected a folder for each class, found rps and rps-{part}-set, which seem to be parts: "
        f"write {{folder: …, parts: {{train: rps, {part}: rps-{part}-set}}}}"
    )
    (tmp_path / "rps" / "dog").rename(tmp_path / "rps" / "fish")  # other folders than in training
    assert len(read(tmp_path).class_names) == 3


def test_parts_inside_names_whose_images_are_in_no_class(tmp_path):
    """As Galaxy Zoo's: the classes were images_training_rev1 and images_test_rev1."""
    for part in ("training", "test"):
        fill(tmp_path / f"images_{part}_rev1")
    assert refusal(tmp_path).startswith(
        "expected a folder for each class in images_training_rev1/, which is beside "
        "images_test_rev1/, found 2 files directly in it: put each class into a folder"
    )


def test_parts_without_class_folders_beside_other_folders(tmp_path):
    """As Cassava's train_images, test_images and train_tfrecords, which were classes."""
    for name in ("train_images", "test_images", "more"):
        fill(tmp_path / name)
    assert refusal(tmp_path).startswith(
        "expected a folder for each class in train_images/, which is beside test_images/, found 2 "
    )
