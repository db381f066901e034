"""What is suggested for a misspelt word.

Oracle: what a person would say. Cost: nothing. Run: pytest tests/recipe/test_suggestions.py
"""

import pytest

from bakeoff.recipe.suggestions import did_you_mean, nearest
from bakeoff.recipe.vocabulary.words import LAYERS

WORDS = ("dense", "conv2d", "max_pooling2d", "learning_rate", "grey", "mnist", "fashion-mnist")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("Dense", "dense"),
        ("Conv2D", "conv2d"),
        ("MaxPooling2D", "max_pooling2d"),
        ("lr", "learning_rate"),
        ("gray", "grey"),
        ("fmnist", "fashion-mnist"),
        ("MNIST", "mnist"),
        ("zebra", None),
        (3, None),
        ("x" * 101, None),
    ],
)
def test_the_nearest_word(word, meant):
    assert nearest(word, WORDS) == meant


def test_a_suggestion_is_a_question_or_nothing():
    assert "did you mean dense?" in did_you_mean("desne", WORDS)


def test_a_long_list_of_known_words_is_cut():
    known = [f"block_{number}" for number in range(400)]
    assert did_you_mean(3, known[:3]) == "known: block_0, block_1, block_2"
    assert did_you_mean(3, known) == (
        "known: block_0, block_1, block_2, block_3, …, block_398, block_399"
    )


def test_nearest_word():
    assert nearest("MaxPooling2D", LAYERS) == "max_pooling2d"
    assert nearest("batchnorm", LAYERS) == "batch_normalization"
    assert nearest("prelu", LAYERS) == "p_re_lu"
    assert nearest("xyzzy", LAYERS) is None
    assert nearest(3, LAYERS) is None
