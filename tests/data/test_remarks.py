"""What is noticed of a data set once it is read.

Oracle: digits with an inverted test part and one picture under two classes. Cost: 0.1 s.
Run: pytest tests/data/test_remarks.py
"""

from dataclasses import replace

import numpy as np

from bakeoff.data.named import load_digits
from bakeoff.data.remarks import with_remarks


def test_remarks_follow_the_notes_there_are():
    digits = load_digits()
    images, labels = digits.images.copy(), digits.labels.copy()
    images[1500:] = 16 - images[1500:]
    images[1], labels[1] = images[0], labels[0] + 1
    data = replace(digits, images=images, labels=labels, test_start=1500, notes=("read.",))
    first, second, third = with_remarks(data).notes
    assert first == "read."
    assert second.startswith("the test part looks like a negative of the training part")
    assert third.startswith("1 picture also found under another class, such as image 0 (0) and")


def test_classes_without_images_are_named():
    digits = load_digits()
    data = replace(digits, class_names=(*digits.class_names, "ten", "eleven"))
    assert with_remarks(data).notes[-1] == "no image of the class ten and eleven"


def test_classes_that_are_not_tested_are_named():
    """Folders said so; of a table, or arrays, whose test part lacks a class, nothing did."""
    digits = load_digits()
    order = digits.labels.argsort(kind="stable")
    images, labels = digits.images[order], digits.labels[order]
    start = labels.tolist().index(2)
    moved = replace(
        digits,
        images=np.concatenate([images, images[start:]]),
        labels=np.concatenate([labels, labels[start:]]),
        test_start=len(images),
    )
    assert with_remarks(moved).notes[-1] == "found no test image of 2 classes: 0 and 1"


def test_data_that_nothing_is_noticed_of_stay_what_they_are():
    digits = load_digits()
    assert with_remarks(digits) is digits
