"""Keras's dropout with masks that are cheap to draw: a hash of a counter instead of JAX's bits."""

from typing import Any

import numpy as np

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.context import dropped, layer_key
from bakeoff.training.layers.graph import all_layers

jnp, lax = jax.numpy, jax.lax
Array = Any


class Dropout(keras.layers.Dropout):  # type: ignore[misc]
    """Keras's dropout; the mask depends on the step's random key, the layer's index and its rate.

    A compiled program is given the rate, so that it serves models that differ in it.

    index : tells the random layers of one model apart
    """

    def __init__(self, rate: float, *, index: int = 0, **settings: Any) -> None:
        seed = settings.pop("seed", None) or 0  # Keras would draw one, and it is saved as a weight
        super().__init__(rate, seed=seed, **settings)
        self.index = index
        self.position: int | None = None  # among the dropout layers of its model

    @property
    def share(self) -> tuple[np.uint32, np.float32]:
        """What its rate comes to: from which hash on values are kept, and their factor then."""
        with np.errstate(divide="ignore"):  # a rate of 1 keeps nothing
            factor = np.float32(1) / np.float32(1 - self.rate)
        return np.uint32(min(round(self.rate * 2**32), 2**32 - 1)), factor

    def call(self, inputs: Array, training: bool = False) -> Array:
        """Zero a share `rate` of the values and scale the others by 1/(1 - rate)."""
        if not training or self.rate == 0:
            return inputs
        threshold, factor = dropped(self.position) or self.share
        kept = self.noise_shape or inputs.shape  # 1 where values share their fate
        shape = tuple(n if m is None else m for n, m in zip(inputs.shape, kept, strict=True))
        keep = hash_bits(layer_key(self.index), shape) >= threshold
        return jnp.where(keep, inputs * factor, 0)


def dropouts(model: Any) -> list[Dropout]:
    """Return the layers of a model that drop something, each told its position among them."""
    found = [each for each in all_layers(model) if isinstance(each, Dropout) and each.rate > 0]
    for position, layer in enumerate(found):
        layer.position = position
    return found


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
