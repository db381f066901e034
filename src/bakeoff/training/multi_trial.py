"""Several trials of one model in one program, for a GPU, which one trial alone leaves idle.

The vmapped program has a fixed width; unused lanes repeat the first trial. So a trial's result does
not depend on the other trials, on its lane, or on how many are left.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from bakeoff.errors import RecipeError
from bakeoff.recipe import ModelRecipe
from bakeoff.recipe.architecture import Architecture, describe, training_bytes
from bakeoff.recipe.vocabulary.layer import Shape
from bakeoff.training.backend import jax
from bakeoff.training.epoch_program import Program
from bakeoff.training.layers.context import lanes as lanes_traced
from bakeoff.training.predict import PREDICTION_BATCH
from bakeoff.training.trainer import Development, Trainer
from bakeoff.utils.events import EpochResult

jnp = jax.numpy
_SHARE = 0.5  # of the device's free memory that the estimates of all lanes may take
_BUILDER_BYTES = 500_000_000  # of a trial of a Python builder, of which nothing is known


def resident(data: Development) -> Development:
    """Return the data with its images on the device, where all trainers share them."""
    return replace(
        data,
        train_images=jax.device_put(data.train_images),
        validation_images=jax.device_put(data.validation_images),
    )


def fitting(model: ModelRecipe, data: Development, lanes: int) -> int:
    """Return `lanes`, halved until they fit into what memory the device says it has free."""
    stats = jax.local_devices()[0].memory_stats()  # None on a CPU
    if not stats or "bytes_limit" not in stats:
        return lanes
    free = _SHARE * (stats["bytes_limit"] - stats["bytes_in_use"])
    try:
        architecture = describe(model, data.input_shape, data.n_classes)
        one = training_bytes(model, architecture, images=len(data.train_labels))
        one += _patch_bytes(architecture, data.input_shape, model.training.batch_size)
    except RecipeError:
        one = _BUILDER_BYTES
    while lanes > 1 and lanes * one > free:
        lanes //= 2
    return lanes


def _patch_bytes(architecture: Architecture, shape: Shape, batch: int) -> int:
    """Return what the patches of the largest convolution take of a trial, or their gradients too.

    `layers.patches` makes them anew for each convolution, so others' need no memory meanwhile.
    """
    most, before = 0, shape
    for layer in architecture.layers:
        if layer.kind == "conv2d":
            window = math.prod(layer.arguments["kernel_size"])
            most = max(most, math.prod(layer.output_shape[:-1]) * window * before[-1])
        before = layer.output_shape
    return 4 * most * max(2 * batch, PREDICTION_BATCH)


@lru_cache(maxsize=2)
def _programs(program: Program) -> tuple[Any, Any]:
    """Return a model's epoch and evaluation for many trials; the images are all the same."""

    def train(
        states: Any,
        images: Any,
        labels: Any,
        orders: Any,
        keys: Any,
        epochs: Any,
        rates: Any,
        dropped: Any,
    ) -> Any:
        with lanes_traced():
            folded = jax.vmap(jax.random.fold_in)(jnp.stack(keys), epochs)
            run = jax.vmap(program.plain_epoch, in_axes=(0, None, None, 0, 0, 0, None))
            return run(states, images, labels, orders, folded, rates, dropped)

    def evaluate(trainable: Any, other: Any, images: Any, labels: Any) -> Any:
        with lanes_traced():
            run = jax.vmap(program.evaluate, in_axes=(0, 0, None, None))
            return run(trainable, other, images, labels)

    return jax.jit(train), jax.jit(evaluate)


@partial(jax.jit)
def _stacked(states: Any) -> Any:
    """Return the states of all lanes as one; compiled, or each array would cost a call."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)


@partial(jax.jit)
def _rows(stacked: Any) -> Any:
    """Return the states of the lanes one by one; compiled likewise."""
    lanes = len(jax.tree.leaves(stacked)[0])
    return [jax.tree.map(lambda leaf, lane=lane: leaf[lane], stacked) for lane in range(lanes)]


def epoch(trainers: Sequence[Trainer], *, lanes: int) -> list[EpochResult]:
    """Train one epoch of each trainer, at whatever epoch it is; keep and return the results.

    trainers : trials of one model on the same data, none of them done, at most `lanes`
    """
    first = trainers[0]
    train, evaluate = _programs(first.program)
    everyone = [*trainers, *[first] * (lanes - len(trainers))]
    orders, keys, epochs, rates = zip(*_draws(trainers, lanes), strict=True)
    states, losses, accuracies = train(
        _stacked([each.state for each in everyone]),
        first.images,
        first.labels,
        np.stack(orders),
        keys,
        np.array(epochs, np.uint32),
        np.stack(rates),
        first.dropped,
    )
    rows = _rows(states)
    for each in trainers:
        each.draw_ahead()
    scores: list[Any] = [None] * lanes
    if len(first.validation):
        found = evaluate(*first.program.scored(states), first.validation, first.validation_labels)
        scores = list(zip(*map(np.asarray, found), strict=True))
    losses, accuracies = np.asarray(losses), np.asarray(accuracies)
    return [
        each.take(
            state,
            float(losses[lane]),
            float(accuracies[lane]),
            scores[lane] if np.isfinite(losses[lane]) else None,
        )
        for lane, (each, state) in enumerate(zip(trainers, rows, strict=False))
    ]


def _draws(trainers: Sequence[Trainer], lanes: int) -> list[Any]:
    found = [each.draws_to_fold() for each in trainers]
    return found + found[:1] * (lanes - len(found))
