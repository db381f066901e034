"""What training minimises: the mean cross-entropy of mixed, smoothed and weighted labels.

Scores are another matter: validation and test losses are plain cross-entropies.
"""

from collections.abc import Sequence
from typing import Any

from bakeoff.recipe.vocabulary.training import BALANCED, TrainingOptions
from bakeoff.training.backend import jax, keras

jnp = jax.numpy
Array = Any
_MIXING = 2**30  # the index under which the step's key gives its draws; layers count from 0


def cross_entropy(labels: Array, probabilities: Array) -> Array:
    """Return the cross-entropy of each image, shape (n,)."""
    return keras.losses.sparse_categorical_crossentropy(labels, probabilities)


def mixed(images: Array, labels: Array, key: Array, *, alpha: float, n_classes: int) -> Any:
    """Return images, each mixed with another of its batch, and labels likewise, (n, n_classes).

    The shares are drawn from a beta distribution with both parameters `alpha` (Zhang et al. 2018),
    one for each image, as in Keras's MixUp.
    """
    order_key, share_key = jax.random.split(jax.random.fold_in(key, _MIXING))
    order = jax.random.permutation(order_key, len(labels))
    shares = jax.random.beta(share_key, alpha, alpha, (len(labels),), jnp.float32)
    targets = jax.nn.one_hot(labels, n_classes)
    return blend(images, order, shares), blend(targets, order, shares)


def blend(values: Array, order: Array, shares: Array) -> Array:
    """Return shares · values + (1 − shares) · values in another order, image by image."""
    values = jnp.asarray(values)
    each = shares.reshape(-1, *[1] * (values.ndim - 1))
    return each * values + (1 - each) * values[order]


def hard(labels: Array) -> Array:
    """Return the class with the largest share in each mixed label; integer labels as they are."""
    return labels if labels.ndim == 1 else jnp.argmax(labels, axis=-1)


def training_loss(
    options: TrainingOptions, labels: Array, probabilities: Array, weights: Array | None
) -> Array:
    """Return the mean loss of a batch.

    labels : integers, (n,), or mixed ones, (n, n_classes)
    weights : of the classes; None where all weigh 1; the sum is divided by n, as in Keras
    """
    if options.label_smoothing or labels.ndim > 1:
        targets = labels if labels.ndim > 1 else jax.nn.one_hot(labels, probabilities.shape[-1])
        losses = keras.losses.categorical_crossentropy(
            targets, probabilities, label_smoothing=options.label_smoothing
        )
    else:
        losses = cross_entropy(labels, probabilities)
    return jnp.mean(losses if weights is None else losses * weights[hard(labels)])


def class_weights(
    options: TrainingOptions, given: Sequence[float] | None, labels: Array, n_classes: int
) -> Array | None:
    """Return the weight of each class, (n_classes,); None where all weigh 1.

    Balanced are n / (classes · images of the class), as in scikit-learn.

    given : weights by class
    labels : of all training images
    """
    if options.class_weight != BALANCED:
        return None if given is None else jnp.asarray(given, jnp.float32)
    counts = jnp.bincount(labels, length=n_classes)
    present = jnp.sum(counts > 0)
    return len(labels) / (present * jnp.maximum(counts, 1)).astype(jnp.float32)
