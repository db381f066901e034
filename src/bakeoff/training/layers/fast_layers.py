"""Keras's layers, so that they compile well inside a loop on a CPU.

Convolution, pooling and dropout are Keras's layers with the kernels of `kernels.py` on a CPU, where
XLA's own derivatives are slow inside a compiled loop; on a GPU Keras's convolution and pooling
serve. Dense layers are multiplied by the native kernels where these have tiles. The results are
Keras's, but for the random numbers of dropout and augmentation. What the engine knows of a step,
layers learn from a context: `random_key`, `pixels` and `probing`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.image_shifts import flip, translate
from bakeoff.training.layers.kernels import (
    convolve,
    framed,
    hash_bits,
    max_pool,
    multiply,
    pads_of,
    sum_pool,
    tiled,
)

jnp = jax.numpy
Array = Any


def ours(data_format: str = "channels_last") -> bool:
    """Say whether our kernels serve; on a GPU Keras's own are faster."""
    return data_format == "channels_last" and bool(jax.default_backend() == "cpu")


class Conv2D(keras.layers.Conv2D):  # type: ignore[misc]
    """Keras's convolution with a derivative that compiles well.

    pool_first : pooling to be done before bias and activation, where that comes to the same
    """

    pool_first: Callable[[Array], Array] | None = None

    def call(self, inputs: Array) -> Array:
        """Convolve, perhaps pool, add and activate."""
        if self.pool_first is None:
            return super().call(inputs)
        values = self.pool_first(self.convolution_op(inputs, self.kernel))
        if self.bias is not None:
            values = values + self.bias
        return self.activation(values)

    def convolution_op(self, inputs: Array, kernel: Array) -> Array:
        """Convolve; groups, dilation and channels-first go Keras's own way."""
        plain = self.groups == 1 and set(self.dilation_rate) == {1}
        if not plain or not ours(self.data_format):
            return super().convolution_op(inputs, kernel)
        kernel = jnp.asarray(kernel.value if hasattr(kernel, "value") else kernel)
        pads = pads_of(inputs.shape[1:3], kernel.shape[:2], self.strides, self.padding)
        return convolve(inputs, kernel, tuple(self.strides), pads)


_pixels: ContextVar[tuple[Array, float] | None] = ContextVar("pixels", default=None)


@contextmanager
def pixels(images: Array, maximum: float) -> Iterator[None]:
    """Show the layers called inside what their inputs are made of: images divided by `maximum`."""
    token = _pixels.set((images, maximum) if images.dtype == np.uint8 else None)
    try:
        yield
    finally:
        _pixels.reset(token)


@dataclass(frozen=True)
class Probes:
    """What an update by a kernel needs to know of dense layers, by name.

    zeros : added to a layer's products, so that their slope is the products'
    inputs : what the layer multiplied
    """

    zeros: Mapping[str, Array]
    inputs: dict[str, Array] = field(default_factory=dict)


_probes: ContextVar[Probes | None] = ContextVar("probes", default=None)


@contextmanager
def probing(zeros: Mapping[str, Array]) -> Iterator[Probes]:
    """Let the dense layers called inside add the zeros, and say what they multiply."""
    probes = Probes(zeros)
    token = _probes.set(probes)
    try:
        yield probes
    finally:
        _probes.reset(token)


class Dense(keras.layers.Dense):  # type: ignore[misc]
    """Keras's dense layer with products that compile well, by tiles where there are some.

    on_pixels : whether its inputs are the images, flattened: bytes multiply in half the time
    """

    on_pixels = False

    def call(self, inputs: Array, training: bool | None = None) -> Array:
        """Multiply, add and activate; what is more than two matrices goes Keras's own way."""
        kernel = jnp.asarray(getattr(self.kernel, "value", self.kernel))
        if not (inputs.ndim == 2 and inputs.dtype == kernel.dtype == np.float32 and ours()):
            return super().call(inputs, training=training)
        shown = _pixels.get() if self.on_pixels and tiled(kernel) else None
        scale = 1.0
        if shown is not None:
            inputs, scale = shown[0].reshape(inputs.shape), 1 / shown[1]
        values = multiply(inputs, kernel)
        probes = _probes.get()
        if probes is not None and self.name in probes.zeros:
            values = values + probes.zeros[self.name]
            probes.inputs[self.name] = inputs
        values = values * scale
        if self.bias is not None:
            values = values + self.bias
        return values if self.activation is None else self.activation(values)


