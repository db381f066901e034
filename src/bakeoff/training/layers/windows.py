"""Windows over images, shared by convolution and pooling: padding, output sizes, strided slices."""

from collections.abc import Iterator
from typing import Any

from bakeoff.training.backend import jax

jnp = jax.numpy
Array = Any
Pair = tuple[int, int]
Pads = tuple[Pair, Pair]


def padding_of(size: Pair, window: Pair, strides: Pair, padding: str) -> Pads:
    """Return Keras's padding before and after height and width; an odd pixel goes after."""
    if padding == "valid":
        return (0, 0), (0, 0)
    totals = [
        max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(size, window, strides, strict=True)
    ]
    return tuple((total // 2, total - total // 2) for total in totals)  # type: ignore[return-value]


def padded(images: Array, pads: Pads, value: float) -> Array:
    """Return images padded with `value`."""
    if not any(any(pad) for pad in pads):
        return images
    return jnp.pad(images, ((0, 0), *pads, (0, 0)), constant_values=value)


def output_size(size: int, window: int, stride: int) -> int:
    """Return how many windows fit along an axis of `size` pixels, padding included."""
    return (size - window) // stride + 1


def output_sizes(size: Pair, window: Pair, strides: Pair, pads: Pads) -> Pair:
    """Return how many windows fit along height and width of images that are padded."""
    sides = [n + sum(pad) for n, pad in zip(size, pads, strict=True)]
    height, width = map(output_size, sides, window, strides)
    return height, width


def slices(images: Array, window: Pair, strides: Pair) -> Iterator[Array]:
    """Yield, for every offset in the window, the pixel at that offset of every window."""
    _, height, width, _ = images.shape
    (kh, kw), (sh, sw) = window, strides
    oh, ow = output_size(height, kh, sh), output_size(width, kw, sw)
    for i in range(kh):
        for j in range(kw):
            yield images[:, i : i + (oh - 1) * sh + 1 : sh, j : j + (ow - 1) * sw + 1 : sw]
