"""Test parts whose colours are inverted.

Oracle: the digits, and the digits with every pixel subtracted from white. Cost: 0.5 s.
Run: pytest tests/data/test_negatives.py
"""

import numpy as np
import pytest

from bakeoff import data as datasets
from bakeoff.data import NpzSource
from bakeoff.data.in_memory.python_data import from_python
from bakeoff.data.named import load_digits


def divided(test):
    """Return the digits, 1,500 to train and the others to test, as `test` changes them."""
    digits = load_digits()
    images, labels = digits.images[..., 0] * np.uint8(15), digits.labels
    return images[:1500], labels[:1500], test(images[1500:]), labels[1500:]


NOTE = (
    "the test part looks like a negative of the training part: its mean brightness is 0.71 of "
    "white, that of training 0.29; were colours inverted in one of them?"
)


@pytest.mark.parametrize("kind", ["arrays", "npz"])
def test_an_inverted_test_part_is_noticed_when_it_is_read(tmp_path, kind):
    x, y, x_test, y_test = divided(lambda images: 255 - images)
    if kind == "npz":
        np.savez(tmp_path / "d.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
        data = datasets.load(NpzSource(tmp_path / "d.npz"))
    else:
        data = from_python((x, y, x_test, y_test))
    assert NOTE in data.notes


@pytest.mark.parametrize(
    "changed",
    [
        lambda images: images,
        lambda images: images // 2,  # darker
        lambda images: np.minimum(255, images.astype(int) + 90).astype(np.uint8),  # lighter
    ],
)
def test_other_light_is_no_negative(changed):
    assert not [note for note in from_python(divided(changed)).notes if "negative" in note]
