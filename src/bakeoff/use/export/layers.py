"""What every layer of Keras comes to in elementary operations: one function a layer, one table.

A new layer is a function and a line in LAYERS. What is not in it is refused by name.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bakeoff.errors import StudyError
from bakeoff.training.backend import keras
from bakeoff.training.plain_model import keras_class
from bakeoff.use.export.activations import ACTIVATIONS, elu, leaky
from bakeoff.use.export.operations import Program, Shape, Unknown, Value

Input = Value | Any  # what is no Value is a constant: a number, or an array that is broadcast


def _activated(program: Program, x: Value, activation: Any) -> Value:
    """Add an activation as a layer holds it: None, or one of Keras's functions."""
    if activation is None:
        return x
    for name, written in ACTIVATIONS.items():
        if activation is getattr(keras.activations, name):
            return written(program, x)
    if isinstance(activation, keras.layers.Layer):
        return write_layer(program, activation, [x])
    raise Unknown(f"the activation {getattr(activation, '__name__', activation)}")


# ── layers ───────────────────────────────────────────────────────────────────────────────────


def _array(variable: Any) -> Any:
    return None if variable is None else np.asarray(variable.value, np.float32)


def _shape(layer: Any, *inputs: Value) -> Shape:
    """Return the shape that a layer makes, without the batch."""
    shapes = [(None, *each.shape) for each in inputs]
    found = layer.compute_output_shape(shapes if len(shapes) > 1 else shapes[0])
    return tuple(int(side) for side in found[1:])


def _require_channels_last(layer: Any) -> None:
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise Unknown("channels before height and width")


def _dense(program: Program, layer: Any, x: Value) -> Value:
    if len(x.shape) != 1:
        raise Unknown("a dense layer on more than rows")
    constants = {"kernel": _array(layer.kernel), "bias": _array(layer.bias)}
    made = program.add("matmul", x, shape=_shape(layer, x), constants=constants)
    return _activated(program, made, layer.activation)


def _conv2d(program: Program, layer: Any, x: Value) -> Value:
    _require_channels_last(layer)
    if layer.groups != 1:
        raise Unknown("a convolution in groups")
    return _convolved(program, layer, x, "conv2d", layer.kernel)


def _depthwise(program: Program, layer: Any, x: Value) -> Value:
    _require_channels_last(layer)
    return _convolved(program, layer, x, "depthwise", layer.kernel)


def _convolved(program: Program, layer: Any, x: Value, kind: str, kernel: Any) -> Value:
    made = program.add(
        kind,
        x,
        shape=_shape(layer, x),
        constants={"kernel": _array(kernel), "bias": _array(layer.bias)},
        **_window(layer),
    )
    return _activated(program, made, layer.activation)


def _window(layer: Any) -> dict[str, Any]:
    return {
        "strides": tuple(layer.strides),
        "padding": layer.padding,
        "dilation": tuple(layer.dilation_rate),
    }


def _separable(program: Program, layer: Any, x: Value) -> Value:
    _require_channels_last(layer)
    kernel = _array(layer.depthwise_kernel)
    channels = kernel.shape[2] * kernel.shape[3]
    shape = _shape(layer, x)
    first = program.add(
        "depthwise",
        x,
        shape=(*shape[:2], channels),
        constants={"kernel": kernel},
        **_window(layer),
    )
    made = program.add(
        "conv2d",
        first,
        shape=shape,
        constants={"kernel": _array(layer.pointwise_kernel), "bias": _array(layer.bias)},
        strides=(1, 1),
        padding="valid",
        dilation=(1, 1),
    )
    return _activated(program, made, layer.activation)


def _pooling(kind: str) -> Callable[[Program, Any, Value], Value]:
    def write(program: Program, layer: Any, x: Value) -> Value:
        _require_channels_last(layer)
        return program.add(
            kind,
            x,
            shape=_shape(layer, x),
            window=tuple(layer.pool_size),
            strides=tuple(layer.strides),
            padding=layer.padding,
        )

    return write


def _global(kind: str) -> Callable[[Program, Any, Value], Value]:
    def write(program: Program, layer: Any, x: Value) -> Value:
        _require_channels_last(layer)
        return program.add(kind, x, shape=_shape(layer, x), axes=(1, 2), keep=layer.keepdims)

    return write


def _reshaped(program: Program, layer: Any, x: Value) -> Value:
    shape = _shape(layer, x)
    return x if shape == x.shape else program.add("reshape", x, shape=shape)


def _permuted(program: Program, layer: Any, x: Value) -> Value:
    return program.add("transpose", x, shape=_shape(layer, x), axes=(0, *layer.dims))


def _unchanged(program: Program, layer: Any, x: Value) -> Value:
    return x


