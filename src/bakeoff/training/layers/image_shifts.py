"""Keras's random flips and translations of images, with translations as products of matrices.

A translation along an axis is one small matrix an image, so a batch is moved by two products; a
gather of every pixel, as in Keras, takes several times as long on a CPU.

Images are float32, shape (batch, height, width, channels).
"""

from typing import Any

import numpy as np

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.context import layer_key

jnp = jax.numpy
Array = Any


class RandomFlip(keras.layers.RandomFlip):  # type: ignore[misc]
    """Keras's random flip; the draw depends on the step's random key and the layer's index."""

    def __init__(self, mode: str, *, index: int = 0, **settings: Any) -> None:
        seed = settings.pop("seed", None) or 0
        super().__init__(mode, seed=seed, **settings)
        self.index = index

    def call(self, inputs: Array, training: bool = True) -> Array:
        """Flip each image along each axis of the mode with probability 1/2."""
        if not training:
            return inputs
        chosen = jax.random.bernoulli(layer_key(self.index), shape=(2, inputs.shape[0]))
        for row, (direction, axis) in enumerate((("vertical", 1), ("horizontal", 2))):
            if direction in self.mode:
                inputs = flip(inputs, chosen[row], axis)
        return inputs


class RandomTranslation(keras.layers.RandomTranslation):  # type: ignore[misc]
    """Keras's random translation; the draw depends on the step's key and the layer's index."""

    def __init__(
        self, height_factor: Any, width_factor: Any, *, index: int = 0, **settings: Any
    ) -> None:
        seed = settings.pop("seed", None) or 0
        super().__init__(height_factor, width_factor, seed=seed, **settings)
        self.index = index

    def call(self, inputs: Array, training: bool = True) -> Array:
        """Shift each image by its own share of its height and width, drawn uniformly."""
        if not training:
            return inputs
        batch, height, width, _ = inputs.shape
        size = np.array([height, width], np.float32)
        low = size * (self.height_lower, self.width_lower)
        high = size * (self.height_upper, self.width_upper)
        return translate(
            inputs,
            jax.random.uniform(layer_key(self.index), (batch, 2), np.float32, low, high),
            fill_mode=self.fill_mode,
            interpolation=self.interpolation,
            fill_value=self.fill_value,
        )


def flip(images: Array, chosen: Array, axis: int) -> Array:
    """Flip along `axis` the images that are `chosen`, bool, shape (batch,)."""
    return jnp.where(chosen[:, None, None, None], jnp.flip(images, axis), images)


def translate(
    images: Array, shifts: Array, *, fill_mode: str, interpolation: str, fill_value: float
) -> Array:
    """Move each image down and to the right by `shifts`, in pixels, float, shape (batch, 2).

    fill_mode : what comes in at the edge, as in Keras: "constant" (`fill_value`), "nearest",
        "reflect" (the image mirrored, its edge pixel included) or "wrap"
    interpolation : "nearest" (whole pixels) or "bilinear"
    """
    height, width = images.shape[1:3]
    return resample(
        images,
        jnp.arange(height, dtype=jnp.float32) - shifts[:, :1],
        jnp.arange(width, dtype=jnp.float32) - shifts[:, 1:],
        fill_mode=fill_mode,
        interpolation=interpolation,
        fill_value=fill_value,
    )


def resample(
    images: Array,
    rows: Array,
    columns: Array,
    *,
    fill_mode: str,
    interpolation: str,
    fill_value: float,
) -> Array:
    """Return each image at its own `rows` and `columns`, in pixels, shape (batch, side)."""
    height, width = images.shape[1:3]
    down = _line_matrices(height, rows, fill_mode, interpolation)
    across = _line_matrices(width, columns, fill_mode, interpolation)
    moved = jnp.einsum("bij,bjkc,blk->bilc", down, images, across)
    if fill_mode != "constant" or not fill_value:
        return moved
    inside = down.sum(axis=2)[:, :, None] * across.sum(axis=2)[:, None, :]
    return moved + fill_value * (1 - inside)[..., None]


def _line_matrices(size: int, source: Array, fill_mode: str, interpolation: str) -> Array:
    """Return matrices M, shape (batch, size, size): M @ line is the line at `source`."""
    if interpolation == "nearest":
        return _one_hot(jnp.round(source), size, fill_mode)
    below = jnp.floor(source)
    share = (source - below)[..., None]
    return (1 - share) * _one_hot(below, size, fill_mode) + share * _one_hot(
        below + 1, size, fill_mode
    )


def _one_hot(indices: Array, size: int, fill_mode: str) -> Array:
    """Return 1 at each index, brought back inside as `fill_mode` says; else 0."""
    kept = bring_inside(indices, size, fill_mode)
    return (kept[..., None] == jnp.arange(size)).astype(jnp.float32)


def bring_inside(indices: Array, size: int, fill_mode: str) -> Array:
    """Return indices, brought back inside as `fill_mode` says; "constant" leaves them."""
    if fill_mode == "nearest":
        return jnp.clip(indices, 0, size - 1)
    if fill_mode == "wrap":
        return jnp.mod(indices, size)
    if fill_mode == "reflect":
        around = jnp.mod(indices, 2 * size)
        return jnp.minimum(around, 2 * size - 1 - around)
    return indices
