"""Keras's augmenting layers beside flips and translations, and cutout, which Keras does not have.

Each draws for every image anew, from the step's random key and its own index. Pixels are in
[0, 1]; images are float32, shape (batch, height, width, channels). What is drawn aside, the results
are Keras's; see the layers where they are not.
"""

import math
from typing import Any

import numpy as np

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.context import layer_key
from bakeoff.training.layers.image_shifts import bring_inside, resample

jnp = jax.numpy
Array = Any
_WHITE = (0.0, 1.0)


class RandomRotation(keras.layers.RandomRotation):  # type: ignore[misc]
    """Keras's random rotation."""

    def __init__(self, factor: Any, *, index: int = 0, **settings: Any) -> None:
        seed = settings.pop("seed", None) or 0
        super().__init__(factor, seed=seed, **settings)
        self.index = index

    def call(self, inputs: Array, training: bool = True) -> Array:
        """Rotate each image about its middle by its own angle, drawn uniformly."""
        if not training:
            return inputs
        low, high = (2 * math.pi * each for each in self.factor)
        angles = jax.random.uniform(layer_key(self.index), inputs.shape[:1], np.float32, low, high)
        return rotate(
            inputs,
            angles,
            fill_mode=self.fill_mode,
            interpolation=self.interpolation,
            fill_value=self.fill_value,
        )


class RandomZoom(keras.layers.RandomZoom):  # type: ignore[misc]
    """Keras's random zoom, as products of matrices."""

    def __init__(
        self, height_factor: Any, width_factor: Any = None, *, index: int = 0, **settings: Any
    ) -> None:
        seed = settings.pop("seed", None) or 0
        super().__init__(height_factor, width_factor, seed=seed, **settings)
        self.index = index

    def call(self, inputs: Array, training: bool = True) -> Array:
        """Zoom each image about its middle; by more than 1, it gets smaller."""
        if not training:
            return inputs
        keys = jax.random.split(layer_key(self.index))
        batch = inputs.shape[:1]
        low, high = 1 + self.height_lower, 1 + self.height_upper
        heights = widths = jax.random.uniform(keys[0], batch, np.float32, low, high)
        if self.width_factor is not None:
            low, high = 1 + self.width_lower, 1 + self.width_upper
            widths = jax.random.uniform(keys[1], batch, np.float32, low, high)
        return zoom(
            inputs,
            heights,
            widths,
            fill_mode=self.fill_mode,
            interpolation=self.interpolation,
            fill_value=self.fill_value,
        )


class RandomContrast(keras.layers.RandomContrast):  # type: ignore[misc]
    """Keras's random contrast as it is described: `factor` 0.2 means 0.8 to 1.2 times.

    Keras 3.15 draws from 1.0 to 1.2 where one number is given.
    """

    def __init__(
        self, factor: Any, *, value_range: Any = _WHITE, index: int = 0, **settings: Any
    ) -> None:
        seed = settings.pop("seed", None) or 0
        super().__init__(factor, value_range=value_range, seed=seed, **settings)
        self.index = index
        self.spread = factor if isinstance(factor, tuple | list) else (factor, factor)

    def call(self, inputs: Array, training: bool = True) -> Array:
        """Multiply each image's distance from the means of its channels."""
        if not training:
            return inputs
        low, high = 1 - self.spread[0], 1 + self.spread[1]
        shape = (inputs.shape[0], 1, 1, 1)
        factors = jax.random.uniform(layer_key(self.index), shape, np.float32, low, high)
        means = inputs.mean(axis=(1, 2), keepdims=True)
        return jnp.clip((inputs - means) * factors + means, *self.value_range)


class RandomBrightness(keras.layers.RandomBrightness):  # type: ignore[misc]
    """Keras's random brightness."""

    def __init__(
        self, factor: Any, *, value_range: Any = _WHITE, index: int = 0, **settings: Any
    ) -> None:
        seed = settings.pop("seed", None) or 0
        super().__init__(factor, value_range=value_range, seed=seed, **settings)
        self.index = index

    def call(self, inputs: Array, training: bool = True) -> Array:
        """Add a number to each image."""
        if not training:
            return inputs
        shape, (low, high) = (inputs.shape[0], 1, 1, 1), self.value_range
        added = jax.random.uniform(layer_key(self.index), shape, np.float32, *self.factor)
        return jnp.clip(inputs + added * (high - low), low, high)


