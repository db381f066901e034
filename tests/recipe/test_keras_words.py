"""What helps somebody who writes Keras's words in a recipe.

Oracle: what a person would say. Cost: nothing. Run: pytest tests/recipe/test_keras_words.py
"""

from pathlib import Path

import pytest

from bakeoff.errors import RecipeError
from bakeoff.recipe import keras_words, parse
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
    assert not keras_words.LAYER.keys() & {name.replace("_", "") for name in LAYERS}
    assert layer_hint("LSTM", LAYERS) == layer_hint("lstm", LAYERS) is not None
    assert layer_hint(None, LAYERS) is None


def test_activations():
    assert activation_hint("LeakyReLU") == "write it as a layer of its own: leaky_re_lu"
    assert activation_hint("relu") is None
    assert activation_hint(7) is None


def problem(**words):
    with pytest.raises(RecipeError) as caught:
        parse({"name": "r", "data": "digits", **words}, origin="r", folder=Path())
    return str(caught.value)


def layers(*each):
    return {"models": {"m": {"layers": list(each)}}}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("layers.Dense", "did you mean dense?"),
        ("keras.layers.Dense(8, activation=0.1)", "did you mean dense?"),
        ("tf.nn.relu", "did you mean activation: relu?"),
        ("log_softmax", "Bakeoff adds the softmax output itself; leave it out"),
    ],
)
def test_a_layer_in_the_words_of_a_program(written, meant):
    assert problem(**layers(written)).endswith(f"; {meant}")


@pytest.mark.parametrize("written", ["keras.optimizers.Adam", "Adam(learning_rate=0.01)"])
def test_an_optimizer_in_the_words_of_a_program(written):
    said = problem(**layers({"dense": 8}), training={"optimizer": written})
    assert said.endswith("; did you mean adam?")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("none", "write null or linear"),
        ("log_softmax", "Bakeoff adds the softmax output itself; leave it out"),
        ("tf.nn.relu", "did you mean relu?"),
    ],
)
def test_an_activation_in_the_words_of_a_program(written, meant):
    said = problem(**layers({"dense": {"units": 8, "activation": written}}))
    assert said.endswith(f"; {meant}")


def test_verbose_is_not_shuffling():
    said = hint("training", "verbose", [])
    assert said == "progress is always shown, on standard error; leave it out"


def test_what_is_wrong_goes_before_a_name_that_is_missing():
    assert problem(**layers("dens"), name=None) == (
        "recipe r, models.m.layers[1]: unknown layer dens; did you mean dense? (and 1 more)"
    )
