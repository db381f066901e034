"""The native library's operations as JAX functions; arrays are float32 unless said otherwise."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from bakeoff.training.backend import jax
from bakeoff.training.native.load import has_tiles, in_use, loaded, target

__all__ = [
    "convolution",
    "depthwise",
    "depthwise_gradients",
    "has_tiles",
    "loaded",
    "max_pool",
    "max_pool_gradient",
    "normalization_gradients",
    "normalized",
    "product",
    "update",
    "usable",
]

Shape = tuple[int, ...]
Pair = tuple[int, int]
Pads = tuple[Pair, Pair]
Applied = Literal["linear", "relu", "elu"]
_ACTIVATIONS: tuple[Applied, ...] = ("linear", "relu", "elu")  # numbered as in C++


def usable(*arrays: Any) -> bool:
    """Say whether the library is loaded and all arrays are float32."""
    return loaded() and all(array.dtype == np.float32 for array in arrays)


def convolution(
    name: Literal["forward", "image_gradient", "kernel_gradient"],
    shape: Shape,
    one: Any,
    other: Any,
    strides: Pair,
    pads: Pads = ((0, 0), (0, 0)),
) -> Any:
    """Return a convolution, or one of its gradients, of the given shape.

    one, other : forward: images, kernel; image_gradient: gradient, kernel; kernel_gradient: images,
        gradient
    pads : zeros around the images, (top, bottom) and (left, right)
    """
    run = _function(name, _float(shape))
    return run(one, other, strides=_int64(strides), pads=_int64(_flat(pads)))


def depthwise(images: Any, kernel: Any, shape: Shape, strides: Pair, pads: Pads) -> Any:
    """Return a depthwise convolution of the given shape.

    kernel : (height, width, channels)
    """
    run = _function("depthwise_forward", _float(shape))
    return run(images, _one_each(kernel), strides=_int64(strides), pads=_int64(_flat(pads)))


def depthwise_gradients(
    images: Any, kernel: Any, gradient: Any, strides: Pair, pads: Pads
) -> tuple[Any, Any]:
    """Return a depthwise convolution's gradients: of images and of kernel.

    kernel : (height, width, channels)
    """
    run = _function("depthwise_gradients", [_float(images.shape), _float(kernel.shape)])
    settings = {"strides": _int64(strides), "pads": _int64(_flat(pads))}
    of_images, of_kernel = run(images, _one_each(kernel), gradient, **settings)
    return of_images, of_kernel


def _one_each(kernel: Any) -> Any:
    return kernel.reshape(*kernel.shape[:2], 1, kernel.shape[2])


def _flat(pads: Pads) -> tuple[int, ...]:
    return (*pads[0], *pads[1])


def max_pool(images: Any, shape: Shape, window: Pair, strides: Pair) -> tuple[Any, Any]:
    """Return the maximum of every window and its offset in the window, uint8."""
    run = _function("max_pool", [_float(shape), jax.ShapeDtypeStruct(shape, "uint8")])
    largest, first = run(images, window=_int64(window), strides=_int64(strides))
    return largest, first


def max_pool_gradient(gradient: Any, first: Any, shape: Shape, window: Pair, strides: Pair) -> Any:
    """Return the gradient of the images, of `shape`, that were pooled."""
    run = _function("max_pool_gradient", _float(shape))
    return run(gradient, first, window=_int64(window), strides=_int64(strides))


def normalized(
    values: Any, gamma: Any, beta: Any, *, epsilon: float, activation: Applied
) -> tuple[Any, Any, Any]:
    """Return values normalized by their batch's mean and variance, activated; and these two.

    values : channels last; gamma, beta, mean and variance have one value a channel
    """
    channel = _float(gamma.shape)
    run = _function("normalized", [_float(values.shape), channel, channel])
    out, mean, variance = run(values, gamma, beta, **_normalization(epsilon, activation))
    return out, mean, variance


def normalization_gradients(
    values: Any,
    gradient: Any,
    channels: Sequence[Any],
    *,
    epsilon: float,
    activation: Applied,
) -> tuple[Any, Any, Any]:
    """Return the gradients of values, gamma and beta, of which `normalized` made its result.

    gradient : of the result
    channels : gamma, beta, mean and variance
    """
    channel = _float(channels[0].shape)
    run = _function("normalization_gradients", [_float(values.shape), channel, channel])
    found = run(values, gradient, *channels, **_normalization(epsilon, activation))
    of_values, of_gamma, of_beta = found
    return of_values, of_gamma, of_beta


def _normalization(epsilon: float, activation: Applied) -> dict[str, Any]:
    return {"epsilon": np.float32(epsilon), "activation": np.int64(_ACTIVATIONS.index(activation))}


def product(left: Any, right: Any, *, transposed: Literal["left", "right"] | None = None) -> Any:
    """Return the product of two matrices, one of which may be transposed first.

    left : float32, or uint8, which multiplies in half the time
    """
    shape = left.shape[transposed == "left"], right.shape[transposed != "right"]
    run = _function(_for_bytes("product", left), _float(shape))
    settings = {"left_transposed": transposed == "left", "right_transposed": transposed == "right"}
    return run(left, right, **settings)


def update(
    inputs: Any, gradient: Any, scalars: Any, weights: Any, state: Sequence[Any]
) -> list[Any]:
    """Return a dense layer's weights and their optimizer state after a step of training.

    inputs, gradient : of the layer's products, shapes (batch, rows) and (batch, columns); inputs
        may be uint8
    scalars : [l1, l2, learning rate x weight decay, learning rate, 1 - beta of each array of state,
        epsilon (not for SGD)]
    state : of the optimizer: nothing for SGD, one array for RMSprop, two for Adam, in the weights'
        shape
    """
    held = [weights, *state]
    in_place = {3 + each: each for each in range(len(held))}
    results = [_float(each.shape) for each in held]
    run = _function(_for_bytes("update", inputs), results, input_output_aliases=in_place)
    return list(run(inputs, gradient, scalars, *held))


def _for_bytes(name: str, inputs: Any) -> str:
    return f"byte_{name}" if inputs.dtype == "uint8" else name


def _function(name: str, results: Any, **settings: Any) -> Any:
    known_as = target(in_use(), name)
    return jax.ffi.ffi_call(known_as, results, vmap_method="sequential", **settings)


def _float(shape: Shape) -> Any:
    return jax.ShapeDtypeStruct(shape, "float32")


def _int64(numbers: Sequence[int]) -> Any:
    return np.array(numbers, np.int64)