def _require_last_axis(layer: Any, x: Value, what: str = "a normalization") -> None:
    axes = layer.axis if isinstance(layer.axis, list | tuple) else (layer.axis,)
    if [each % (len(x.shape) + 1) for each in axes] != [len(x.shape)]:
        raise Unknown(f"{what} over another axis than the last")


def _batch_normalization(program: Program, layer: Any, x: Value) -> Value:
    _require_last_axis(layer, x)
    mean, variance = (
        np.asarray(each.value, np.float64) for each in (layer.moving_mean, layer.moving_variance)
    )
    factor = 1 / np.sqrt(variance + layer.epsilon)
    if layer.gamma is not None:
        factor = factor * np.asarray(layer.gamma.value, np.float64)
    shift = -mean * factor
    if layer.beta is not None:
        shift = shift + np.asarray(layer.beta.value, np.float64)
    return program.with_constant("add", program.with_constant("multiply", x, factor), shift)


def _normalization(program: Program, layer: Any, x: Value) -> Value:
    mean, variance = (np.asarray(each, np.float64)[0] for each in (layer.mean, layer.variance))
    deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
    if layer.invert:
        return program.with_constant("add", program.with_constant("multiply", x, deviation), mean)
    centred = program.with_constant("subtract", x, mean)
    return program.with_constant("divide", centred, deviation)


def _scaled(program: Program, x: Value, gamma: Any, beta: Any) -> Value:
    if gamma is not None:
        x = program.with_constant("multiply", x, _array(gamma))
    return x if beta is None else program.with_constant("add", x, _array(beta))


def _standardized(
    program: Program, x: Value, axes: tuple[int, ...], epsilon: float, *, centre: bool = True
) -> Value:
    """Subtract the mean over the axes (which count the batch), divide by the deviation."""
    kept = tuple(1 if index + 1 in axes else side for index, side in enumerate(x.shape))
    if centre:
        mean = program.add("mean", x, shape=kept, axes=axes, keep=True)
        x = program.add("subtract", x, mean)
    square = program.add("multiply", x, x)
    variance = program.add("mean", square, shape=kept, axes=axes, keep=True)
    deviation = program.add("sqrt", program.with_constant("add", variance, epsilon))
    return program.add("divide", x, deviation)


def _layer_normalization(program: Program, layer: Any, x: Value) -> Value:
    _require_last_axis(layer, x)
    made = _standardized(program, x, (len(x.shape),), layer.epsilon)
    return _scaled(program, made, layer.gamma, layer.beta)


def _rms_normalization(program: Program, layer: Any, x: Value) -> Value:
    _require_last_axis(layer, x)
    made = _standardized(program, x, (len(x.shape),), layer.epsilon, centre=False)
    return _scaled(program, made, layer.scale, None)


