"""What helps somebody who writes Keras's words in a recipe.

Oracle: what a person would say. Cost: nothing. Run: pytest tests/recipe/parsing/test_keras_words.py
"""

from pathlib import Path

import pytest

from bakeoff.errors import RecipeError
from bakeoff.recipe import parse
from bakeoff.recipe.parsing import keras_words
from bakeoff.recipe.parsing.keras_words import activation_hint, hint, layer_hint
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
    assert "leaky_re_lu: 0.1" in (activation_hint("LeakyReLU") or "")
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


@pytest.mark.parametrize(
    ("layer", "cure"),
    [
        ("GELU", "did you mean activation: gelu?"),
        ("nn.SELU()", "did you mean activation: selu?"),
        ("Hardswish", "did you mean activation: hard_swish?"),
        ({"leaky_relu": 0.1}, "did you mean leaky_re_lu?"),
        ({"Linear": 64}, "did you mean dense?"),
        ({"alpha_dropout": 0.1}, "recipes do not have it"),
        ({"activation": "softsign"}, "recipes do not have it"),
        ({"Dropout2d": 0.1}, "recipes do not have it"),
        ({"random_erasing": 0.2}, "did you mean cutout?"),
        ({"random_shear": 0.2}, "recipes do not have it"),
        ({"mix_up": 0.2}, "training: {mixup: 0.2}"),
        ({"dense": {"units": 3, "kernel_initializer": "normal"}}, "did you mean random_normal?"),
        ({"dense": {"units": 3, "kernel_initializer": "kaiming_normal_"}}, "mean he_normal?"),
        ({"dense": {"units": 3, "kernel_initializer": "xavier_uniform"}}, "mean glorot_uniform?"),
        ({"conv2d": {"filters": 3, "kernel_size": "(3", "3)": None}}, "as in [3, 3]"),
    ],
)
def test_no_other_layer_is_named_in_the_place_of_what_was_meant(layer, cure):
    """The nearest spelling was another network: elu for GELU, he_uniform for xavier_uniform."""
    assert cure in problem(**layers(layer))


@pytest.mark.parametrize(
    ("training", "cure"),
    [
        ({"optimizer": {"sgd": {"decay": 1e-6}}}, "exponential"),
        ({"optimizer": {"adam": {"betas": [0.9, 0.99]}}}, "beta_1 and beta_2"),
        ({"ReduceLROnPlateau": {"patience": 3}}, "rates are planned"),
        ({"lr_scheduler": "cosine"}, "it is the optimizer's learning_rate"),
        ({"loss": {"categorical_crossentropy": {}}}, "label_smoothing: 0.1"),
        ({"augmentation": []}, "random_flip: horizontal"),
    ],
)
def test_training_as_notebooks_say_it(training, cure):
    """SGD's decay lowered the learning rate in Keras 2: weight_decay would be another training."""
    assert cure in problem(**layers("flatten"), training=training)
