"""Convolution as a product of patches: what a GPU does fastest for several lanes at once.

Vmapped over lanes, XLA's convolution becomes one with a group for each lane. cuDNN computes those
one after the other, and may sum in another order from lane to lane. This one becomes a batch of
matrix products, and takes a third of the time on an H100; docs/log.md has the numbers.

Images are float32, shape (batch, height, width, channels).
"""

from functools import partial
from typing import Any

from bakeoff.training.backend import jax
from bakeoff.training.layers.windows import Pair, output_size, slices

jnp = jax.numpy
Array = Any


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolve_patches(images: Array, kernel: Array, strides: Pair) -> Array:
    """Convolve images, padded already, with a kernel (height, width, channels, filters)."""
    return _product(images, kernel, strides)


def _product(images: Array, kernel: Array, strides: Pair) -> Array:
    window, filters = kernel.shape[:2], kernel.shape[3]
    outputs = map(output_size, images.shape[1:3], window, strides)
    patches = jnp.concatenate(list(slices(images, window, strides)), axis=-1)
    matrix = kernel.reshape(-1, filters)
    product = patches.reshape(-1, len(matrix)) @ matrix
    return product.reshape(len(images), *outputs, filters)


def _forward(images: Array, kernel: Array, strides: Pair) -> tuple[Array, tuple[Array, Array]]:
    return _product(images, kernel, strides), (images, kernel)


def _backward(strides: Pair, saved: tuple[Array, Array], gradient: Array) -> tuple[Array, Array]:
    """Return both gradients; patches are made again, since kept they would fill the memory."""
    _, pull = jax.vjp(partial(_product, strides=strides), *saved)
    of_images, of_kernel = pull(gradient)
    return of_images, of_kernel


convolve_patches.defvjp(_forward, _backward)
