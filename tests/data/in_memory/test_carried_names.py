"""The names of classes that data sets in Python carry.

Oracle: names written here. Cost: 1 s. Run: pytest tests/data/in_memory/test_carried_names.py
"""

from types import SimpleNamespace

import numpy as np
import pytest

from bakeoff.data.in_memory.python_data import from_python

NAMES = ["cat", "ant", "bee", "dog"]
NUMBERS = [3, 1, 3, 0, 1, 0]  # no bee


class Pets:
    """A data set of torch's kind."""

    def __init__(self, labels=NUMBERS, **attributes):
        self.labels = labels
        vars(self).update(attributes)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, place):
        return {"image": np.full((4, 4), 40 * place, np.uint8), "label": self.labels[place]}


class Subset(Pets):
    """As torch.utils.data has it: the names are those of .dataset."""


def called(data):
    return [data.class_names[each] for each in data.labels]


HUGGING_FACE = {"image": None, "label": SimpleNamespace(names=NAMES)}


@pytest.mark.parametrize(
    ("pets", "attribute"),
    [
        (Pets(classes=NAMES), "classes"),
        (Pets(classes=NAMES, target_transform=None), "classes"),
        (Pets(class_names=np.array(NAMES)), "class_names"),
        (Pets(features=HUGGING_FACE), "features"),
        (Pets(np.eye(4)[NUMBERS], classes=NAMES), "classes"),
        (Subset(dataset=Pets(classes=NAMES)), "classes"),
    ],
)
def test_classes_are_called_as_the_data_set_says(pets, attribute):
    data = from_python(pets)
    assert data.class_names == ("cat", "ant", "dog")
    assert called(data) == ["dog", "ant", "dog", "cat", "ant", "cat"]
    assert data.notes == (f"classes are called as the data set's .{attribute} says",)


@pytest.mark.parametrize(
    "attributes",
    [
        {"classes": NAMES[:3]},  # shorter than labels reach
        {"classes": ["cat", "cat", "bee", "dog"]},
        {"classes": [("cat", "puss")] * 4},  # ImageNet's
        {"classes": NAMES, "target_transform": abs},
        {"classes": 4},
        {"features": {"image": None}},
        {"features": {**HUGGING_FACE, "target": SimpleNamespace(names=NAMES)}},  # of which?
        {"dataset": Pets(classes=NAMES)},  # what it does with labels is not known
    ],
)
def test_names_that_do_not_fit_are_not_taken(attributes):
    data = from_python(Pets(**attributes))
    assert (data.class_names, data.notes) == (("0", "1", "3"), ())


def test_labels_that_are_text_stay():
    data = from_python(Pets(["a", "b", "a", "b", "a", "b"], classes=NAMES))
    assert data.class_names == ("a", "b")