def _group_normalization(program: Program, layer: Any, x: Value) -> Value:
    _require_last_axis(layer, x)
    if len(x.shape) != 3:
        raise Unknown("a normalization in groups of rows")
    height, width, channels = x.shape
    groups = channels if layer.groups == -1 else layer.groups
    split = (height * width, groups, channels // groups)
    parted = program.add("reshape", x, shape=split)
    made = _standardized(program, parted, (1, 3), layer.epsilon)
    return _scaled(program, program.add("reshape", made, shape=x.shape), layer.gamma, layer.beta)


def _p_re_lu(program: Program, layer: Any, x: Value) -> Value:
    return program.add("prelu", x, constants={"slopes": _array(layer.alpha)})


def _leaky_re_lu(program: Program, layer: Any, x: Value) -> Value:
    return leaky(program, x, layer.negative_slope)


def _elu_layer(program: Program, layer: Any, x: Value) -> Value:
    return elu(program, x, layer.alpha)


def _re_lu(program: Program, layer: Any, x: Value) -> Value:
    if layer.threshold:
        raise Unknown("a threshold")
    made = (
        leaky(program, x, layer.negative_slope) if layer.negative_slope else program.add("relu", x)
    )
    high = layer.max_value
    return made if high is None else program.with_constant("minimum", made, high)


def _softmax_layer(program: Program, layer: Any, x: Value) -> Value:
    _require_last_axis(layer, x, "a softmax")
    return program.add("softmax", x)


def _activation(program: Program, layer: Any, x: Value) -> Value:
    return _activated(program, x, layer.activation)


def _rescaling(program: Program, layer: Any, x: Value) -> Value:
    x = program.with_constant("multiply", x, layer.scale)
    return program.with_constant("add", x, layer.offset) if np.any(layer.offset) else x


def _padded(program: Program, layer: Any, x: Value) -> Value:
    _require_channels_last(layer)
    pads = tuple(tuple(int(each) for each in side) for side in layer.padding)
    return program.add("pad", x, shape=_shape(layer, x), pads=pads)


def _center_crop(program: Program, layer: Any, x: Value) -> Value:
    _require_channels_last(layer)
    margins = (x.shape[0] - layer.height, x.shape[1] - layer.width)
    if min(margins) < 0:
        raise Unknown("a crop larger than the image")
    shape = (layer.height, layer.width, x.shape[2])
    return program.add("crop", x, shape=shape, offset=tuple(each // 2 for each in margins))


def _cropping(program: Program, layer: Any, x: Value) -> Value:
    _require_channels_last(layer)
    offset = tuple(int(before) for before, _ in layer.cropping)
    return program.add("crop", x, shape=_shape(layer, x), offset=offset)


def _merging(kind: str) -> Callable[..., Value]:
    def write(program: Program, layer: Any, *inputs: Input) -> Value:
        total, *others = inputs
        if not isinstance(total, Value):  # as in 1 - x
            total, others = _second(program, kind, total, *others), []
        for each in others:
            if not isinstance(each, Value):
                total = program.with_constant(kind, total, each)
                continue
            if len(total.shape) != len(each.shape):
                raise Unknown("inputs of different ranks")
            shape = np.broadcast_shapes(total.shape, each.shape)
            total = program.add(kind, total, each, shape=shape)
        return total

    return write


def _second(program: Program, kind: str, constant: Any, *inputs: Input) -> Value:
    """Add an operation of a constant and a value, in this order."""
    (x,) = inputs
    if not isinstance(x, Value):
        raise Unknown("constants alone")
    if kind != "subtract":
        return program.with_constant(kind, x, constant)
    return program.with_constant("add", program.with_constant("multiply", x, -1.0), constant)


def _average(program: Program, layer: Any, *inputs: Value) -> Value:
    return program.with_constant(
        "multiply", _merging("add")(program, layer, *inputs), 1 / len(inputs)
    )


def _concatenate(program: Program, layer: Any, *inputs: Value) -> Value:
    axis = layer.axis % (len(inputs[0].shape) + 1)
    return program.add("concatenate", *inputs, shape=_shape(layer, *inputs), axis=axis)


LAYERS: Mapping[str, Callable[..., Value]] = {
    "Dense": _dense,
    "Conv2D": _conv2d,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable,
    "MaxPooling2D": _pooling("max_pool"),
    "AveragePooling2D": _pooling("average_pool"),
    "GlobalAveragePooling2D": _global("mean"),
    "GlobalMaxPooling2D": _global("max"),
    "Flatten": _reshaped,
    "Reshape": _reshaped,
    "Permute": _permuted,
    "ZeroPadding2D": _padded,
    "CenterCrop": _center_crop,
    "Cropping2D": _cropping,
    "Normalization": _normalization,
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "RMSNormalization": _rms_normalization,
    "GroupNormalization": _group_normalization,
    "Activation": _activation,
    "PReLU": _p_re_lu,
    "LeakyReLU": _leaky_re_lu,
    "ELU": _elu_layer,
    "ReLU": _re_lu,
    "Softmax": _softmax_layer,
    "Rescaling": _rescaling,
    "Add": _merging("add"),
    "Subtract": _merging("subtract"),
    "Multiply": _merging("multiply"),
    "Maximum": _merging("maximum"),
    "Minimum": _merging("minimum"),
    "Average": _average,
    "Concatenate": _concatenate,
    # at work only while training
    **dict.fromkeys(
        (
            *("Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout"),
            *("ActivityRegularization", "Identity", "RandomFlip", "RandomTranslation"),
            *("RandomRotation", "RandomZoom", "RandomContrast", "RandomBrightness"),
            *("RandomErasing", "RandomCrop", "RandomShear"),
        ),
        _unchanged,
    ),
}


# of keras.ops, which have some names in common with layers: x + 3.0 is an Add
OPERATIONS = {name: LAYERS[name] for name in ("Add", "Subtract", "Multiply", "Maximum", "Minimum")}


def write_layer(program: Program, layer: Any, inputs: Sequence[Input]) -> Value:
    """Add what a layer, or an operation of keras.ops, does to a program; return what it makes.

    inputs : values of the program, or constants

    Raises StudyError, naming the layer, where there is no way to write it down.
    """
    kind = keras_class(layer)
    known = LAYERS if isinstance(layer, keras.layers.Layer) else OPERATIONS
    written = None if kind is None else known.get(kind.__name__)
    if written is None or type(layer).__name__ == "RandomCrop":
        raise _refused(layer, "which it has no operations for")
    try:
        if known is LAYERS and not all(isinstance(each, Value) for each in inputs):
            raise Unknown("a constant for its input")
        return written(program, layer, *inputs)
    except Unknown as unknown:
        raise _refused(layer, f"with {unknown}") from None


def _refused(layer: Any, why: str) -> StudyError:
    return StudyError(
        f"expected layers that can be exported, found {type(layer).__name__} ({layer.name}), "
        f"{why}: use --format keras or safetensors"
    )
