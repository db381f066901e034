"""Predicts with a trained model: probabilities from weights, batch by batch, compiled once."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.recipe import Layer, ModelRecipe, Optimizer, Training
from bakeoff.recipe.learning_rate import Phase
from bakeoff.recipe.vocabulary.backbones import BACKBONES
from bakeoff.training.backbones.features import features
from bakeoff.training.backend import jax
from bakeoff.training.build_model import build
from bakeoff.training.layers.context import pixels
from bakeoff.training.stateless import stateless_predict, variables

jnp, lax = jax.numpy, jax.lax
Array = Any
PREDICTION_BATCH = 250
_SOME_RATE = Phase(kind="constant", start=0.001)
_SOME_OPTIMIZER = Optimizer(kind="sgd", learning_rate=(_SOME_RATE,))
_SOME_TRAINING = Training(epochs=1, batch_size=1, optimizer=_SOME_OPTIMIZER)


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
    key = program_key(model.model_copy(update={"training": _SOME_TRAINING}))  # serves all others
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


def program_key(model: ModelRecipe) -> str:
    """Return the key of a model's compiled programs: as JSON what of it they are compiled for.

    Its name is none of that, nor are learning rates and dropout rates, which they are given, nor
    is when training ends.
    """
    training, layers = model.training, model.layers
    options = training.options.model_copy(update={"patience": None})
    training = training.model_copy(update={"options": options})
    if model.backbone is None or model.backbone.learning_rate is None:
        optimizer = training.optimizer.model_copy(update={"learning_rate": (_SOME_RATE,)})
        training = training.model_copy(update={"optimizer": optimizer, "epochs": 1})
    if layers is not None:
        layers = tuple(map(_with_some_dropout, layers))
    update = {"name": "", "training": training, "layers": layers}
    return model.model_copy(update=update).model_dump_json()


def _with_some_dropout(layer: Layer) -> Layer:
    inner, arguments = tuple(map(_with_some_dropout, layer.layers)), layer.arguments
    if layer.kind == "dropout" and arguments["rate"] > 0:
        arguments = {**arguments, "rate": 0.5}
    return layer.model_copy(update={"arguments": arguments, "layers": inner})


def weight_names(network: Any) -> list[str]:
    """Return the names under which a model's weights are saved, trainable ones first."""
    own = variables(network)
    return [f"{index:03d}.{_uncounted(each.name)}" for index, each in enumerate(own)]


def in_order(weights: Mapping[str, NDArray[Any]], network: Any) -> list[NDArray[Any]]:
    """Return saved weights as a model has them, trainable ones first.

    Raises ValueError if they are not this model's.
    """
    own_shapes = [tuple(each.shape) for each in variables(network)]
    shapes = dict(zip(weight_names(network), own_shapes, strict=True))
    saved = {_uncounted(name): value for name, value in weights.items()}
    if {name: value.shape for name, value in saved.items()} != shapes:
        raise ValueError("these weights are of another model")
    return [saved[name] for name in shapes]


def _uncounted(name: str) -> str:
    """Return a name without numbers: Keras counts the layers and variables of a process.

    Layers of the user's own call weights after themselves, or give them no name.
    """
    return re.sub(r"_\d+", "", name)
