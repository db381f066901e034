"""Predicts with a trained model: probabilities from weights, batch by batch, compiled once."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.recipe import ModelRecipe
from bakeoff.recipe.vocabulary.backbones import BACKBONES
from bakeoff.training.backbones.features import features
from bakeoff.training.backend import jax
from bakeoff.training.build_model import build
from bakeoff.training.layers.context import pixels
from bakeoff.training.program_key import prediction_key
from bakeoff.training.saved_weights import in_order
from bakeoff.training.stateless import stateless_predict

jnp, lax = jax.numpy, jax.lax
Array = Any
PREDICTION_BATCH = 250


def predict(
    model: ModelRecipe,
    weights: Mapping[str, NDArray[Any]],
    images: NDArray[Any],
    *,
    maximum: float,
    n_classes: int,
) -> NDArray[np.float32]:
    """Return the probabilities a trained model gives, float32, shape (n_images, n_classes).

    Raises ValueError if the weights are not this model's, DataError if those of its backbone are
    not here.
    """
    return ready(model, weights, images.shape[1:], maximum=maximum, n_classes=n_classes)(images)


def ready(
    model: ModelRecipe,
    weights: Mapping[str, NDArray[Any]],
    shape: tuple[int, ...],
    *,
    maximum: float,
    n_classes: int,
    extract: Callable[..., NDArray[np.float32]] = features,
) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """Return what predicts images of this shape, as `predict` does, with the weights in place.

    extract : what computes a backbone's features: `features`, or what remembers none
    """
    inputs: Callable[[NDArray[Any]], NDArray[Any]] = np.asarray
    if (name := model.frozen_backbone) is not None:
        inputs = partial(extract, name, maximum=maximum)
        shape, maximum = (1, 1, BACKBONES[name].features), 1.0
    height, width, channels = shape
    key = prediction_key(model)
    network, run = _predictor(key, (height, width, channels), n_classes)
    values = [jnp.asarray(each) for each in in_order(weights, network)]
    n_trainable = len(network.trainable_variables)
    trainable, other = values[:n_trainable], values[n_trainable:]
    return lambda images: np.asarray(run(trainable, other, jnp.asarray(inputs(images)), maximum))


@lru_cache(maxsize=2)
def _predictor(model_json: str, input_shape: tuple[int, int, int], n_classes: int) -> Any:
    recipe = ModelRecipe.model_validate_json(model_json)
    network = build(recipe, input_shape, n_classes, seed=0)
    return network, jax.jit(partial(predict_in_batches, network), static_argnums=3)


def predict_in_batches(
    model: Any, trainable: Any, other: Any, images: Array, maximum: float
) -> Array:
    """Return probabilities; batch by batch, so memory does not grow with the images."""

    def predict(batch: Array) -> Array:
        inputs = batch.astype(jnp.float32) / maximum
        with pixels(batch, maximum):
            return stateless_predict(model, trainable, other, inputs)

    whole = len(images) // PREDICTION_BATCH
    end = whole * PREDICTION_BATCH
    parts = []
    if whole:
        batches = images[:end].reshape(whole, PREDICTION_BATCH, *images.shape[1:])
        predicted = lax.map(predict, batches)
        parts.append(predicted.reshape(end, predicted.shape[-1]))
    if end < len(images):
        parts.append(predict(images[end:]))
    return jnp.concatenate(parts)
