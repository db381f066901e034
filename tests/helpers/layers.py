"""A layer beside another that must equal it, in value and in gradient; each as one program.

Called by itself, JAX compiles a layer operation by operation: most of a small test's time.
"""

import re
from typing import Any

import numpy as np

from bakeoff.training.backend import jax, keras

_EXPECTED: dict[str, list[Any]] = {}


def called(layer: Any, inputs: Any, **arguments: Any) -> Any:
    """Return what a layer or a network makes of its inputs, as arrays of JAX."""
    kinds = layer.trainable_variables, layer.non_trainable_variables
    state = [[variable.value for variable in kind] for kind in kinds]

    def call(trainable: Any, other: Any, inputs: Any) -> Any:
        return layer.stateless_call(trainable, other, inputs, **arguments)[0]

    return jax.jit(call)(*state, inputs)


def gradients(layer: Any, images: Any, **arguments: Any) -> Any:
    """Return output, new state, and gradients of images and weights for a fixed cotangent."""
    kinds = layer.trainable_variables, layer.non_trainable_variables
    weights, state = ([variable.value for variable in kind] for kind in kinds)

    def run(images: Any, weights: Any, state: Any) -> Any:
        def call(images: Any, weights: Any) -> Any:
            return layer.stateless_call(weights, state, images, **arguments)

        output, back, after = jax.vjp(call, images, weights, has_aux=True)
        pull = np.random.default_rng(5).standard_normal(output.shape, np.float32)
        return output, after, back(pull)

    return jax.jit(run)(images, weights, state)


def agree(ours: Any, theirs: Any, images: Any, *, atol: float = 2e-5, **arguments: Any) -> None:
    """Assert that two layers have the same output and gradients, with the same weights."""
    for each in (ours, theirs):
        if not each.built:
            each.build(images.shape)
    ours.set_weights(theirs.get_weights())
    expected = _expected(theirs, images, **arguments)
    found = jax.tree.leaves(gradients(ours, images, **arguments))
    for each, other in zip(found, expected, strict=True):
        assert each.shape == other.shape
        scale = max(float(np.abs(other).max(initial=0)), 1)  # JAX would compile two programs
        np.testing.assert_allclose(each, other, atol=atol * scale, rtol=1e-4)


def _expected(theirs: Any, images: Any, **arguments: Any) -> list[Any]:
    """Return what Keras's layer gives: once for the plain kernels and the native ones."""
    config = re.sub(r"_\d+'", "'", repr(keras.saving.serialize_keras_object(theirs)))  # of names
    state = [(each.shape, each.tobytes()) for each in (images, *theirs.get_weights())]
    key = repr((config, arguments, state))
    if key not in _EXPECTED:
        _EXPECTED[key] = jax.tree.leaves(gradients(theirs, images, **arguments))
    return _EXPECTED[key]
