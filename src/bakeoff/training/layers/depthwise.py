"""Keras's depthwise and separable convolutions as sums of strided slices.

XLA's convolution of every channel by itself takes 3 to 30 times as long on a CPU; docs/log.md has
the numbers. Where the native library is loaded, it computes both gradients.

Images are float32, shape (batch, height, width, channels).
"""

from functools import partial
from typing import Any

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.context import in_slices
from bakeoff.training.layers.windows import Pads, Pair, padded, padding_of, slices
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
    images = padded(images, pads, 0)
    if each == 1:
        return _convolve_one(images, kernel[..., 0], strides)
    weights = kernel.reshape(height * width, channels, each)
    many = zip(slices(images, (height, width), strides), weights, strict=True)
    total = sum(values[..., None] * weight for values, weight in many)
    return total.reshape(*total.shape[:3], channels * each)


def _sum(images: Array, kernel: Array, strides: Pair) -> Array:
    window, channels = kernel.shape[:2], kernel.shape[2]
    parts = zip(slices(images, window, strides), kernel.reshape(-1, channels), strict=True)
    return sum(values * weight for values, weight in parts)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def _convolve_one(images: Array, kernel: Array, strides: Pair) -> Array:
    """Convolve every channel of padded images with its own kernel, (height, width, channels)."""
    return _sum(images, kernel, strides)


def _forward(images: Array, kernel: Array, strides: Pair) -> tuple[Array, tuple[Array, Array]]:
    return _sum(images, kernel, strides), (images, kernel)


def _backward(strides: Pair, saved: tuple[Array, Array], gradient: Array) -> tuple[Array, Array]:
    images, kernel = saved
    if ops.usable(images, kernel):
        return ops.depthwise_gradients(images, kernel, gradient, strides)
    of_images, of_kernel = jax.vjp(partial(_sum, strides=strides), images, kernel)[1](gradient)
    return of_images, of_kernel


_convolve_one.defvjp(_forward, _backward)
