"""What people call the parts of a data set and its arrays.

Oracle: names that people use. Cost: nothing. Run: pytest tests/data/test_words.py
"""

import pytest

from bakeoff.data.words import part_and_rest, part_of, pieces, role_of, roles, spelled_out


@pytest.mark.parametrize(
    ("name", "words"),
    [("X_train", ["x", "train"]), ("trainX", ["train", "x"]), ("img-2", ["img", "2"]), ("é", [])],
)
def test_the_words_of_a_name(name, words):
    assert pieces(name) == words


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("training_set", "train"),
        ("seg_train", "train"),
        ("trainset", "train"),
        ("testdata", "test"),
        ("Valid", "validation"),
        ("PrivateTest", "test"),
        ("PublicTest", "validation"),
    ],
)
def test_folders_of_parts(name, part):
    assert part_of(name) == part


@pytest.mark.parametrize("name", ["cat", "training shoes", "test tube", "trains", "prüfung", "20"])
def test_other_names_are_classes(name):
    assert part_of(name) is None


def test_some_names_of_parts_are_abbreviations():
    names = ["train", "train2017", "val", "seg_test", "tr", "te_set", "va", "dev", "trn"]
    assert [name for name in names if spelled_out(name)] == names[:4]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("cat_train", ("train", "cat")),
        ("test big cat", ("test", "big_cat")),
        ("catVal", ("validation", "cat")),
        ("猫-test", ("test", "猫")),
        ("train", None),
        ("seg_train", ("train", "seg")),
        ("cat_te", None),
        ("trainer_cat", None),
    ],
)
def test_a_part_in_the_name_of_a_class(name, found):
    assert part_and_rest(name) == found


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("X", "x"),
        ("x_train", "x_train"),
        ("test_images", "x_test"),
        ("image_labels", "y"),
        ("valLabels", "y_validation"),
        ("class_names", "class_names"),
        ("weights", None),
        ("train", None),
    ],
)
def test_roles_of_arrays(name, role):
    assert role_of(name) == role


def test_a_role_with_two_names_has_both():
    assert roles(["X", "images", "y", "other"]) == {"x": ["X", "images"], "y": ["y"]}
