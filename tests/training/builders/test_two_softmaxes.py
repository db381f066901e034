"""A softmax of a softmax at the end of a model, whatever stands between the two.

Oracle: models written here. Cost: 4 s. Builders that end so are in test_builder_checks.py.
Run: pytest tests/training/builders/test_two_softmaxes.py
"""

import pytest

from bakeoff.training.backend import keras
from bakeoff.training.builders.two_softmaxes import ends_in_two_softmaxes
from bakeoff.training.builders.user_builder import usable

L = keras.layers
SHAPE, CLASSES = (4, 4, 1), 3


@pytest.mark.parametrize(
    ("end", "twice"),
    [
        ([L.Dense(CLASSES, "softmax")], False),
        ([L.Dense(5, "softmax"), L.Dense(CLASSES, "softmax")], False),
        ([L.Dense(CLASSES, "softmax"), L.Softmax()], True),
        ([L.Dense(CLASSES, "softmax"), L.BatchNormalization(), L.Softmax()], True),
        ([L.Dense(CLASSES), L.Lambda(lambda x: keras.ops.softmax(x)), L.Softmax()], True),
    ],
    ids=["one", "of other values", "two", "normalised between", "in a function"],
)
def test_two_softmaxes_one_after_the_other(end, twice):
    given = keras.Sequential([keras.Input(SHAPE), L.Flatten(), *end])
    model, predict = usable(given, "mine.py:build", SHAPE, CLASSES)
    assert ends_in_two_softmaxes(model, predict, SHAPE, CLASSES) is twice
