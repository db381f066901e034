"""What helps somebody who writes Keras's words in a recipe.

Oracle: what a person would say. Cost: nothing. Run: pytest tests/recipe/test_keras_words.py
"""

import pytest

from bakeoff.recipe import keras_words
from bakeoff.recipe.keras_words import activation_hint, hint, layer_hint
from bakeoff.recipe.vocabulary.words import LAYERS


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("", keras_words.TOP),
        ("training", keras_words.TRAINING),
        ("models.cnn.training", keras_words.TRAINING),
        ("models.cnn", keras_words.MODEL),
    ],
)
def test_each_part_of_a_recipe_has_words_of_its_own(place, words):
    for word, text in words.items():
        assert hint(place, word, []) == text
        assert hint(place, f"{word[:2].upper()}_{word[2:]}", []) == text  # whatever the spelling


def test_other_parts_have_none_and_a_known_key_needs_none():
    (word, *_) = keras_words.TRAINING
    assert hint("models.cnn.layers[1]", word, []) is None
    assert hint("training", word, [word.upper()]) is None
    assert hint("training", 3, []) is None


def test_no_hint_is_given_for_a_layer_that_recipes_have():
    assert not [name for name in LAYERS if layer_hint(name, LAYERS)]
    assert not [name for name in keras_words.LAYER if name in LAYERS]
    assert layer_hint("LSTM", LAYERS) == layer_hint("lstm", LAYERS) is not None
    assert layer_hint(None, LAYERS) is None


def test_activations():
    assert activation_hint("LeakyReLU") == "write it as a layer of its own: leaky_re_lu"
    assert activation_hint("relu") is None
    assert activation_hint(7) is None
