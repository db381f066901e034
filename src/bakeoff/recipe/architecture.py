"""Shapes, parameter counts and costs of a declared model, by arithmetic; nothing is allocated.

Bakeoff adds three things to the declared layers, and they stand in the result too: `scale` (pixels
to [0, 1]) first, a `flatten` before a dense layer whose input is not flat, and the softmax `output`
with one unit per class.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from bakeoff.errors import RecipeError
from bakeoff.recipe.types import Backbone, Layer, ModelRecipe
from bakeoff.recipe.vocabulary.backbones import BACKBONES, layers_from
from bakeoff.recipe.vocabulary.layer import LayerArguments, Shape, ShapeMisfit, require_map, said
from bakeoff.recipe.vocabulary.optimizers import OPTIMIZERS
from bakeoff.recipe.vocabulary.residual import RESIDUAL, shortcut
from bakeoff.recipe.vocabulary.words import LAYERS

MAX_PARAMETERS = 100_000_000
MAX_ACTIVATIONS = 100_000_000  # floats of one image, all layers together
BACKBONE = "backbone"
# leave what a softmax puts out
_PASSING = ("dropout", "gaussian_noise", "flatten", "global_average_pooling2d")


@dataclass(frozen=True)
class LayerShape:
    """One layer as it will be built.

    `name` is unique in the model ("dense", "dense_1", … as Keras counts); `output_shape` leaves the
    batch out; `flops` are those of one image forward; `added`: Bakeoff put the layer there;
    `depth`: in how many residuals it stands. A residual comes before what is in it.
    """

    name: str
    kind: str
    arguments: dict[str, Any]
    output_shape: Shape
    parameters: int
    trainable_parameters: int
    flops: int
    added: bool = False
    depth: int = 0

    @property
    def label(self) -> str:
        """The layer in a few words: "conv2d 32 3×3 relu"."""
        if self.kind == BACKBONE:
            return f"{BACKBONE} {self.arguments['name']}, {self.arguments['how']}"
        known = LAYERS.get(self.kind)
        return said(self.kind, known.model_validate(self.arguments) if known else None)


@dataclass(frozen=True)
class Architecture:
    """A whole model as it will be built; counts are sums over its layers.

    `flops_per_image`: operations of one image forward; a multiply-add counts as two, anything else
    computed or compared as one; dropout, noise and augmentation count nothing. Training takes about
    three times as many as `trained_flops`, in which a frozen backbone does not count, and once
    `passed_flops`: those of frozen layers that images pass in every epoch.
    `activation_floats`: values that the layers put out for one image, and whose gradients are kept.
    """

    layers: tuple[LayerShape, ...]
    parameters: int
    trainable_parameters: int
    flops_per_image: int
    trained_flops: int
    activation_floats: int
    passed_flops: int = 0


def describe(model: ModelRecipe, input_shape: Shape, n_classes: int) -> Architecture:
    """Return the architecture of `model` for images of `input_shape` (height, width, channels).

    Raises RecipeError if a layer does not fit what comes before it, if the model is larger than
    MAX_PARAMETERS or MAX_ACTIVATIONS, or if it is a `python` model, which only Keras can describe.
    """
    if model.layers is None:
        raise RecipeError(
            f"expected declared layers in {model.name}, found python: "
            f"its layers are known only when {model.python} has built them"
        )
    building = _Building(model.name, tuple(input_shape))
    if model.backbone is None:
        building.add("scale", {}, added=True)
    else:
        building.backbone(model.backbone)
    building.stack(model.layers, f"of {model.name}")
    _refuse_own_output(model, building, n_classes)
    building.where = f"the output layer of {model.name}"
    building.flatten_before("dense")
    output = {"units": n_classes, "activation": "softmax", **model.output}
    building.add("dense", output, name="output", added=True)
    return building.finish()


def _refuse_own_output(model: ModelRecipe, building: "_Building", n_classes: int) -> None:
    """Refuse layers that end in a softmax over the classes: another one would follow it."""
    number = _output_like(model, building.layers, n_classes, activations=("softmax",))
    if number is not None:
        layer = _declared(building.layers)[number - 1]
        raise RecipeError(
            f"models.{model.name}.layers[{number}]: expected the layers before the output, found "
            f"the output itself ({layer.label}): Bakeoff adds this layer; remove it"
        )


def meant_as_output(
    model: ModelRecipe, shapes: Sequence[LayerShape], n_classes: int
) -> tuple[str, ...]:
    """Remark, in a sentence, a layer of logits or sigmoids that was perhaps meant as the output."""
    number = _output_like(model, shapes, n_classes, activations=("linear", "sigmoid", None))
    if number is None:
        return ()
    return (
        f"layer {number} has a value for each class, and Bakeoff adds the softmax output behind "
        "it: if it was meant as the output, remove it",
    )


def _output_like(
    model: ModelRecipe,
    shapes: Sequence[LayerShape],
    n_classes: int,
    *,
    activations: Collection[str | None],
) -> int | None:
    """Return the number, from 1, of a layer that looks like the output, though Bakeoff adds that.

    One value for each class comes out at the end, with one of these activations, and nothing but
    what leaves such values as they are comes after it. None where there is no such layer.
    """
    layers, before = model.layers or (), _declared(shapes)
    if not layers or before[-1].output_shape != (n_classes,):
        return None
    for number in range(len(layers), 0, -1):
        layer = layers[number - 1]
        activation = layer.arguments.get("activation")
        passes = layer.kind in _PASSING or (layer.kind, activation) == ("activation", "linear")
        if not passes:
            known = "activation" in layer.arguments
            return number if known and activation in activations else None
    return None


def _declared(shapes: Sequence[LayerShape]) -> list[LayerShape]:
    """Return the layers that the recipe names, those inside a residual left out."""
    return [each for each in shapes if not each.added and each.depth == 0]


def training_bytes(
    model: ModelRecipe, architecture: Architecture, *, images: int | None = None
) -> int:
    """Return roughly the bytes that training one trial takes beside the data set.

    float32 weights, gradients and the optimizer's values for every weight, and for every image of
    a batch, of `images` at most, the layers' outputs and their gradients.
    """
    optimizer = model.training.optimizer
    more = ("momentum", "centered", "amsgrad", "use_ema")
    slots = OPTIMIZERS[optimizer.kind].slots
    slots += sum(bool(optimizer.arguments.get(name)) for name in more)
    weights = architecture.parameters + architecture.trainable_parameters * (1 + slots)
    batch = min(model.training.batch_size, images or model.training.batch_size)
    return 4 * (weights + 2 * architecture.activation_floats * batch)


@dataclass(frozen=True)
class _Costs:
    """What a backbone is and costs; `values`: those whose gradients training keeps."""

    output_shape: Shape
    parameters: int
    trainable_parameters: int
    flops: int
    trained_flops: int
    values: int


def _named(backbone: Backbone, name: str) -> _Costs:
    known = BACKBONES[name]
    start = None if backbone.start is None else str(backbone.start)
    tuned = layers_from(name, start) if backbone.trains else ()
    return _Costs(
        (known.features,),
        known.parameters,
        sum(layer.trainable for layer in tuned),
        known.flops,
        sum(layer.flops for layer in tuned),
        known.features + sum(layer.values for layer in tuned),
    )


def backbone_words(backbone: Backbone) -> str:
    """Say what of a backbone is fine-tuned: "frozen", "fine-tuned from layer 4 on"."""
    if not backbone.trains:
        return "frozen"
    start = backbone.start
    layer = f"layer {start}" if isinstance(start, int) else start
    return "fine-tuned" if start is None else f"fine-tuned from {layer} on"


class _Building:
    """The layers so far and the shape that the next one meets."""

    def __init__(self, model: str, shape: Shape) -> None:
        self.where = model
        self.shape = shape
        self.depth = 0
        self.layers: list[LayerShape] = []
        self.names: dict[str, int] = {}
        self.parameters = 0
        self.activations = 0
        self.frozen_flops = self.passed_flops = 0

    def backbone(self, backbone: Backbone) -> None:
        model = self.where
        for number, each in enumerate(backbone.augment, start=1):  # on images of the study's size
            self.where = f"backbone.augment[{number}] of {model}"
            layer = LAYERS[each.kind].model_validate(each.arguments)
            with self.refusing(said(each.kind, layer)):
                layer.output_shape(self.shape)
        name = backbone.name
        known = self.network(backbone) if name is None else _named(backbone, name)
        self.shape = known.output_shape
        self.frozen_flops = known.flops - known.trained_flops
        self.passed_flops = self.frozen_flops if backbone.inside else 0
        self.parameters += known.parameters
        self.activations += known.values
        arguments = {"name": backbone.label, "how": backbone_words(backbone)}
        self.layers.append(
            LayerShape(
                name=BACKBONE,
                kind=BACKBONE,
                arguments=arguments,
                output_shape=known.output_shape,
                parameters=known.parameters,
                trainable_parameters=known.trainable_parameters,
                flops=known.flops,
            )
        )

    def network(self, backbone: Backbone) -> _Costs:
        """Return what another study's network costs, its output layer left out."""
        network = backbone.network
        if network is None:
            raise RecipeError(f"{self.where}: expected a backbone that was looked up, found none")
        inner = _Building(f"backbone {backbone.label}", network.input_shape)
        counts = []
        for number, layer in enumerate(network.layers, start=1):
            first, values = len(inner.layers), inner.activations
            inner.stack([layer], f"of backbone {backbone.label}")
            if backbone.trains_layer(number):
                counts.append((inner.layers[first:], inner.activations - values))
        trained = [each for layers, _ in counts for each in layers]
        values = sum(values for _, values in counts)
        return _Costs(
            inner.shape,
            sum(layer.parameters for layer in inner.layers),
            sum(layer.trainable_parameters for layer in trained),
            sum(layer.flops for layer in inner.layers),
            sum(layer.flops for layer in trained),
            values + math.prod(inner.shape),
        )

    def stack(self, layers: Sequence[Layer], inside: str) -> None:
        """Add declared layers; `inside` says of what: "of cnn"."""
        for number, layer in enumerate(layers, start=1):
            self.where = where = f"layer {number} {inside}"
            if layer.kind == RESIDUAL:
                self.residual(layer, where)
            else:
                self.flatten_before(layer.kind)
                self.add(layer.kind, layer.arguments)

    def residual(self, layer: Layer, where: str) -> None:
        """Add the layers of a residual, its shortcut, and before them the residual itself."""
        first, before = len(self.layers), self.shape
        self.add(RESIDUAL, {})
        self.depth += 1
        self.stack(layer.layers, f"of {where}")
        self.where, after = where, self.shape
        with self.refusing(RESIDUAL):
            short = shortcut(before, after)
        if short is not None:
            self.shape = before
            self.add(short[0], short[1].plain(), added=True)
        self.depth -= 1
        size = math.prod(after)
        self.layers[first] = replace(self.layers[first], output_shape=after, flops=size)
        self.activations += size

    def flatten_before(self, kind: str) -> None:
        if LAYERS[kind].needs_row and len(self.shape) > 1:
            self.add("flatten", {}, added=True)

    def add(
        self, kind: str, arguments: dict[str, Any], *, name: str | None = None, added: bool = False
    ) -> None:
        known = LAYERS.get(kind)  # scale and residual are not of the vocabulary
        layer = known.model_validate(arguments) if known else LayerArguments()
        before, words = self.shape, said(kind, layer)
        with self.refusing(words):
            if layer.needs_map:
                require_map(before)
            self.shape = layer.output_shape(before)
        fixed, trainable = layer.parameters(before)
        if name is None:
            count = self.names.get(kind, 0)
            self.names[kind] = count + 1
            name = f"{kind}_{count}" if count else kind
        size = 0 if kind == RESIDUAL else math.prod(self.shape)
        self.layers.append(
            LayerShape(
                name=name,
                kind=kind,
                arguments=dict(arguments),
                output_shape=self.shape,
                parameters=fixed + trainable,
                trainable_parameters=trainable,
                flops=layer.flops(before),
                added=added,
                depth=self.depth,
            )
        )
        self.parameters += fixed + trainable
        self.activations += size
        self._check_size(words)

    @contextmanager
    def refusing(self, words: str) -> Iterator[None]:
        try:
            yield
        except ShapeMisfit as misfit:
            text = f"{words}{misfit.found} in {self.where}: {misfit.expected}"
            raise RecipeError(text) from None

    def finish(self) -> Architecture:
        flops = sum(layer.flops for layer in self.layers)
        return Architecture(
            layers=tuple(self.layers),
            parameters=self.parameters,
            trainable_parameters=sum(layer.trainable_parameters for layer in self.layers),
            flops_per_image=flops,
            trained_flops=flops - self.frozen_flops,
            activation_floats=self.activations,
            passed_flops=self.passed_flops,
        )

    def _check_size(self, words: str) -> None:
        for count, limit, what in (
            (self.parameters, MAX_PARAMETERS, "parameters"),
            (self.activations, MAX_ACTIVATIONS, "values for each image"),
        ):
            if count > limit:
                raise RecipeError(
                    f"{words} in {self.where} makes {count:,} {what}: expected at most {limit:,}; "
                    f"make this layer or the one before it smaller"
                )
