"""Initial weights that NumPy draws, where a test does not ask how Keras does.

JAX compiles up to three programs for each shape: a third of what a layer's test compiles.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Draw = Callable[..., NDArray[np.float64]]


def _uniform(rng: np.random.Generator, shape: Any, minval: float, maxval: float) -> Any:
    return rng.uniform(minval, maxval, shape)


def _normal(rng: np.random.Generator, shape: Any, mean: float, stddev: float) -> Any:
    return rng.normal(mean, stddev, shape)


def _truncated(rng: np.random.Generator, shape: Any, mean: float, stddev: float) -> Any:
    return np.clip(rng.normal(mean, stddev, shape), mean - 2 * stddev, mean + 2 * stddev)


def draw_by_numpy(replace: Callable[[Any, str, Any], None]) -> None:
    """Let Keras's initializers draw so; `replace` sets an attribute of an object.

    Only what is drawn with a number as its seed: dropout and the like have generators of seeds.
    """
    import jax
    from keras.src.backend import random as drawn_by_keras

    def replaced(own: Any, draw: Draw) -> Any:
        def drawn(shape: Any, *, dtype: Any = None, seed: Any = None, **between: Any) -> Any:
            if not isinstance(seed, int):
                return own(shape, dtype=dtype, seed=seed, **between)
            values = draw(np.random.default_rng(seed), shape, **between)
            return jax.device_put(values.astype(dtype or "float32"))

        return drawn

    draws = {"uniform": _uniform, "normal": _normal, "truncated_normal": _truncated}
    for name, draw in draws.items():
        replace(drawn_by_keras, name, replaced(getattr(drawn_by_keras, name), draw))
