"""Shapes, parameter counts and costs of a declared model, by arithmetic; nothing is allocated.

Bakeoff adds three things to the declared layers, and they stand in the result too: `scale` (pixels
to [0, 1]) first, a `flatten` before a dense layer whose input is not flat, and the softmax `output`
with one unit per class.
"""

import math
from dataclasses import dataclass
from typing import Any

from bakeoff.errors import RecipeError
from bakeoff.recipe.types import ModelRecipe

MAX_PARAMETERS = 100_000_000
MAX_ACTIVATIONS = 100_000_000  # floats of one image, all layers together

Shape = tuple[int, ...]
_POOLING = ("max_pooling2d", "average_pooling2d")
_AUGMENTING = ("random_flip", "random_translation")
_NEEDING_MAPS = ("conv2d", "global_average_pooling2d", *_POOLING, *_AUGMENTING)


@dataclass(frozen=True)
class LayerShape:
    """One layer as it will be built.

    `name` is unique in the model ("dense", "dense_1", … as Keras counts); `output_shape` leaves the
    batch out; `flops` are those of one image forward; `added`: Bakeoff put the layer there.
    """

    name: str
    kind: str
    arguments: dict[str, Any]
    output_shape: Shape
    parameters: int
    trainable_parameters: int
    flops: int
    added: bool = False

    @property
    def label(self) -> str:
        """The layer in a few words: "conv2d 32 3×3 relu"."""
        return label(self.kind, self.arguments)


@dataclass(frozen=True)
class Architecture:
    """A whole model as it will be built; counts are sums over its layers.

    `flops_per_image`: operations of one image forward; a multiply-add counts as two, anything else
    computed or compared as one; dropout and augmentation count nothing. Training takes about three
    times as many.
    `activation_floats`: values that the layers put out for one image.
    """

    layers: tuple[LayerShape, ...]
    parameters: int
    trainable_parameters: int
    flops_per_image: int
    activation_floats: int


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
    building.add("scale", {}, added=True)
    for number, layer in enumerate(model.layers, start=1):
        building.where = f"layer {number} of {model.name}"
        if layer.kind == "dense":
            building.flatten()
        building.add(layer.kind, layer.arguments)
    building.where = f"the output layer of {model.name}"
    building.flatten()
    output = {"units": n_classes, "activation": "softmax", **model.output}
    building.add("dense", output, name="output", added=True)
    return building.finish()


def training_bytes(
    model: ModelRecipe, architecture: Architecture, *, images: int | None = None
) -> int:
    """Return roughly the bytes that training one trial takes beside the data set.

    float32 weights, gradients and the optimizer's values for every weight, and for every image of
    a batch, of `images` at most, the layers' outputs and their gradients.
    """
    optimizer = model.training.optimizer
    slots = {"sgd": 0, "rmsprop": 1, "adam": 2, "adamw": 2}[optimizer.kind]
    slots += sum(
        bool(optimizer.arguments.get(name)) for name in ("momentum", "centered", "amsgrad")
    )
    weights = architecture.parameters + architecture.trainable_parameters * (1 + slots)
    batch = min(model.training.batch_size, images or model.training.batch_size)
    return 4 * (weights + 2 * architecture.activation_floats * batch)


def label(kind: str, arguments: dict[str, Any]) -> str:
    """Return a layer in a few words, such as "conv2d 32 3×3 relu" or "max_pooling2d 2"."""
    words = [kind]
    for name in _SAID:
        if name in arguments:
            value = arguments[name]
            words.append(f"{value:g}" if isinstance(value, float) else str(value))
    if "kernel_size" in arguments:
        words.append(_by(arguments["kernel_size"]))
    if "pool_size" in arguments:
        height, width = size = arguments["pool_size"]
        words.append(str(height) if height == width else _by(size))
    usual = arguments.get("pool_size", (1, 1))
    if tuple(arguments.get("strides", usual)) != tuple(usual):
        height, width = strides = arguments["strides"]
        words.append(f"stride {height if height == width else _by(strides)}")
    if arguments.get("padding") == "same":
        words.append("same")
    if arguments.get("activation", "linear") != "linear":
        words.append(arguments["activation"])
    return " ".join(words)


_SAID = (
    *("units", "filters", "rate", "negative_slope", "alpha"),
    *("mode", "height_factor", "width_factor"),
)


def _by(shape: Shape) -> str:
    return "×".join(str(each) for each in shape)


