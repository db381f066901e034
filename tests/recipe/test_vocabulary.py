"""The vocabulary. Oracle: the signatures and objects of the installed Keras.

Cost: 6 s, nearly all of it importing Keras. Run: pytest tests/recipe/test_vocabulary.py
"""

import inspect

import pytest

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
        "gaussian_noise": (0.1,),
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