class MaxPooling2D(keras.layers.MaxPooling2D):  # type: ignore[misc]
    """Keras's max pooling as a maximum of strided slices.

    pooled : whether the layer before has pooled
    """

    pooled = False

    def call(self, inputs: Array) -> Array:
        """Pool; channels-first goes Keras's own way."""
        if self.pooled:
            return inputs
        if not ours(self.data_format):
            return super().call(inputs)
        return self.pool(inputs)

    def pool(self, inputs: Array) -> Array:
        """Return the largest pixel of every window."""
        window, strides = tuple(self.pool_size), tuple(self.strides)
        pads = pads_of(inputs.shape[1:3], window, strides, self.padding)
        return max_pool(framed(inputs, pads, -np.inf), window, strides)


class AveragePooling2D(keras.layers.AveragePooling2D):  # type: ignore[misc]
    """Keras's average pooling as a sum of strided slices; padding does not count."""

    def call(self, inputs: Array) -> Array:
        """Pool; channels-first goes Keras's own way."""
        if not ours(self.data_format):
            return super().call(inputs)
        window, strides = tuple(self.pool_size), tuple(self.strides)
        pads = pads_of(inputs.shape[1:3], window, strides, self.padding)
        ones = framed(np.ones((1, *inputs.shape[1:3], 1), np.float32), pads, 0)
        counts = sum_pool(ones, window, strides)
        return sum_pool(framed(inputs, pads, 0), window, strides) / counts


_random_key: ContextVar[Array] = ContextVar("random_key")


@contextmanager
def random_key(key: Array) -> Iterator[None]:
    """Give the random layers called inside the key that their draws follow from."""
    token = _random_key.set(key)
    try:
        yield
    finally:
        _random_key.reset(token)


class Dropout(keras.layers.Dropout):  # type: ignore[misc]
    """Keras's dropout with cheap masks; which mask depends only on `random_key` and `place`."""

    def __init__(self, rate: float, *, place: int = 0, **settings: Any) -> None:
        seed = settings.pop("seed", None) or 0  # Keras would draw one, and it is saved as a weight
        super().__init__(rate, seed=seed, **settings)
        self.place = place

    def call(self, inputs: Array, training: bool = False) -> Array:
        """Zero a share `rate` of the values and scale the others by 1/(1 - rate)."""
        if not training or self.rate == 0:
            return inputs
        key = jax.random.fold_in(_random_key.get(), self.place)
        threshold = min(round(self.rate * 2**32), 2**32 - 1)
        keep = hash_bits(key, inputs.shape) >= jnp.uint32(threshold)
        return jnp.where(keep, inputs / (1 - self.rate), 0)


class RandomFlip(keras.layers.RandomFlip):  # type: ignore[misc]
    """Keras's random flip; which images it turns over follows from `random_key` and `place`."""

    def __init__(self, mode: str, *, place: int = 0, **settings: Any) -> None:
        seed = settings.pop("seed", None) or 0
        super().__init__(mode, seed=seed, **settings)
        self.place = place

    def call(self, inputs: Array, training: bool = True) -> Array:
        """Turn each image over, or not, along each of the axes."""
        if not training:
            return inputs
        key = jax.random.fold_in(_random_key.get(), self.place)
        chosen = jax.random.bernoulli(key, shape=(2, inputs.shape[0]))
        for number, (direction, axis) in enumerate((("vertical", 1), ("horizontal", 2))):
            if direction in self.mode:
                inputs = flip(inputs, chosen[number], axis)
        return inputs


class RandomTranslation(keras.layers.RandomTranslation):  # type: ignore[misc]
    """Keras's random translation by two products; `random_key` and `place` say how far."""

    def __init__(
        self, height_factor: Any, width_factor: Any, *, place: int = 0, **settings: Any
    ) -> None:
        seed = settings.pop("seed", None) or 0
        super().__init__(height_factor, width_factor, seed=seed, **settings)
        self.place = place

    def call(self, inputs: Array, training: bool = True) -> Array:
        """Move each image by its own part of its height and width, drawn evenly."""
        if not training:
            return inputs
        key = jax.random.fold_in(_random_key.get(), self.place)
        batch, height, width, _ = inputs.shape
        size = np.array([height, width], np.float32)
        low = size * (self.height_lower, self.width_lower)
        high = size * (self.height_upper, self.width_upper)
        return translate(
            inputs,
            jax.random.uniform(key, (batch, 2), np.float32, low, high),
            fill_mode=self.fill_mode,
            interpolation=self.interpolation,
            fill_value=self.fill_value,
        )