class RandomCrop(keras.layers.RandomCrop):  # type: ignore[misc]
    """Keras's random crop, but that each image has an offset of its own.

    Outside training it takes the middle; Keras 3.15 then gives back the whole image.
    """

    def __init__(self, height: int, width: int, *, index: int = 0, **settings: Any) -> None:
        seed = settings.pop("seed", None) or 0
        super().__init__(height, width, seed=seed, **settings)
        self.index = index

    def call(self, inputs: Array, training: bool = True) -> Array:
        """Cut each image."""
        margin = np.array(inputs.shape[1:3]) - (self.height, self.width)
        if not training:
            top, left = margin // 2
            return inputs[:, top : top + self.height, left : left + self.width]
        shape = (inputs.shape[0], 2)
        offsets = jax.random.randint(layer_key(self.index), shape, 0, margin + 1)

        def cut(image: Array, offset: Array) -> Array:
            size = (self.height, self.width, image.shape[2])
            return jax.lax.dynamic_slice(image, (offset[0], offset[1], 0), size)

        return jax.vmap(cut)(inputs, offsets)


class Cutout(keras.layers.Layer):  # type: ignore[misc]
    """A square of each image is filled, while training (DeVries and Taylor 2017)."""

    def __init__(
        self, size: int, fill_value: float = 0.0, *, index: int = 0, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.size, self.fill_value, self.index = size, fill_value, index

    def call(self, inputs: Array, training: bool = True) -> Array:
        """Fill `size` × `size` pixels about a pixel drawn uniformly; at the edge it is cut off."""
        if not training:
            return inputs
        shape, sides = (inputs.shape[0], 2), np.array(inputs.shape[1:3])
        first = jax.random.randint(layer_key(self.index), shape, 0, sides) - self.size // 2
        inside = [
            (jnp.arange(side) >= first[:, axis, None])
            & (jnp.arange(side) < first[:, axis, None] + self.size)
            for axis, side in enumerate(sides)
        ]
        square = inside[0][:, :, None, None] & inside[1][:, None, :, None]
        return jnp.where(square, self.fill_value, inputs)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, as Keras wants them."""
        return {**super().get_config(), "size": self.size, "fill_value": self.fill_value}


def zoom(
    images: Array,
    heights: Array,
    widths: Array,
    *,
    fill_mode: str,
    interpolation: str,
    fill_value: float,
) -> Array:
    """Zoom each image about its middle; `heights` and `widths`, shape (batch,), above 1 shrink."""
    sides = zip(images.shape[1:3], (heights, widths), strict=True)
    rows, columns = (
        (jnp.arange(side) - (side - 1) / 2) * factors[:, None] + (side - 1) / 2
        for side, factors in sides
    )
    return resample(
        images,
        rows,
        columns,
        fill_mode=fill_mode,
        interpolation=interpolation,
        fill_value=fill_value,
    )


def rotate(
    images: Array, angles: Array, *, fill_mode: str, interpolation: str, fill_value: float
) -> Array:
    """Rotate each image about its middle by `angles`, in radians, shape (batch,)."""
    height, width = images.shape[1:3]
    y = jnp.arange(height)[:, None] - (height - 1) / 2
    x = jnp.arange(width)[None, :] - (width - 1) / 2
    cosine, sine = (each(angles)[:, None, None] for each in (jnp.cos, jnp.sin))
    rows = sine * x + cosine * y + (height - 1) / 2
    columns = cosine * x - sine * y + (width - 1) / 2
    if interpolation == "nearest":
        return _pick(images, jnp.round(rows), jnp.round(columns), fill_mode, fill_value)
    top, left = jnp.floor(rows), jnp.floor(columns)
    down, right = (rows - top)[..., None], (columns - left)[..., None]
    rotated = 0.0
    for step_down, row_share in ((0, 1 - down), (1, down)):
        for step_right, column_share in ((0, 1 - right), (1, right)):
            corner = _pick(images, top + step_down, left + step_right, fill_mode, fill_value)
            rotated = rotated + row_share * column_share * corner
    return rotated


def _pick(images: Array, rows: Array, columns: Array, fill_mode: str, fill_value: float) -> Array:
    """Return the pixels at whole rows and columns, shape (batch, height, width)."""
    batch, height, width, channels = images.shape
    kept_rows = bring_inside(rows, height, fill_mode)
    kept_columns = bring_inside(columns, width, fill_mode)
    outside = (kept_rows < 0) | (kept_rows >= height) | (kept_columns < 0) | (kept_columns >= width)
    flat = jnp.clip(kept_rows, 0, height - 1) * width + jnp.clip(kept_columns, 0, width - 1)
    pixels = jnp.take_along_axis(
        images.reshape(batch, height * width, channels),
        flat.astype(jnp.int32).reshape(batch, height * width, 1),
        axis=1,
    ).reshape(images.shape)
    return jnp.where(outside[..., None], fill_value, pixels)
