"""The regularization losses of a model on the validation images, as Keras's `evaluate` has them."""

from typing import Any

from bakeoff.training.backend import jax
from bakeoff.training.stateless import training_argument

jnp, lax = jax.numpy, jax.lax
Array = Any


def regularization_loss(
    model: Any, trainable: Any, other: Any, images: Array, *, maximum: float, batch: int
) -> Array:
    """Return the sum of a model's regularization losses, float32, a scalar.

    Those of weights are computed once. Where activities are regularized too, the loss is the mean
    over batches of `batch` images, each weighted by its images, as Keras reports it.
    """
    judging = training_argument(model, training=False)

    def loss(images: Array) -> Array:
        inputs = images.astype(jnp.float32) / maximum
        _, _, losses = model.stateless_call(trainable, other, inputs, return_losses=True, **judging)
        return jnp.asarray(sum(losses), jnp.float32)

    if not _depends_on_input(loss, images[:1]):
        return loss(images[:1])
    whole = len(images) // batch
    batches = images[: whole * batch].reshape(whole, batch, *images.shape[1:])
    total = jnp.sum(lax.map(loss, batches)) * batch if whole else jnp.zeros((), jnp.float32)
    if whole * batch < len(images):
        total = total + loss(images[whole * batch :]) * (len(images) - whole * batch)
    return total / len(images)


def _depends_on_input(function: Any, value: Array) -> bool:
    """Say whether any operation leads from the argument of a function to its result."""
    jaxpr = jax.make_jaxpr(function)(value).jaxpr
    reached = {id(each) for each in jaxpr.invars}
    for equation in jaxpr.eqns:
        if any(id(each) in reached for each in equation.invars):
            reached.update(map(id, equation.outvars))
    return any(id(each) in reached for each in jaxpr.outvars)
