"""Keras's Gaussian noise, drawn like dropout's masks: by a hash of a counter."""

from typing import Any

import numpy as np

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.context import layer_key
from bakeoff.training.layers.dropout import hash_bits

jnp, lax = jax.numpy, jax.lax
Array = Any


class GaussianNoise(keras.layers.GaussianNoise):  # type: ignore[misc]
    """Keras's Gaussian noise; what is drawn depends on the step's random key and on the index.

    index : tells the random layers of one model apart
    """

    def __init__(self, stddev: float, *, index: int = 0, **settings: Any) -> None:
        seed = settings.pop("seed", None) or 0  # Keras would draw one, and it is saved as a weight
        super().__init__(stddev, seed=seed, **settings)
        self.index = index

    def call(self, inputs: Array, training: bool = False) -> Array:
        """Add noise with mean 0 and standard deviation `stddev` to every value."""
        if not training or self.stddev == 0:
            return inputs
        noise = normals(layer_key(self.index), inputs.shape)
        return inputs + np.float32(self.stddev) * noise


def normals(key: Array, shape: tuple[int, ...]) -> Array:
    """Return standard normal float32 values of a shape: the inverse of their distribution.

    It is taken at the middle of one of 2²³ equal parts of [0, 1], so that none exceeds 5.3.
    """
    part = (hash_bits(key, shape) >> 9).astype(np.float32)
    return np.float32(2**0.5) * lax.erf_inv((part + np.float32(0.5)) * np.float32(2**-22) - 1)
