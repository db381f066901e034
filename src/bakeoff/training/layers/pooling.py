"""Keras's max and average pooling as strided slices, with gradients that gather.

XLA's gradient of pooling scatters, which is slow on a CPU. Here every pixel gathers the gradients
of the windows that contain it. Where the native library is loaded, it does max pooling.

Images are float32, shape (batch, height, width, channels).
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.context import in_slices
from bakeoff.training.layers.windows import Pair, output_size, padded, padding_of, slices
from bakeoff.training.native import ops

jnp = jax.numpy
Array = Any


class MaxPooling2D(keras.layers.MaxPooling2D):  # type: ignore[misc]
    """Keras's max pooling as a maximum of strided slices.

    pooled : whether the convolution before it has pooled already
    """

    pooled = False

    def call(self, inputs: Array) -> Array:
        """Pool; channels-first goes Keras's own way."""
        if self.pooled:
            return inputs
        if not in_slices(self.data_format):
            return super().call(inputs)
        return self.pool(inputs)

    def pool(self, inputs: Array) -> Array:
        """Return the largest pixel of every window."""
        window, strides = tuple(self.pool_size), tuple(self.strides)
        pads = padding_of(inputs.shape[1:3], window, strides, self.padding)
        return max_pool(padded(inputs, pads, -np.inf), window, strides)


class AveragePooling2D(keras.layers.AveragePooling2D):  # type: ignore[misc]
    """Keras's average pooling as a sum of strided slices; padding is not counted."""

    def call(self, inputs: Array) -> Array:
        """Pool; channels-first goes Keras's own way."""
        if not in_slices(self.data_format):
            return super().call(inputs)
        window, strides = tuple(self.pool_size), tuple(self.strides)
        pads = padding_of(inputs.shape[1:3], window, strides, self.padding)
        ones = padded(np.ones((1, *inputs.shape[1:3], 1), np.float32), pads, 0)
        counts = sum_pool(ones, window, strides)
        return sum_pool(padded(inputs, pads, 0), window, strides) / counts


def _windows_of_pixels(
    size: Pair, window: Pair, strides: Pair
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int16]]]:
    """For each pixel, yield every window that contains it and the pixel's offset there.

    Each step yields, for all pixels at once, the index of one window in the table of `_table` and
    the offset in it, both counted row by row. A pixel that is in fewer windows than others is given
    the index of a padding entry, which holds zero.
    """

    def axis(n: int, k: int, s: int, earlier: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        index = np.arange(n) // s - earlier
        offset = np.arange(n) - index * s
        end = output_size(n, k, s)
        inside = (index >= 0) & (index < end) & (offset < k)
        return np.where(inside, index, end), np.where(inside, offset, 0)

    (height, width), (kh, kw), (sh, sw) = size, window, strides
    row = output_size(width, kw, sw) + 1
    for i in range(-(-kh // sh)):
        for j in range(-(-kw // sw)):
            (y, offset_y), (x, offset_x) = axis(height, kh, sh, i), axis(width, kw, sw, j)
            offsets = (offset_y[:, None] * kw + offset_x).astype(np.int16)
            yield (y[:, None] * row + x).reshape(-1), offsets.reshape(-1, 1)


def _table(values: Array) -> Array:
    """Return (batch, windows, channels), with one entry of zeros after each row and column."""
    values = jnp.pad(values, ((0, 0), (0, 1), (0, 1), (0, 0)))
    return values.reshape(values.shape[0], -1, values.shape[3])


def _gather(table: Array, rows: NDArray[np.int64]) -> Array:
    return table.at[:, rows].get(mode="promise_in_bounds")


@partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def max_pool(images: Array, window: Pair, strides: Pair) -> Array:
    """Return the maximum of every window; its gradient goes to the first of equal maxima."""
    if _is_native(images, window):
        return _native_max_pool(images, window, strides)[0]
    parts = slices(images, window, strides)
    largest = next(parts)
    for each in parts:
        largest = jnp.maximum(largest, each)
    return largest


def _is_native(images: Array, window: Pair) -> bool:
    """Say whether the native library pools; it keeps an offset in a byte."""
    return ops.usable(images) and window[0] * window[1] <= 256


def _native_max_pool(images: Array, window: Pair, strides: Pair) -> tuple[Array, Array]:
    batch, *size, channels = images.shape
    shape = (batch, *map(output_size, size, window, strides), channels)
    return ops.max_pool(images, shape, window, strides)


def _max_pool_forward(images: Array, window: Pair, strides: Pair) -> tuple[Array, Any]:
    if _is_native(images, window):
        largest, first = _native_max_pool(images, window, strides)
        return largest, (first, images)
    largest = max_pool(images, window, strides)
    first = jnp.full(largest.shape, -1, jnp.int16)
    for offset, each in reversed(list(enumerate(slices(images, window, strides)))):
        first = jnp.where(each == largest, jnp.int16(offset), first)
    return largest, (first, images)


def _max_pool_backward(window: Pair, strides: Pair, saved: Any, gradient: Array) -> tuple[Array]:
    first, images = saved
    if _is_native(images, window):
        return (ops.max_pool_gradient(gradient, first, images.shape, window, strides),)
    firsts, gradients = _table(first), _table(gradient)
    parts = [
        jnp.where(_gather(firsts, rows) == offsets, _gather(gradients, rows), 0)
        for rows, offsets in _windows_of_pixels(images.shape[1:3], window, strides)
    ]
    return (sum(parts).reshape(images.shape),)


max_pool.defvjp(_max_pool_forward, _max_pool_backward)


@partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def sum_pool(images: Array, window: Pair, strides: Pair) -> Array:
    """Return the sum of the pixels of every window."""
    return sum(slices(images, window, strides))


def _sum_pool_forward(images: Array, window: Pair, strides: Pair) -> tuple[Array, Any]:
    return sum_pool(images, window, strides), images


def _sum_pool_backward(window: Pair, strides: Pair, images: Array, gradient: Array) -> tuple[Array]:
    gradients = _table(gradient)
    windows = _windows_of_pixels(images.shape[1:3], window, strides)
    parts = (_gather(gradients, rows) for rows, _ in windows)
    return (sum(parts).reshape(images.shape),)


sum_pool.defvjp(_sum_pool_forward, _sum_pool_backward)
