"""The faster layer for each of Keras's that is slow, and their replacement in a model."""

from typing import Any

from bakeoff.training.backend import keras
from bakeoff.training.layers.activation import ELU, Activation, ReLU, applied
from bakeoff.training.layers.augmentation import (
    Cutout,
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomRotation,
    RandomZoom,
)
from bakeoff.training.layers.context import ours
from bakeoff.training.layers.convolution import Conv2D
from bakeoff.training.layers.dense import Dense
from bakeoff.training.layers.depthwise import DepthwiseConv2D, SeparableConv2D
from bakeoff.training.layers.dropout import Dropout
from bakeoff.training.layers.graph import all_layers, graph, is_functional, is_sequential
from bakeoff.training.layers.image_shifts import RandomFlip, RandomTranslation
from bakeoff.training.layers.noise import GaussianNoise
from bakeoff.training.layers.normalization import BatchNormalization
from bakeoff.training.layers.pooling import AveragePooling2D, MaxPooling2D
from bakeoff.training.native import ops

FASTER: dict[type, type] = {
    keras.layers.Conv2D: Conv2D,
    keras.layers.Dense: Dense,
    keras.layers.DepthwiseConv2D: DepthwiseConv2D,
    keras.layers.SeparableConv2D: SeparableConv2D,
    keras.layers.BatchNormalization: BatchNormalization,
    keras.layers.Activation: Activation,
    keras.layers.ReLU: ReLU,
    keras.layers.ELU: ELU,
    keras.layers.MaxPooling2D: MaxPooling2D,
    keras.layers.AveragePooling2D: AveragePooling2D,
    keras.layers.Dropout: Dropout,
    keras.layers.GaussianNoise: GaussianNoise,
    keras.layers.RandomFlip: RandomFlip,
    keras.layers.RandomTranslation: RandomTranslation,
    keras.layers.RandomRotation: RandomRotation,
    keras.layers.RandomZoom: RandomZoom,
    keras.layers.RandomContrast: RandomContrast,
    keras.layers.RandomBrightness: RandomBrightness,
    keras.layers.RandomCrop: RandomCrop,
}
RANDOM = (  # told apart by an index
    *(Dropout, GaussianNoise, RandomFlip, RandomTranslation, RandomRotation, RandomZoom),
    *(RandomContrast, RandomBrightness, RandomCrop, Cutout),
)
_MONOTONIC = tuple(
    getattr(keras.activations, name)
    for name in ("linear", "relu", "leaky_relu", "elu", "selu", "tanh", "sigmoid", "softplus")
)


def with_faster_layers(model: keras.Model) -> keras.Model:
    """Return a Sequential or functional model with Keras's slow layers replaced; others as given.

    Models nested in it are treated alike. Shared layers stay shared. The user's own layers are
    kept as they are, with the code they were made with.
    """
    if not (is_sequential(model) or is_functional(model)):
        return model
    indices = {id(layer): index for index, layer in enumerate(all_layers(model))}
    made: dict[int, Any] = {}  # by id: a layer that is called twice is replaced once

    def faster(layer: Any) -> Any:
        if id(layer) not in made:
            made[id(layer)] = replacement(layer)
        return made[id(layer)]

    def replacement(layer: Any) -> Any:
        if is_sequential(layer) or is_functional(layer):
            return keras.models.clone_model(layer, clone_function=faster)
        kind = FASTER.get(type(layer))
        if kind is None:
            return layer
        index = {"index": indices[id(layer)]} if kind in RANDOM else {}
        try:
            return kind(**{**_arguments(layer), **index})
        except Exception:  # a partial function as activation, say: kept as it is
            return layer

    clone = keras.models.clone_model(model, clone_function=faster)
    clone.set_weights(model.get_weights())
    return clone


def _arguments(layer: Any) -> dict[str, Any]:
    """Return what a layer was made with; functions and the like themselves.

    Keras's configuration has their names alone: a function of the user's own that is called like
    one of Keras's would become that one.
    """
    config = layer.get_config()
    used = {key: getattr(layer, key, None) for key in config}
    return {key: used[key] if callable(used[key]) else value for key, value in config.items()}


def fuse_neighbours(model: keras.Model) -> keras.Model:
    """Mark adjacent layers that can be fused, in place, and return the model."""
    connections = graph(model)
    for layer, following in connections.pairs:
        flattens = type(layer) is keras.layers.Flatten and layer in connections.first
        if flattens and isinstance(following, Dense):
            following.on_pixels = True
        if _pools_first(layer, following):
            layer.pool_first, following.pooled = following.pool, True
        activation = applied(following)
        normalizes = type(layer) is BatchNormalization and _unwatched(layer)
        if activation and normalizes and ops.loaded():
            layer.then, following.done = activation, True
    return model


def _pools_first(one: Any, other: Any) -> bool:
    """Say whether max pooling may come between a convolution and its bias and activation.

    It commutes with adding a constant and with an activation that never falls, and leaves fewer
    values to activate. Only native kernels gain: XLA alone is faster the other way round.
    """
    both = type(one) is Conv2D and type(other) is MaxPooling2D and _unwatched(one)
    return both and ops.loaded() and ours(other.data_format) and one.activation in _MONOTONIC


def _unwatched(layer: Any) -> bool:
    """Say whether a layer may give other values than Keras's: no regularizer looks at them."""
    return layer.activity_regularizer is None
