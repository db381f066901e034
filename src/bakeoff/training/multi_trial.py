"""Several trials of one model in one program: what a GPU is given, which one trial leaves idle.

The vmapped program has a fixed width; unused lanes repeat the first trial. So a trial's result does
not depend on the other trials, on its lane, or on how many are left.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from bakeoff.errors import RecipeError
from bakeoff.recipe import ModelRecipe
from bakeoff.recipe.architecture import describe, training_bytes
from bakeoff.training.backend import jax
from bakeoff.training.trainer import Development, Program, Trainer
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
    except RecipeError:
        one = _BUILDER_BYTES
    while lanes > 1 and lanes * one > free:
        lanes //= 2
    return lanes


@lru_cache(maxsize=2)
def _lanes(program: Program) -> tuple[Any, Any]:
    """Return a model's epoch and evaluation for many trials; the images are all the same."""
    return (
        jax.jit(jax.vmap(program.plain_epoch, in_axes=(0, None, None, 0, 0, 0))),
        jax.jit(jax.vmap(program.evaluate, in_axes=(0, 0, None, None))),
    )


def epoch(trainers: Sequence[Trainer], *, lanes: int) -> list[EpochResult]:
    """Train one epoch of each trainer, at whatever epoch it is; keep and return the results.

    trainers : trials of one model on the same data, none of them done, at most `lanes`
    """
    first = trainers[0]
    train, evaluate = _lanes(first.program)
    everyone = [*trainers, *[first] * (lanes - len(trainers))]
    states = jax.tree.map(lambda *leaves: jnp.stack(leaves), *[each.state for each in everyone])
    orders, keys, rates = zip(*[each.draws() for each in everyone], strict=True)
    states, losses, accuracies = train(
        states, first.images, first.labels, np.stack(orders), jnp.stack(keys), np.stack(rates)
    )
    scores: Any = [None] * lanes
    if len(first.validation):
        found = evaluate(*first.program.scored(states), first.validation, first.validation_labels)
        scores = list(_rows([np.asarray(each) for each in found], lanes))
    losses, accuracies = np.asarray(losses), np.asarray(accuracies)
    return [
        each.take(
            state,
            float(losses[lane]),
            float(accuracies[lane]),
            scores[lane] if np.isfinite(losses[lane]) else None,
        )
        for lane, (each, state) in enumerate(zip(trainers, _rows(states, lanes), strict=False))
    ]


def _rows(stacked: Any, lanes: int) -> Iterator[Any]:
    for lane in range(lanes):
        yield jax.tree.map(lambda leaf, lane=lane: leaf[lane], stacked)
