"""A backbone as part of the network that is trained, frozen or fine-tuned from a layer on.

Batch normalization keeps its statistics and dropout is off, whether it is trained or not.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.recipe import Layer
from bakeoff.recipe.types import Backbone
from bakeoff.recipe.vocabulary.backbones import BACKBONES, LITE0, layers_from
from bakeoff.storage.backbone_weights import backbone_weights
from bakeoff.training.backbones.features import as_seen, channel_weights
from bakeoff.training.backbones.load import fill, unfilled
from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.graph import all_layers

Array = Any
Shape = tuple[int, int, int]
Inner = Callable[[Shape, tuple[Layer, ...]], Any]


class AsSeen(keras.layers.Layer):  # type: ignore[misc]
    """Images of pixels in [0, 1] as a backbone takes them: its side, its channels, its scale.

    shape : height, width, channels of what the backbone takes
    white : the pixel value that it takes for white
    """

    def __init__(self, shape: Shape, white: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.shape, self.white = shape, white

    def call(self, images: Array) -> Array:
        """Return the images, float32, shape (n, *self.shape)."""
        return as_seen(images, 1.0, self.shape, white=self.white)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the shape of a batch of what the backbone takes."""
        return (input_shape[0], *self.shape)


def as_keras(layer: AsSeen) -> keras.Sequential:
    """Return the layer, which was called once, as layers of Keras's own.

    Resizing becomes two products of matrices.
    """
    before, after = tuple(layer.input.shape[1:]), layer.shape
    stack = [keras.Input(before), keras.layers.Rescaling(layer.white, name="white")]
    products: list[NDArray[Any]] = []

    def product(weights: NDArray[Any], name: str) -> None:
        stack.append(keras.layers.Conv2D(weights.shape[1], 1, use_bias=False, name=name))
        products.append(weights[None, None])

    if before[2] != after[2]:
        product(channel_weights(before[2], after[2]), "channels")
    if before[:2] != after[:2]:
        stack.append(keras.layers.Permute((2, 3, 1)))
        product(_resizing(before[0], after[0]), "rows")
        stack.append(keras.layers.Permute((3, 2, 1)))
        product(_resizing(before[1], after[1]), "columns")
        stack.append(keras.layers.Permute((1, 3, 2)))
    network = keras.Sequential(stack, name=layer.name)
    network.set_weights(products)
    network.trainable = False
    return network


def _resizing(before: int, after: int) -> NDArray[np.float32]:
    """Return what brings a row of `before` pixels to `after`, (before, after)."""
    resized = jax.image.resize(np.eye(before, dtype=np.float32), (after, before), "bilinear")
    return np.asarray(resized).T


class Pretrained(keras.layers.Layer):  # type: ignore[misc]
    """A network inside another, which predicts even while the other is trained."""

    def __init__(self, network: keras.Model, **settings: Any) -> None:
        super().__init__(**settings)
        self.network = network

    def call(self, images: Array) -> Array:
        """Return the network's features."""
        return self.network(images, training=False)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the shape of the network's features."""
        return tuple(self.network.compute_output_shape(input_shape))


def layers_of(backbone: Backbone, inner: Inner) -> list[Any]:
    """Return the layers that come before a model's own, pretrained weights not yet set.

    inner : builds the layers of another study's network, named so that they differ from the
        model's own; (input shape, layers) to a keras.Model
    """
    if backbone.name is None:
        found = backbone.network
        assert found is not None  # looked up where the study was prepared
        network, shape, white = inner(found.input_shape, found.layers), found.input_shape, 1.0
    else:
        side = BACKBONES[backbone.name].side
        shape, white = (side, side, 3), 255.0
        network = unfilled(backbone.name)
    for layer in _frozen(network, backbone):
        layer.trainable = False
    return [AsSeen(shape, white, name="as_seen"), Pretrained(network, name="backbone")]


def _frozen(network: Any, backbone: Backbone) -> list[Any]:
    """Return the layers of a backbone's network that are not fine-tuned."""
    every = list(all_layers(network))
    if backbone.name is None:
        return [layer for layer in every if not backbone.trains_layer(_number(layer.name))]
    if not backbone.trains:
        return every
    if backbone.start is None:
        return []
    first = layers_from(backbone.name, str(backbone.start))[0].name
    return every[: [layer.name for layer in every].index(first)]


def _number(name: str) -> int:
    """Return the number, in its list, of the layer that a Keras layer was made for."""
    parts = name.split("__")
    return int(parts[1]) if len(parts) > 2 else 0


def set_pretrained(layer: Pretrained, backbone: Backbone, inner: Inner) -> None:
    """Give a backbone inside a network its pretrained weights; `inner` is as for `layers_of`.

    Raises
    ------
    DataError : they are not here
    StudyError : the other study no longer has the model that was found there
    """
    pretrained, found = layer.network, backbone.network
    if backbone.name == LITE0:
        fill(pretrained)
    if backbone.name is not None or found is None:  # those of Keras have come with their weights
        return
    fresh = inner(found.input_shape, found.layers)  # in it, all is trainable, as it was there
    trainable, other = fresh.trainable_variables, fresh.non_trainable_variables
    weights = backbone_weights(backbone)
    names = sorted(weights, key=lambda name: int(name.partition(".")[0]))  # 999 before 1000
    saved = [weights[name] for name in names]  # the output layer's are in the middle
    values = [*saved[: len(trainable)], *saved[len(saved) - len(other) :]]
    value_of = dict(zip(map(id, (*trainable, *other)), values, strict=True))
    for variable, theirs in zip(pretrained.variables, fresh.variables, strict=True):
        variable.assign(value_of[id(theirs)])
