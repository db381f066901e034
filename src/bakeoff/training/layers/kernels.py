"""Convolution, products, pooling and random bits that compile well inside a loop on one CPU core.

XLA's convolution of images with a kernel is fast inside a compiled loop; the slope of the kernel
that it derives is a hundred times slower (jax#12868). Written here as a convolution over height
alone, with copies of the images shifted along the width, it takes XLA's fast path too. The slope
of the images is one matrix product for each place in the kernel, and slopes of pooling gather what
XLA would scatter. Where the native kernels were built, they convolve; where these have tiles, they
multiply.

Images are float32, (batch, height, width, channels).
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.training import native
from bakeoff.training.backend import jax

jnp, lax = jax.numpy, jax.lax
Array = Any
Pair = tuple[int, int]
Pads = tuple[Pair, Pair]


def pads_of(size: Pair, window: Pair, strides: Pair, padding: str) -> Pads:
    """Return Keras's padding before and after height and width; an odd pixel goes behind."""
    if padding == "valid":
        return (0, 0), (0, 0)
    totals = [
        max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(size, window, strides, strict=True)
    ]
    return tuple((total // 2, total - total // 2) for total in totals)  # type: ignore[return-value]


def _outputs(size: int, window: int, stride: int) -> int:
    return (size - window) // stride + 1


def _native(*arrays: Array) -> bool:
    """Say whether the native kernels serve: they were built, and all is float32."""
    return native.loaded() and all(array.dtype == np.float32 for array in arrays)


# ── convolution ──────────────────────────────────────────────────────────────────────────────

_IMAGES = ("NHWC", "HWIO", "NHWC")
_COLUMNS = ("NWC", "WIO", "NWC")


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def convolve(images: Array, kernel: Array, strides: Pair, pads: Pads) -> Array:
    """Convolve images with a kernel (height, width, channels, filters), as Keras does."""
    if _native(images, kernel):
        images = framed(images, pads, 0)
        outputs = map(_outputs, images.shape[1:3], kernel.shape[:2], strides)
        shape = (len(images), *outputs, kernel.shape[3])
        return native.call("forward", shape, images, kernel, strides)
    return lax.conv_general_dilated(images, kernel, strides, pads, dimension_numbers=_IMAGES)


def _convolve_forward(
    images: Array, kernel: Array, strides: Pair, pads: Pads
) -> tuple[Array, tuple[Array, Array]]:
    return convolve(images, kernel, strides, pads), (images, kernel)


def _convolve_backward(
    strides: Pair, pads: Pads, saved: tuple[Array, Array], slope: Array
) -> tuple[Array, Array]:
    images, kernel = saved
    images = framed(images, pads, 0)
    if _native(images, kernel):
        image_slope = native.call("image_slope", images.shape, slope, kernel, strides)
        kernel_slope = native.call("kernel_slope", kernel.shape, images, slope, strides)
    else:
        image_slope = _image_slope(slope, kernel, images.shape, strides)
        kernel_slope = _kernel_slope(images, slope, kernel.shape, strides)
    (top, bottom), (left, right) = pads
    _, height, width, _ = images.shape
    image_slope = image_slope[:, top : height - bottom, left : width - right]
    return image_slope, kernel_slope


convolve.defvjp(_convolve_forward, _convolve_backward)


def _image_slope(slope: Array, kernel: Array, shape: tuple[int, ...], strides: Pair) -> Array:
    """Return the slope of the padded images of `shape`: each place's product put where it was."""
    kh, kw, channels, filters = kernel.shape
    batch, oh, ow, _ = slope.shape
    (_, height, width, _), (sh, sw) = shape, strides
    flat = slope.reshape(-1, filters)

    def placed(i: int, j: int) -> Array:
        product = (flat @ kernel[i, j].T).reshape(batch, oh, ow, channels)
        below, right = height - i - (oh - 1) * sh - 1, width - j - (ow - 1) * sw - 1
        margins = ((0, 0, 0), (i, below, sh - 1), (j, right, sw - 1), (0, 0, 0))
        return lax.pad(product, jnp.zeros((), product.dtype), margins)

    return sum(placed(i, j) for i in range(kh) for j in range(kw))


def _kernel_slope(images: Array, slope: Array, shape: tuple[int, ...], strides: Pair) -> Array:
    """Return the slope of the kernel of `shape`, images padded already.

    Columns of images are convolved with columns of the slope: the batch and the position in the
    row are the channels that are summed over, and each place in the kernel's row is a copy of the
    images, shifted.
    """
    (kh, kw, channels, filters), (sh, sw) = shape, strides
    batch, oh, ow, _ = slope.shape
    turned = images.transpose(3, 1, 2, 0)
    copies = jnp.stack([turned[:, :, j : j + (ow - 1) * sw + 1 : sw] for j in range(kw)])
    columns = copies.reshape(kw * channels, images.shape[1], ow * batch)
    slopes = slope.transpose(1, 2, 0, 3).reshape(oh, ow * batch, filters)
    found = lax.conv_general_dilated(
        columns, slopes, (1,), "VALID", rhs_dilation=(sh,), dimension_numbers=_COLUMNS
    )
    return found[:, :kh].reshape(kw, channels, kh, filters).transpose(2, 0, 1, 3)


def framed(images: Array, pads: Pads, value: float) -> Array:
    """Return images with a frame of `value` around them."""
    if not any(any(pad) for pad in pads):
        return images
    return jnp.pad(images, ((0, 0), *pads, (0, 0)), constant_values=value)


# ── products of matrices ─────────────────────────────────────────────────────────────────────

_LEAST = 64  # rows and columns of the weights, where tiles are worth filling
_NARROW = 4  # times as many rows as columns


def tiled(weights: Array) -> bool:
    """Say whether `multiply` takes tiles for such weights, which it does where it is faster."""
    return min(weights.shape) >= _LEAST and native.tiles()


@partial(jax.custom_vjp)
def multiply(inputs: Array, weights: Array) -> Array:
    """Return the product of two matrices, inputs and weights of a dense layer, float32.

    Where tiles multiply, inputs may be bytes.
    """
    return native.product(inputs, weights) if tiled(weights) else inputs @ weights


def _multiply_forward(inputs: Array, weights: Array) -> tuple[Array, tuple[Array, Array]]:
    return multiply(inputs, weights), (inputs, weights)


def _multiply_backward(saved: tuple[Array, Array], slope: Array) -> tuple[Array, Array]:
    inputs, weights = saved
    if not tiled(weights):
        return slope @ weights.T, _weights_slope(inputs, slope)
    if inputs.dtype == np.uint8:
        input_slope = np.zeros(inputs.shape, jax.dtypes.float0)  # JAX's word for none
    else:
        input_slope = native.product(slope, weights, turned="right")
    return input_slope, native.product(inputs, slope, turned="left")


def _weights_slope(inputs: Array, slope: Array) -> Array:
    """Return the slope of weights; of narrow ones, XLA is up to ten times as fast turned over."""
    if inputs.shape[1] < _NARROW * slope.shape[1]:
        return inputs.T @ slope
    over_images = (((0,), (0,)), ((), ()))
    return lax.optimization_barrier(lax.dot_general(slope, inputs, over_images)).T


multiply.defvjp(_multiply_forward, _multiply_backward)


# ── pooling ──────────────────────────────────────────────────────────────────────────────────


def _windows(images: Array, window: Pair, strides: Pair) -> Iterator[Array]:
    """Yield, for every place in the window, the pixels there at every position."""
    _, height, width, _ = images.shape
    (kh, kw), (sh, sw) = window, strides
    oh, ow = _outputs(height, kh, sh), _outputs(width, kw, sw)
    for i in range(kh):
        for j in range(kw):
            yield images[:, i : i + (oh - 1) * sh + 1 : sh, j : j + (ow - 1) * sw + 1 : sw]


def _meetings(
    size: Pair, window: Pair, strides: Pair
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int16]]]:
    """Yield, for every pixel, a position whose window holds it and its place in that window.

    Each pixel meets each position that holds it once. Places and positions are counted row by row,
    positions with one more at the end of each row and column: the one where nothing is held.
    """

    def axis(n: int, k: int, s: int, earlier: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        position = np.arange(n) // s - earlier
        place = np.arange(n) - position * s
        end = _outputs(n, k, s)
        held = (position >= 0) & (position < end) & (place < k)
        return np.where(held, position, end), np.where(held, place, 0)

    (height, width), (kh, kw), (sh, sw) = size, window, strides
    row = _outputs(width, kw, sw) + 1
    for i in range(-(-kh // sh)):
        for j in range(-(-kw // sw)):
            (y, place_y), (x, place_x) = axis(height, kh, sh, i), axis(width, kw, sw, j)
            places = (place_y[:, None] * kw + place_x).astype(np.int16)
            yield (y[:, None] * row + x).reshape(-1), places.reshape(-1, 1)


def _table(values: Array) -> Array:
    """Return (batch, positions, channels) with zeros where `_meetings` says nothing is held."""
    values = jnp.pad(values, ((0, 0), (0, 1), (0, 1), (0, 0)))
    return values.reshape(values.shape[0], -1, values.shape[3])


def _taken(table: Array, rows: NDArray[np.int64]) -> Array:
    return table.at[:, rows].get(mode="promise_in_bounds")


@partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def max_pool(images: Array, window: Pair, strides: Pair) -> Array:
    """Return the largest pixel of every window; its slope goes to the first of the largest."""
    if _pools(images, window):
        return _pooled(images, window, strides)[0]
    slices = _windows(images, window, strides)
    largest = next(slices)
    for each in slices:
        largest = jnp.maximum(largest, each)
    return largest


def _pools(images: Array, window: Pair) -> bool:
    """Say whether the native kernels pool; they keep a place in a byte."""
    return _native(images) and window[0] * window[1] <= 256


def _pooled(images: Array, window: Pair, strides: Pair) -> tuple[Array, Array]:
    batch, *size, channels = images.shape
    shape = (batch, *map(_outputs, size, window, strides), channels)
    return native.pooled(images, shape, window, strides)


def _max_pool_forward(images: Array, window: Pair, strides: Pair) -> tuple[Array, Any]:
    if _pools(images, window):
        largest, first = _pooled(images, window, strides)
        return largest, (first, images)
    largest = max_pool(images, window, strides)
    first = jnp.full(largest.shape, -1, jnp.int16)
    for place, each in reversed(list(enumerate(_windows(images, window, strides)))):
        first = jnp.where(each == largest, jnp.int16(place), first)
    return largest, (first, images)


def _max_pool_backward(window: Pair, strides: Pair, saved: Any, slope: Array) -> tuple[Array]:
    first, images = saved
    if _pools(images, window):
        return (native.pooled_slope(slope, first, images.shape, window, strides),)
    firsts, slopes = _table(first), _table(slope)
    parts = [
        jnp.where(_taken(firsts, rows) == places, _taken(slopes, rows), 0)
        for rows, places in _meetings(images.shape[1:3], window, strides)
    ]
    return (sum(parts).reshape(images.shape),)


max_pool.defvjp(_max_pool_forward, _max_pool_backward)


@partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def sum_pool(images: Array, window: Pair, strides: Pair) -> Array:
    """Return the sum of the pixels of every window."""
    return sum(_windows(images, window, strides))


def _sum_pool_forward(images: Array, window: Pair, strides: Pair) -> tuple[Array, Any]:
    return sum_pool(images, window, strides), images


def _sum_pool_backward(window: Pair, strides: Pair, images: Array, slope: Array) -> tuple[Array]:
    slopes = _table(slope)
    parts = (_taken(slopes, rows) for rows, _ in _meetings(images.shape[1:3], window, strides))
    return (sum(parts).reshape(images.shape),)


sum_pool.defvjp(_sum_pool_forward, _sum_pool_backward)


# ── random bits ──────────────────────────────────────────────────────────────────────────────


def hash_bits(key: Array, shape: tuple[int, ...]) -> Array:
    """Return one 32-bit hash an element: a counter, mixed with two words drawn from `key`.

    The mixing steps are those of lowbias32 (C. Wellons, "Prospecting for hash functions", 2018),
    done twice, with a word of the key before each.
    """
    words = jax.random.bits(key, (2,), jnp.uint32)
    bits = lax.iota(jnp.uint32, int(np.prod(shape))).reshape(shape)
    for word in (words[0], words[1]):
        bits = bits ^ word
        bits = (bits ^ (bits >> 16)) * jnp.uint32(0x7FEB352D)
        bits = (bits ^ (bits >> 15)) * jnp.uint32(0x846CA68B)
        bits = bits ^ (bits >> 16)
    return bits
