"""Builds a declared model as a Keras model, with the faster layers of `layers/`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bakeoff.recipe import Layer, ModelRecipe
from bakeoff.recipe.types import innermost
from bakeoff.recipe.vocabulary.backbones import BACKBONES
from bakeoff.recipe.vocabulary.layer import Shape
from bakeoff.recipe.vocabulary.residual import RESIDUAL, shortcut
from bakeoff.recipe.vocabulary.words import LAYERS
from bakeoff.training.backbones import in_network
from bakeoff.training.backend import keras
from bakeoff.training.builders.user_builder import build_from_python
from bakeoff.training.layers.replace import fuse_neighbours
from bakeoff.training.make_layer import augmenting, make_layer


def build(
    model: ModelRecipe, input_shape: tuple[int, int, int], n_classes: int, *, seed: int
) -> keras.Model:
    """Return the Keras model a recipe declares, its initial weights drawn from `seed`.

    Parameters
    ----------
    model : the recipe's model; its own layers, or a Python builder, which is run here
    input_shape : height, width, channels; values are in [0, 1]. A model on features that are kept
        is built for them, as if they were images of 1×1 pixels. A backbone that is part of the
        network has not its pretrained weights yet: `pretrain` sets them.
    n_classes : width of the softmax output that is added to declared layers

    Raises
    ------
    RecipeError
        If a Python builder is missing, raises, or returns something else than asked for.
    """
    if model.python is not None:
        return fuse_neighbours(build_from_python(model.python, input_shape, n_classes, seed=seed))
    layers = model.layers or ()
    if model.frozen_backbone is not None:
        input_shape = (1, 1, BACKBONES[model.frozen_backbone].features)
    before, shape = _before(model, input_shape)
    building = _Building(shape, seed=seed, layers=layers)
    own = building.stack(layers)
    output = {**model.output, "units": n_classes, "activation": "softmax"}
    own += building.layer("dense", output, of="output")
    return fuse_neighbours(_connected(input_shape, [*before, *own]))


def _before(model: ModelRecipe, input_shape: tuple[int, int, int]) -> tuple[list[Any], Shape]:
    """Return the layers before those that a model declares, and the shape that these meet."""
    if model.backbone is None:
        return [], input_shape
    if not model.backbone.inside:
        return [keras.layers.Flatten(name="features")], input_shape[2:]
    layers = in_network.layers_of(model.backbone, _inner)
    shape = layers[-1].compute_output_shape((None, *layers[0].shape))
    return [*augmenting(model.backbone.augment), *layers], tuple(shape[1:])


def pretrain(network: keras.Model, model: ModelRecipe) -> None:
    """Give the backbone inside a network that was just built its pretrained weights, if any.

    Raises DataError or StudyError if they are not here.
    """
    if model.backbone is not None and model.backbone.inside:
        in_network.set_pretrained(network.get_layer("backbone"), model.backbone, _inner)


def frozen_layers(model: ModelRecipe, input_shape: tuple[int, int, int]) -> list[Any]:
    """Return the layers from images, of pixels in [0, 1], to the features a model is trained on.

    Raises DataError if the backbone's weights are not here.
    """
    assert model.backbone is not None
    layers = in_network.layers_of(model.backbone, _inner)
    keras.Sequential([keras.Input(input_shape), *layers])  # builds them
    in_network.set_pretrained(layers[-1], model.backbone, _inner)
    return layers


def _inner(shape: tuple[int, int, int], layers: tuple[Layer, ...]) -> keras.Model:
    """Return another study's network without its output; names say which layer is whose."""
    building, stack = _Building(shape, seed=0, layers=layers), []
    for number, layer in enumerate(layers, start=1):
        building.prefix = f"backbone__{number}__"
        stack += building.stack([layer])
    return _connected(shape, stack)


class _Residual(list[Any]):
    """Layers whose input is added to their output, after `shortcut` where there is one."""

    def __init__(self, layers: Sequence[Any], shortcut: Sequence[Any], name: str) -> None:
        super().__init__(layers)
        self.shortcut, self.name = shortcut, name


class _Building:
    """Makes Keras layers one after the other; `shape` is what the next one meets.

    Each gets the next index, which tells its draws apart, and the next seed.
    """

    def __init__(self, shape: Shape, *, seed: int, layers: Sequence[Layer]) -> None:
        self.shape = shape
        self.index = self.residuals = 0
        self.prefix = ""  # of the layers' names
        most = 2 * sum(1 for _ in innermost(layers)) + 1  # a shortcut for each, and the output
        self.seeds = iter(np.random.SeedSequence(seed).generate_state(most).tolist())

    def stack(self, layers: Sequence[Layer]) -> list[Any]:
        made: list[Any] = []
        for layer in layers:
            if layer.kind == RESIDUAL:
                made.append(self.residual(layer))
            else:
                made += self.layer(layer.kind, layer.arguments)
        return made

    def residual(self, layer: Layer) -> _Residual:
        before = self.shape
        self.residuals += 1
        name = f"{self.prefix}residual_{self.residuals}"
        made = self.stack(layer.layers)
        after = self.shape
        short = shortcut(before, after)
        self.shape = before
        beside = [] if short is None else self.layer(short[0], short[1].plain())
        self.shape = after
        return _Residual(made, beside, name)

    def layer(self, kind: str, arguments: Mapping[str, Any], *, of: str | None = None) -> list[Any]:
        """Return the layer, after a flatten where it takes flat rows only; `of` names that."""
        self.index += 1
        known, flattening = LAYERS[kind], []
        if known.needs_row and len(self.shape) > 1:
            name = f"{self.prefix}flatten_before_{of or self.index}"
            flattening = [keras.layers.Flatten(name=name)]
            self.shape = (int(np.prod(self.shape)),)
        name = f"{self.prefix}{kind}_{self.index}"
        layer = make_layer(kind, arguments, name=name, index=self.index, seed=next(self.seeds))
        plain = {key: arguments[key] for key in known.model_fields if key in arguments}
        self.shape = known.model_validate(plain).output_shape(self.shape)
        return [*flattening, layer]


def _connected(input_shape: Shape, stack: Sequence[Any]) -> keras.Model:
    """Return a Sequential model, or a functional one where there are residuals."""
    inputs = keras.Input(input_shape)
    if not any(isinstance(each, _Residual) for each in stack):
        return keras.Sequential([inputs, *stack])
    return keras.Model(inputs, _through(inputs, stack))


def _through(values: Any, stack: Sequence[Any]) -> Any:
    for each in stack:
        if isinstance(each, _Residual):
            added = [_through(values, each), _through(values, each.shortcut)]
            values = keras.layers.Add(name=each.name)(added)
        else:
            values = each(values)
    return values
