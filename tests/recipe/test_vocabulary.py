"""The vocabulary. Oracle: the signatures and objects of the installed Keras.

Cost: 6 s, nearly all of it importing Keras. Run: pytest tests/recipe/test_vocabulary.py
"""

import inspect

import pytest

from bakeoff.recipe.suggestions import nearest
from bakeoff.recipe.value_kinds import Axes, Choice, Flag, Misfit, Number, Pair, Regularizer, Whole
from bakeoff.recipe.vocabulary.arguments import ACTIVATION_NAMES, INITIALIZER_NAMES
from bakeoff.recipe.vocabulary.layers import Output
from bakeoff.recipe.vocabulary.optimizers import OPTIMIZERS
from bakeoff.recipe.vocabulary.words import LAYERS
from bakeoff.training.backend import keras

OURS = {"cutout"}  # Keras has no such layer
OF_KERAS = sorted(set(LAYERS) - OURS)


def same(name, ours, keras_default):
    """Equal as Keras understands them: names of functions and classes stand for themselves."""
    if name == "activation":
        return keras.activations.get(ours) is keras.activations.get(keras_default)
    if name.endswith("_initializer"):
        ours, theirs = keras.initializers.get(ours), keras.initializers.get(keras_default)
        return type(ours) is type(theirs) and ours.get_config() == theirs.get_config()
    return ours == keras_default and type(ours) is type(keras_default)


def check_defaults(ours, theirs, *, main=None):
    parameters = inspect.signature(theirs.__init__).parameters
    for name, field in ours.model_fields.items():
        assert name in parameters, f"{theirs.__name__} has no {name}"
        default = parameters[name].default
        if field.is_required():
            assert default is inspect.Parameter.empty, name
        else:
            assert same(name, field.default, default), (name, field.default, default)
    assert main is None or main == next(n for n in list(parameters)[1:])


@pytest.mark.parametrize("kind", OF_KERAS)
def test_layer_arguments_and_defaults_are_those_of_keras(kind):
    theirs = getattr(keras.layers, LAYERS[kind].__name__)
    check_defaults(LAYERS[kind], theirs, main=LAYERS[kind].main)


@pytest.mark.parametrize("kind", OF_KERAS)
def test_layer_names_are_those_that_keras_gives(kind):
    theirs = getattr(keras.layers, LAYERS[kind].__name__)
    keras.backend.clear_session()
    arguments = {
        "dense": (1,),
        "conv2d": (1, 1),
        "average_pooling2d": (2,),
        "dropout": (0.5,),
        "activation": ("relu",),
        "depthwise_conv2d": (1,),
        "separable_conv2d": (1, 1),
        "random_translation": (0.1, 0.1),
        "random_crop": (1, 1),
        **dict.fromkeys(["random_rotation", "random_zoom"], (0.1,)),
        **dict.fromkeys(["random_contrast", "random_brightness"], (0.1,)),
    }.get(kind, ())
    assert theirs(*arguments).name == kind


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_optimizer_arguments_and_defaults_are_those_of_keras(kind):
    theirs = getattr(keras.optimizers, OPTIMIZERS[kind].__name__)
    check_defaults(OPTIMIZERS[kind], theirs)
    parameters = inspect.signature(theirs.__init__).parameters
    assert OPTIMIZERS[kind].usual_rate == parameters["learning_rate"].default
    assert type(keras.optimizers.get(kind)) is theirs


def test_the_output_takes_what_dense_takes_but_units_and_activation():
    dense, output = LAYERS["dense"].model_fields, Output.model_fields
    assert set(dense) - set(output) == {"units", "activation"}
    assert all(dense[name].default == field.default for name, field in output.items())


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_keras_knows_every_activation(name):
    assert keras.activations.get(name).__name__ == name


@pytest.mark.parametrize("name", INITIALIZER_NAMES)
def test_keras_knows_every_initializer(name):
    assert callable(keras.initializers.get(name))


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (Whole(1, 10), "10", 10),
        (Whole(1, 10**6), "1_000", 1000),
        (Number(0, 1), "1e-3", 0.001),
        (Number(0, 1), ".5", 0.5),
        (Number(0, 1), 1, 1.0),
        (Number(-1, 1), -0.0, 0.0),
        (Choice(("a", "b"), null="b"), None, "b"),
        (Flag(), False, False),
        (Pair(1, 9), 3, (3, 3)),
        (Pair(1, 9), [2, "3"], (2, 3)),
        (Axes(), [2, 1], (1, 2)),
        (Axes(), 3, (3,)),
        (Regularizer(), {"l2": 1, "l1": "1e-2"}, {"l1": 0.01, "l2": 1.0}),
        (Regularizer(), {"l2": 0, "l1": 0.5}, {"l1": 0.5}),
        (Regularizer(), {"l2": 0}, None),
    ],
)
def test_a_value_is_read_to_its_canonical_form(kind, value, read):
    assert kind.read(value) == read
    assert type(kind.read(value)) is type(read)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (Whole(1, 10), 11, "expected a whole number from 1 to 10, found 11"),
        (Whole(1, 10), True, "expected a whole number from 1 to 10, found true"),
        (Whole(1, 10), 2.0, "expected a whole number from 1 to 10, found 2.0"),
        (Whole(1, 10), "08", "expected a whole number from 1 to 10, found '08'"),
        (
            Whole(1, 10**6),
            10**400,
            "expected a whole number from 1 to 1,000,000, found a very large number",
        ),
        (Number(0, 1), float("nan"), "expected a number from 0 to 1, found nan"),
        (Number(0, 1), 10**400, "expected a number from 0 to 1, found a very large number"),
        (Number(0, 1, above=True), 0, "expected a number above 0 up to 1, found 0"),
        (Number(0, 1, below=True), 1, "expected a number from 0 to below 1, found 1"),
        (Number(0, 1, above=True, below=True), 2, "expected a number above 0 and below 1, found 2"),
        (Number(0), "x", "expected a number from 0 up, found 'x'"),
        (Number(0, above=True), -1, "expected a number above 0, found -1"),
        (Number(), {}, "expected a number, found an empty mapping"),
        (Flag(), "no", "expected true or false, found 'no'"),
        (Pair(1, 9), [1],
         "expected a whole number from 1 to 9, or [height, width], found a list of 1"),
        (Axes(), [1, 1], "expected a list of different axes from 1 to 3, found a list of 2"),
        (Axes(), [], "expected a list of different axes from 1 to 3, found an empty list"),
        (Regularizer(), "l2", "expected {l1: factor}, {l2: factor} or both, found 'l2'"),
        (Regularizer(), {"l3": 1}, "unknown key; known: l1, l2"),
        (Regularizer(), {"l1": -1}, "expected a number from 0 to 1,000,000, found -1"),
        (Choice(("valid", "same"), "a padding"), "smae",
         "expected a padding (valid, same), found 'smae'; did you mean same?"),
        (Choice(("valid", "same"), "a padding"), None,
         "expected a padding (valid, same), found nothing"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_says_why(kind, value, message):
    with pytest.raises(Misfit) as caught:
        kind.read(value)
    assert str(caught.value) == message


def test_nearest_word():
    assert nearest("MaxPooling2D", LAYERS) == "max_pooling2d"
    assert nearest("batchnorm", LAYERS) == "batch_normalization"
    assert nearest("prelu", LAYERS) == "p_re_lu"
    assert nearest("xyzzy", LAYERS) is None
    assert nearest(3, LAYERS) is None
