"""Initial weights, drawn by NumPy from the distributions of Keras's initializers.

Keras on JAX compiles a program for every shape it draws, about half a second each on a CPU. A draw
here takes a millisecond, and is the same on every platform and device.
"""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from bakeoff.training.backend import keras

_TRUNCATED_AT = 2.0  # standard deviations
_lock = threading.RLock()  # of Keras's classes, while they are changed
_LEFT_BY_TRUNCATION = 0.87962566103423978  # of the standard deviation; Keras divides by it too


class Drawn(keras.initializers.Initializer):  # type: ignore[misc]
    """The Keras initializer called `name`, drawn from `seed`."""

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.seed = name, seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Return an array of `shape`, float32."""
        return draw(self.name, tuple(shape), seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, as Keras wants them."""
        return {"name": self.name, "seed": self.seed}


def draw(name: str, shape: tuple[int, ...], *, seed: int) -> NDArray[np.float32]:
    """Return weights drawn as the Keras initializer called `name` draws them.

    Raises
    ------
    ValueError
        If Keras has no initializer of that name, or one that is not drawn at random.
    """
    plain = keras.initializers.get(name)
    generator = np.random.default_rng(seed)
    if isinstance(plain, keras.initializers.VarianceScaling):
        return _scaled(plain, shape, generator)
    if isinstance(plain, keras.initializers.RandomUniform):
        return generator.uniform(plain.minval, plain.maxval, shape).astype(np.float32)
    if isinstance(plain, keras.initializers.TruncatedNormal):
        return _truncated(generator, shape, plain.mean, plain.stddev)
    if isinstance(plain, keras.initializers.RandomNormal):
        return generator.normal(plain.mean, plain.stddev, shape).astype(np.float32)
    raise ValueError(f"expected an initializer that draws at random, found {name}")


def _scaled(
    plain: Any, shape: tuple[int, ...], generator: np.random.Generator
) -> NDArray[np.float32]:
    """Draw with a variance of scale/fan: He et al. (2015), Glorot and Bengio (2010)."""
    inputs, outputs = _fans(shape)
    fan = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[plain.mode]
    variance = plain.scale / max(1.0, fan)
    if plain.distribution == "uniform":
        limit = math.sqrt(3 * variance)
        return generator.uniform(-limit, limit, shape).astype(np.float32)
    if plain.distribution == "truncated_normal":
        return _truncated(generator, shape, 0.0, math.sqrt(variance) / _LEFT_BY_TRUNCATION)
    return generator.normal(0.0, math.sqrt(variance), shape).astype(np.float32)


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """Return how many inputs a unit has, and how many units an input reaches."""
    if len(shape) < 2:
        return float(math.prod(shape)), float(math.prod(shape))
    window = math.prod(shape[:-2])
    return float(window * shape[-2]), float(window * shape[-1])


def _truncated(
    generator: np.random.Generator, shape: tuple[int, ...], mean: float, deviation: float
) -> NDArray[np.float32]:
    low, high = ndtr(-_TRUNCATED_AT), ndtr(_TRUNCATED_AT)
    normal = ndtri(generator.uniform(low, high, shape))
    return np.asarray(mean + deviation * normal, np.float32)


@contextmanager
def weights_set_later() -> Iterator[None]:
    """Let layers that this thread builds draw no weights: zeros stand there until they are set.

    Keras's own would be a third of the time that a pretrained network takes to build. What Keras
    begins with ones, such as the variances of batch normalization, has them here, too.
    """
    known = keras.initializers
    random = (known.VarianceScaling, known.RandomUniform, known.RandomNormal, known.TruncatedNormal)
    values = {**dict.fromkeys((*random, known.Zeros), 0), known.Ones: 1}
    with _lock:
        plain = {kind: kind.__call__ for kind in values}
        try:
            for kind, value in values.items():
                kind.__call__ = _filled(value, plain[kind])
            yield
        finally:
            for kind in values:
                kind.__call__ = plain[kind]


def _filled(value: float, plain: Callable[..., Any]) -> Callable[..., Any]:
    builder = threading.get_ident()

    def call(self: Any, shape: tuple[int, ...], dtype: Any = None, **settings: Any) -> Any:
        if threading.get_ident() != builder:
            return plain(self, shape, dtype, **settings)
        return np.full(shape, value, dtype or np.float32)

    return call
