"""Keras's dense layer with products of matrices that compile well on one CPU core.

Where the native library multiplies by tiles, it computes the products; XLA does otherwise.
"""

from functools import partial
from typing import Any

import numpy as np

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.context import current_probes, ours, raw_pixels
from bakeoff.training.native import ops

jnp, lax = jax.numpy, jax.lax
Array = Any

_SMALLEST = 64  # rows and columns of the weights; tiles of smaller ones are half empty
_NARROW = 4  # times as many rows as columns


class Dense(keras.layers.Dense):  # type: ignore[misc]
    """Keras's dense layer; products of two float32 matrices go through `multiply`.

    on_pixels : whether its inputs are the images, flattened: bytes multiply in half the time
    """

    on_pixels = False

    def call(self, inputs: Array, training: bool | None = None) -> Array:
        """Multiply, add the bias and activate; inputs that are no matrix go Keras's own way."""
        kernel = jnp.asarray(getattr(self.kernel, "value", self.kernel))
        if not (inputs.ndim == 2 and inputs.dtype == kernel.dtype == np.float32 and ours()):
            return super().call(inputs, training=training)
        raw = raw_pixels() if self.on_pixels and tiled(kernel) else None
        scale = 1.0
        if raw is not None:
            inputs, scale = raw[0].reshape(inputs.shape), 1 / raw[1]
        values = multiply(inputs, kernel)
        probes = current_probes()
        if probes is not None and self.name in probes.zeros:
            values = values + probes.zeros[self.name]
            probes.inputs[self.name] = inputs
        values = values * scale
        if self.bias is not None:
            values = values + self.bias
        return values if self.activation is None else self.activation(values)


def tiled(weights: Array) -> bool:
    """Say whether `multiply` uses tiles for such weights, which it does where that is faster."""
    return is_wide(weights) and ops.has_tiles()


def is_wide(weights: Array) -> bool:
    """Say whether weights have rows and columns enough for kernels to multiply or update them."""
    return bool(min(weights.shape) >= _SMALLEST)


@partial(jax.custom_vjp)
def multiply(inputs: Array, weights: Array) -> Array:
    """Return inputs @ weights, float32; where tiles multiply, inputs may be uint8."""
    return ops.product(inputs, weights) if tiled(weights) else inputs @ weights


def _multiply_forward(inputs: Array, weights: Array) -> tuple[Array, tuple[Array, Array]]:
    return multiply(inputs, weights), (inputs, weights)


def _multiply_backward(saved: tuple[Array, Array], gradient: Array) -> tuple[Array, Array]:
    inputs, weights = saved
    if not tiled(weights):
        return gradient @ weights.T, _weights_gradient(inputs, gradient)
    if inputs.dtype == np.uint8:
        input_gradient = np.zeros(inputs.shape, jax.dtypes.float0)  # how JAX writes "none"
    else:
        input_gradient = ops.product(gradient, weights, transposed="right")
    return input_gradient, ops.product(inputs, gradient, transposed="left")


def _weights_gradient(inputs: Array, gradient: Array) -> Array:
    """Return inputs.T @ gradient; XLA computes narrow ones up to ten times as fast transposed."""
    if inputs.shape[1] < _NARROW * gradient.shape[1]:
        return inputs.T @ gradient
    over_images = (((0,), (0,)), ((), ()))
    return lax.optimization_barrier(lax.dot_general(gradient, inputs, over_images)).T


multiply.defvjp(_multiply_forward, _multiply_backward)