class _Building:
    """The layers so far and the shape that the next one meets."""

    def __init__(self, model: str, shape: Shape) -> None:
        self.where = model
        self.shape = shape
        self.layers: list[LayerShape] = []
        self.names: dict[str, int] = {}
        self.parameters = 0
        self.activations = 0

    def flatten(self) -> None:
        if len(self.shape) > 1:
            self.add("flatten", {}, added=True)

    def add(
        self, kind: str, arguments: dict[str, Any], *, name: str | None = None, added: bool = False
    ) -> None:
        words = label(kind, arguments)
        before = self.shape
        shape = self._output_shape(kind, arguments, words)
        fixed, trainable = _parameters(kind, arguments, before, shape)
        if name is None:
            count = self.names.get(kind, 0)
            self.names[kind] = count + 1
            name = f"{kind}_{count}" if count else kind
        flops = _flops(kind, arguments, before, shape)
        layer = LayerShape(
            name, kind, dict(arguments), shape, fixed + trainable, trainable, flops, added
        )
        self.layers.append(layer)
        self.shape = shape
        self.parameters += fixed + trainable
        self.activations += math.prod(shape)
        self._check_size(words)

    def finish(self) -> Architecture:
        return Architecture(
            layers=tuple(self.layers),
            parameters=self.parameters,
            trainable_parameters=sum(layer.trainable_parameters for layer in self.layers),
            flops_per_image=sum(layer.flops for layer in self.layers),
            activation_floats=self.activations,
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

    def _output_shape(self, kind: str, arguments: dict[str, Any], words: str) -> Shape:
        shape = self.shape
        if kind == "flatten":
            return (math.prod(shape),)
        if kind == "dense":
            return (arguments["units"],)
        if kind == "p_re_lu":
            self._check_axes(arguments, words)
        if kind not in _NEEDING_MAPS:
            return shape
        if len(shape) != 3:
            raise RecipeError(
                f"{words} after a flat row of {shape[0]:,} values in {self.where}: expected a "
                f"feature map; move the layer before the first flatten, dense or global pooling"
            )
        if kind == "global_average_pooling2d":
            return shape[2:]
        if kind in _AUGMENTING:
            return shape
        window = arguments["kernel_size" if kind == "conv2d" else "pool_size"]
        return (*self._slide(window, arguments, words), arguments.get("filters", shape[2]))

    def _slide(self, window: Shape, arguments: dict[str, Any], words: str) -> Shape:
        size = self.shape[:2]
        pairs = list(zip(size, window, arguments["strides"], strict=True))
        if arguments["padding"] == "same":
            return tuple(-(-extent // stride) for extent, _, stride in pairs)
        if any(extent < width for extent, width, _ in pairs):
            raise RecipeError(
                f"{words} after a {_by(size)} feature map in {self.where}: expected at least "
                f"{_by(window)}; remove the layer, or shrink less before it (padding: same)"
            )
        return tuple((extent - width) // stride + 1 for extent, width, stride in pairs)

    def _check_axes(self, arguments: dict[str, Any], words: str) -> None:
        axes = arguments["shared_axes"] or ()
        if axes and max(axes) > len(self.shape):
            raise RecipeError(
                f"{words} with shared_axes {list(axes)} in {self.where}: expected axes from 1 to "
                f"{len(self.shape)}, since its input has the shape {_by(self.shape)}"
            )


def _parameters(
    kind: str, arguments: dict[str, Any], before: Shape, after: Shape
) -> tuple[int, int]:
    """Return (not trainable, trainable) parameters."""
    if kind in ("dense", "conv2d"):
        kernel: int = math.prod(arguments.get("kernel_size", (1,))) * before[-1] * after[-1]
        return 0, kernel + (after[-1] if arguments["use_bias"] else 0)
    if kind == "batch_normalization":
        return 2 * before[-1], before[-1] * (arguments["center"] + arguments["scale"])
    if kind == "p_re_lu":
        shared = arguments["shared_axes"] or ()
        return 0, math.prod(n for axis, n in enumerate(before, start=1) if axis not in shared)
    return 0, 0


def _flops(kind: str, arguments: dict[str, Any], before: Shape, after: Shape) -> int:
    """Return the operations of one image forward."""
    out: int = math.prod(after)
    if kind in ("dense", "conv2d"):
        multiply_adds: int = math.prod(arguments.get("kernel_size", (1,))) * before[-1]
        beside: int = bool(arguments["use_bias"]) + (arguments["activation"] != "linear")
        return out * (2 * multiply_adds + beside)
    if kind in _POOLING:
        window: int = math.prod(arguments["pool_size"])
        return out * window
    if kind == "global_average_pooling2d":
        return math.prod(before)
    if kind in ("flatten", "dropout", *_AUGMENTING):
        return 0
    return 2 * out if kind == "batch_normalization" else out
