"""Keras's batch normalization in training, in two passes over the values instead of many.

Where the native library is loaded, it normalizes by the batch's mean and variance, applies the
activation that follows, and computes the gradients of both from the values that came in.

Values are float32, channels last.
"""

from functools import partial
from typing import Any

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.context import ours
from bakeoff.training.native import ops

jnp, lax = jax.numpy, jax.lax
Array = Any


class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Keras's batch normalization.

    then : name of an activation to be applied to the result, that of the layer after it
    """

    then: ops.Applied = "linear"

    def call(self, inputs: Array, training: bool | None = None, mask: Array = None) -> Array:
        """Normalize and activate; renormalization, masks and other axes go Keras's own way."""
        last = self.axis in (-1, len(inputs.shape) - 1)
        plain = last and mask is None and not self.renorm
        learns = training and self.trainable
        if not (learns and plain and ours() and ops.usable(inputs)):
            values = super().call(inputs, training=training, mask=mask)
            return getattr(keras.activations, self.then)(values)
        channels = inputs.shape[-1:]
        gamma = jnp.asarray(self.gamma) if self.scale else jnp.ones(channels)
        beta = jnp.asarray(self.beta) if self.center else jnp.zeros(channels)
        values, mean, variance = normalize(inputs, gamma, beta, self.epsilon, self.then)
        rate = 1.0 - self.momentum
        self.moving_mean.assign(self.moving_mean * self.momentum + mean * rate)
        self.moving_variance.assign(self.moving_variance * self.momentum + variance * rate)
        return values


@partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def normalize(
    values: Array, gamma: Array, beta: Array, epsilon: float, then: ops.Applied
) -> tuple[Array, Array, Array]:
    """Return the activated result, and the batch's mean and variance, which have no gradients."""
    return ops.normalized(values, gamma, beta, epsilon=epsilon, activation=then)


def _forward(
    values: Array, gamma: Array, beta: Array, epsilon: float, then: ops.Applied
) -> tuple[tuple[Array, Array, Array], tuple[Array, ...]]:
    found = normalize(values, gamma, beta, epsilon, then)
    return found, (values, gamma, beta, *found[1:])


def _backward(
    epsilon: float, then: ops.Applied, saved: tuple[Array, ...], gradients: tuple[Array, ...]
) -> tuple[Array, Array, Array]:
    values, *channels = saved
    return ops.normalization_gradients(
        values, gradients[0], channels, epsilon=epsilon, activation=then
    )


normalize.defvjp(_forward, _backward)
