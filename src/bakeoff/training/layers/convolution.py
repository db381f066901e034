"""Keras's convolution with gradients that compile well inside a loop on one CPU core.

XLA's convolution of images with a kernel is fast inside a compiled loop. Its automatic gradient
with respect to the kernel is about 100 times slower (jax#12868). Written here as a convolution over
the height alone, with copies of the images shifted along the width, it takes XLA's fast path too.
The gradient of the images is one matrix product for each offset in the kernel. Where the native
library is loaded, it convolves.

Images are float32, shape (batch, height, width, channels).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.context import in_patches, ours
from bakeoff.training.layers.patches import convolve_patches
from bakeoff.training.layers.windows import Pads, Pair, output_sizes, padded, padding_of
from bakeoff.training.native import ops

jnp, lax = jax.numpy, jax.lax
Array = Any

_IMAGES = ("NHWC", "HWIO", "NHWC")
_COLUMNS = ("NWC", "WIO", "NWC")


class Conv2D(keras.layers.Conv2D):  # type: ignore[misc]
    """Keras's convolution with faster gradients.

    pool_first : pooling to be done before bias and activation, where that gives the same values
    """

    pool_first: Callable[[Array], Array] | None = None

    def call(self, inputs: Array) -> Array:
        """Convolve, pool if that is fused into this layer, add the bias and activate."""
        if self.pool_first is None:
            return super().call(inputs)
        values = self.pool_first(self.convolution_op(inputs, self.kernel))
        if self.bias is not None:
            values = values + self.bias
        return self.activation(values)

    def convolution_op(self, inputs: Array, kernel: Array) -> Array:
        """Convolve; groups, dilation and channels-first go Keras's own way."""
        plain = self.groups == 1 and set(self.dilation_rate) == {1}
        patches = in_patches(self.data_format)
        if not plain or not (patches or ours(self.data_format)):
            return super().convolution_op(inputs, kernel)
        kernel = jnp.asarray(kernel.value if hasattr(kernel, "value") else kernel)
        pads = padding_of(inputs.shape[1:3], kernel.shape[:2], self.strides, self.padding)
        if patches:
            return convolve_patches(padded(inputs, pads, 0), kernel, tuple(self.strides))
        return convolve(inputs, kernel, tuple(self.strides), pads)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def convolve(images: Array, kernel: Array, strides: Pair, pads: Pads) -> Array:
    """Convolve images with a kernel (height, width, channels, filters), as Keras does."""
    if ops.usable(images, kernel):
        outputs = output_sizes(images.shape[1:3], kernel.shape[:2], strides, pads)
        shape = (len(images), *outputs, kernel.shape[3])
        return ops.convolution("forward", shape, images, kernel, strides, pads)
    return lax.conv_general_dilated(images, kernel, strides, pads, dimension_numbers=_IMAGES)


def _convolve_forward(
    images: Array, kernel: Array, strides: Pair, pads: Pads
) -> tuple[Array, tuple[Array, Array]]:
    return convolve(images, kernel, strides, pads), (images, kernel)


def _convolve_backward(
    strides: Pair, pads: Pads, saved: tuple[Array, Array], gradient: Array
) -> tuple[Array, Array]:
    images, kernel = saved
    if ops.usable(images, kernel):
        return (
            ops.convolution("image_gradient", images.shape, gradient, kernel, strides, pads),
            ops.convolution("kernel_gradient", kernel.shape, images, gradient, strides, pads),
        )
    images = padded(images, pads, 0)
    of_images = _image_gradient(gradient, kernel, images.shape, strides)
    of_kernel = _kernel_gradient(images, gradient, kernel.shape, strides)
    (top, bottom), (left, right) = pads
    _, height, width, _ = images.shape
    return of_images[:, top : height - bottom, left : width - right], of_kernel


convolve.defvjp(_convolve_forward, _convolve_backward)


def _image_gradient(gradient: Array, kernel: Array, shape: tuple[int, ...], strides: Pair) -> Array:
    """Return the gradient of the padded images of `shape`: a sum over the kernel's offsets."""
    kh, kw, channels, filters = kernel.shape
    batch, oh, ow, _ = gradient.shape
    (_, height, width, _), (sh, sw) = shape, strides
    flat = gradient.reshape(-1, filters)

    def at_offset(i: int, j: int) -> Array:
        product = (flat @ kernel[i, j].T).reshape(batch, oh, ow, channels)
        below, right = height - i - (oh - 1) * sh - 1, width - j - (ow - 1) * sw - 1
        margins = ((0, 0, 0), (i, below, sh - 1), (j, right, sw - 1), (0, 0, 0))
        return lax.pad(product, jnp.zeros((), product.dtype), margins)

    return sum(at_offset(i, j) for i in range(kh) for j in range(kw))


def _kernel_gradient(
    images: Array, gradient: Array, shape: tuple[int, ...], strides: Pair
) -> Array:
    """Return the gradient of the kernel of `shape`; images are padded already.

    Columns of images are convolved with columns of the gradient. The channels that this convolution
    sums over are the batch and the horizontal position; each horizontal offset in the kernel is a
    shifted copy of the images.
    """
    (kh, kw, channels, filters), (sh, sw) = shape, strides
    batch, oh, ow, _ = gradient.shape
    transposed = images.transpose(3, 1, 2, 0)
    copies = jnp.stack([transposed[:, :, j : j + (ow - 1) * sw + 1 : sw] for j in range(kw)])
    columns = copies.reshape(kw * channels, images.shape[1], ow * batch)
    gradients = gradient.transpose(1, 2, 0, 3).reshape(oh, ow * batch, filters)
    found = lax.conv_general_dilated(
        columns, gradients, (1,), "VALID", rhs_dilation=(sh,), dimension_numbers=_COLUMNS
    )
    return found[:, :kh].reshape(kw, channels, kh, filters).transpose(2, 0, 1, 3)
