"""Keras's depthwise and separable convolutions as sums of strided slices.

XLA's convolution of every channel by itself takes 3 to 30 times as long on a CPU; docs/log.md has
the numbers. Where the native library is loaded, it convolves and computes both gradients.

Images are float32, shape (batch, height, width, channels).
"""

from functools import partial
from typing import Any

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.context import in_slices
from bakeoff.training.layers.windows import Pads, Pair, output_sizes, padded, padding_of, slices
from bakeoff.training.native import ops

jnp = jax.numpy
Array = Any


class DepthwiseConv2D(keras.layers.DepthwiseConv2D):  # type: ignore[misc]
    """Keras's depthwise convolution."""

    def call(self, inputs: Array) -> Array:
        """Convolve, add, activate; dilation and channels-first go Keras's own way."""
        if set(self.dilation_rate) != {1} or not in_slices(self.data_format):
            return super().call(inputs)
        values = _convolved(self, inputs, self.kernel)
        if self.use_bias:
            values = values + jnp.asarray(self.bias)
        return values if self.activation is None else self.activation(values)


class SeparableConv2D(keras.layers.SeparableConv2D):  # type: ignore[misc]
    """Keras's separable convolution."""

    def call(self, inputs: Array) -> Array:
        """Convolve, multiply, add, activate; dilation and channels-first go Keras's own way."""
        if set(self.dilation_rate) != {1} or not in_slices(self.data_format):
            return super().call(inputs)
        values = _convolved(self, inputs, self.depthwise_kernel)
        values = values @ jnp.asarray(self.pointwise_kernel)[0, 0]
        if self.use_bias:
            values = values + jnp.asarray(self.bias)
        return values if self.activation is None else self.activation(values)


def _convolved(layer: Any, inputs: Array, kernel: Any) -> Array:
    kernel, strides = jnp.asarray(kernel), tuple(layer.strides)
    pads = padding_of(inputs.shape[1:3], kernel.shape[:2], strides, layer.padding)
    return convolve_channels(inputs, kernel, strides, pads)


def convolve_channels(images: Array, kernel: Array, strides: Pair, pads: Pads) -> Array:
    """Convolve every channel with its own kernels, (height, width, channels, kernels each)."""
    height, width, channels, each = kernel.shape
    if each == 1:
        return _convolve_one(images, kernel[..., 0], strides, pads)
    images = padded(images, pads, 0)
    weights = kernel.reshape(height * width, channels, each)
    many = zip(slices(images, (height, width), strides), weights, strict=True)
    total = sum(values[..., None] * weight for values, weight in many)
    return total.reshape(*total.shape[:3], channels * each)


def _sum(images: Array, kernel: Array, strides: Pair, pads: Pads) -> Array:
    window, channels = kernel.shape[:2], kernel.shape[2]
    windows = slices(padded(images, pads, 0), window, strides)
    return sum(v * weight for v, weight in zip(windows, kernel.reshape(-1, channels), strict=True))


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _convolve_one(images: Array, kernel: Array, strides: Pair, pads: Pads) -> Array:
    """Convolve every channel with its own kernel, (height, width, channels)."""
    if not ops.usable(images, kernel):
        return _sum(images, kernel, strides, pads)
    outputs = output_sizes(images.shape[1:3], kernel.shape[:2], strides, pads)
    shape = (len(images), *outputs, kernel.shape[2])
    return ops.depthwise(images, kernel, shape, strides, pads)


def _forward(
    images: Array, kernel: Array, strides: Pair, pads: Pads
) -> tuple[Array, tuple[Array, Array]]:
    return _convolve_one(images, kernel, strides, pads), (images, kernel)


def _backward(
    strides: Pair, pads: Pads, saved: tuple[Array, Array], gradient: Array
) -> tuple[Array, Array]:
    images, kernel = saved
    if ops.usable(images, kernel):
        return ops.depthwise_gradients(images, kernel, gradient, strides, pads)
    plain = partial(_sum, strides=strides, pads=pads)
    of_images, of_kernel = jax.vjp(plain, images, kernel)[1](gradient)
    return of_images, of_kernel


_convolve_one.defvjp(_forward, _backward)
