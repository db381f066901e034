"""A layer beside another that must equal it, in value and in gradient."""

from typing import Any

import numpy as np

from bakeoff.training.backend import jax

jnp = jax.numpy


def gradients(layer: Any, images: Any) -> Any:
    """Return a layer's output, and the gradients of images and weights for a fixed cotangent."""
    weights = [variable.value for variable in layer.trainable_variables]

    def run(images: Any, weights: Any) -> Any:
        def call(images: Any, weights: Any) -> Any:
            return layer.stateless_call(weights, [], images)[0]

        output, back = jax.vjp(call, images, weights)
        pull = np.random.default_rng(5).standard_normal(output.shape, np.float32)
        return output, back(pull)

    return jax.jit(run)(images, weights)


def agree(ours: Any, theirs: Any, images: Any, *, atol: float = 2e-5) -> None:
    """Assert that two layers have the same output and gradients, with the same weights."""
    for each in (ours, theirs):
        if not each.built:
            each.build(images.shape)
    ours.set_weights(theirs.get_weights())
    expected = jax.tree.leaves(gradients(theirs, images))
    found = jax.tree.leaves(gradients(ours, images))
    for each, other in zip(found, expected, strict=True):
        assert each.shape == other.shape
        scale = max(float(jnp.abs(other).max(initial=0)), 1)
        np.testing.assert_allclose(each, other, atol=atol * scale, rtol=1e-4)
