"""Which of Keras's layers are replaced by faster ones, and the replacing of them in a model."""

from itertools import pairwise
from typing import Any

from bakeoff.training.backend import keras
from bakeoff.training.layers.context import ours
from bakeoff.training.layers.convolution import Conv2D
from bakeoff.training.layers.dense import Dense
from bakeoff.training.layers.dropout import Dropout
from bakeoff.training.layers.image_shifts import RandomFlip, RandomTranslation
from bakeoff.training.layers.pooling import AveragePooling2D, MaxPooling2D
from bakeoff.training.native import ops

FASTER: dict[type, type] = {
    keras.layers.Conv2D: Conv2D,
    keras.layers.Dense: Dense,
    keras.layers.MaxPooling2D: MaxPooling2D,
    keras.layers.AveragePooling2D: AveragePooling2D,
    keras.layers.Dropout: Dropout,
    keras.layers.RandomFlip: RandomFlip,
    keras.layers.RandomTranslation: RandomTranslation,
}
RANDOM = (Dropout, RandomFlip, RandomTranslation)  # told apart by an index
_MONOTONIC = tuple(
    getattr(keras.activations, name)
    for name in ("linear", "relu", "leaky_relu", "elu", "selu", "tanh", "sigmoid", "softplus")
)


def with_faster_layers(model: keras.Model) -> keras.Model:
    """Return the model with Keras's slow layers replaced, or as it is if it is no graph."""
    if not isinstance(model, keras.Sequential) and not getattr(model, "_is_graph_network", False):
        return model
    indices = {layer.name: index for index, layer in enumerate(model.layers)}

    def faster(layer: Any) -> Any:
        kind = FASTER.get(type(layer))
        if kind is None:
            return type(layer).from_config(layer.get_config())
        index = {"index": indices.get(layer.name, 0)} if kind in RANDOM else {}
        return kind(**{**layer.get_config(), **index})

    clone = keras.models.clone_model(model, clone_function=faster)
    clone.set_weights(model.get_weights())
    return clone


def fuse_neighbours(model: keras.Model) -> keras.Model:
    """Mark adjacent layers that can be fused, in place, and return the model."""
    if not isinstance(model, keras.Sequential):
        return model
    for index, (one, other) in enumerate(pairwise(model.layers)):
        if index == 0 and type(one) is keras.layers.Flatten and isinstance(other, Dense):
            other.on_pixels = True
        if _pools_first(one, other):
            one.pool_first, other.pooled = other.pool, True
    return model


def _pools_first(one: Any, other: Any) -> bool:
    """Say whether max pooling may come between a convolution and its bias and activation.

    It commutes with adding a constant and with an activation that never falls, and leaves fewer
    values to activate. Only native kernels gain: XLA alone is faster the other way round.
    """
    both = type(one) is Conv2D and type(other) is MaxPooling2D
    return both and ops.loaded() and ours(other.data_format) and one.activation in _MONOTONIC
