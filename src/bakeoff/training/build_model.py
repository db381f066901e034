"""Builds a declared model as a Keras model, with the faster layers of `layers/`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bakeoff.recipe import ModelRecipe
from bakeoff.training.backend import keras
from bakeoff.training.initializers import Drawn
from bakeoff.training.layers.convolution import Conv2D
from bakeoff.training.layers.dense import Dense
from bakeoff.training.layers.dropout import Dropout
from bakeoff.training.layers.image_shifts import RandomFlip, RandomTranslation
from bakeoff.training.layers.pooling import AveragePooling2D, MaxPooling2D
from bakeoff.training.layers.replace import RANDOM, fuse_neighbours
from bakeoff.training.user_builder import build_from_python

LAYERS: dict[str, type] = {
    "dense": Dense,
    "conv2d": Conv2D,
    "max_pooling2d": MaxPooling2D,
    "average_pooling2d": AveragePooling2D,
    "global_average_pooling2d": keras.layers.GlobalAveragePooling2D,
    "flatten": keras.layers.Flatten,
    "dropout": Dropout,
    "batch_normalization": keras.layers.BatchNormalization,
    "activation": keras.layers.Activation,
    "p_re_lu": keras.layers.PReLU,
    "leaky_re_lu": keras.layers.LeakyReLU,
    "elu": keras.layers.ELU,
    "random_flip": RandomFlip,
    "random_translation": RandomTranslation,
}


def build(
    model: ModelRecipe, input_shape: tuple[int, int, int], n_classes: int, *, seed: int
) -> keras.Model:
    """Return the Keras model a recipe declares, its initial weights drawn from `seed`.

    Parameters
    ----------
    model : the recipe's model; its own layers, or a Python builder, which is run here
    input_shape : height, width, channels; values are in [0, 1]
    n_classes : width of the softmax output that is added to declared layers

    Raises
    ------
    RecipeError
        If a Python builder is missing, raises, or returns something else than asked for.
    """
    if model.python is not None:
        return fuse_neighbours(build_from_python(model.python, input_shape, n_classes, seed=seed))
    seeds = iter(np.random.SeedSequence(seed).generate_state(len(model.layers or ()) + 1))
    stack: list[Any] = [keras.Input(input_shape)]
    flat = False
    for index, layer in enumerate(model.layers or (), start=1):
        if layer.kind == "dense" and not flat:
            stack.append(keras.layers.Flatten(name=f"flatten_before_{index}"))
        flat = flat or layer.kind in ("dense", "flatten", "global_average_pooling2d")
        stack.append(_layer(layer.kind, layer.arguments, index=index, seed=int(next(seeds))))
    if not flat:
        stack.append(keras.layers.Flatten(name="flatten_before_output"))
    output = {**model.output, "units": n_classes, "activation": "softmax"}
    stack.append(_layer("dense", output, index=len(model.layers or ()) + 1, seed=int(next(seeds))))
    return fuse_neighbours(keras.Sequential(stack))


def _layer(kind: str, arguments: Mapping[str, Any], *, index: int, seed: int) -> Any:
    settings = {key: _argument(key, value, seed=seed) for key, value in arguments.items()}
    if LAYERS[kind] in RANDOM:
        settings["index"] = index
    return LAYERS[kind](**settings, name=f"{kind}_{index}")


def _argument(key: str, value: Any, *, seed: int) -> Any:
    """Return a Keras regulariser or a seeded initialiser for its name; other values as they are."""
    if key.endswith("_regularizer") and value:
        return keras.regularizers.L1L2(l1=value.get("l1", 0.0), l2=value.get("l2", 0.0))
    if key.endswith("_initializer") and value not in ("zeros", "ones"):
        return Drawn(value, seed)
    return value
