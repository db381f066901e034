"""What training costs, by arithmetic: seconds of one trial, and of many on some workers.

`plan` prints it, the schedule sorts by it, and the progress bar measures shares of work with it.
"""

import heapq
from collections.abc import Iterable, Sequence

import numpy as np

from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.architecture import BACKBONE, Architecture
from bakeoff.recipe.vocabulary.backbones import BACKBONES

USUAL_RATE = 50e9  # operations a second of one core, where nobody has measured
# Fitted to the milliseconds a step in docs/log.md: products run at the rate of a large one; beside
# them stand a time for each value of a feature map, for each parameter, and for each batch.
_FORWARD_AND_BACKWARD = 3  # times the operations of predicting; 2 where no layer before it learns
_VALUE_SECONDS = 3e-9  # memory, activations, pooling
_DROPOUT_SECONDS = 2e-9  # for a value that may be dropped
_PARAMETER_SECONDS = 0.8e-9  # the optimizer
_STEP_SECONDS = 35e-6
BACKBONE_SLOWER = 4.0  # than a large product: its depthwise convolutions wait for memory
_BUSY = 1.3  # times slower where every core trains: memory is shared


def trial_seconds(
    model: ModelRecipe,
    architecture: Architecture,
    *,
    images: int,
    validation: int,
    rate: float = USUAL_RATE,
    busy: bool = True,
) -> float:
    """Return the seconds that one trial takes on one core, compiling left out.

    Parameters
    ----------
    images, validation : of the training and the validation part
    rate : operations a second of one core
    busy : whether other trials train beside it
    """
    steps = -(-images // model.training.batch_size)
    epoch = steps * (_STEP_SECONDS + _PARAMETER_SECONDS * architecture.parameters)
    epoch += images * _image_seconds(architecture, rate)
    share = validation / images / _FORWARD_AND_BACKWARD
    return model.training.epochs * epoch * (1 + share) * (_BUSY if busy else 1.0)


def feature_seconds(recipe: Recipe, images: int, rate: float) -> float:
    """Return how long frozen backbones take for all images on one core, those that are kept too."""
    passes: dict[str, int] = {}
    for model in recipe.models.values():
        if (name := model.frozen_backbone) is not None:
            passes[name] = max(passes.get(name, 1), 1 + len(model.image_changes))
    flops = sum(count * BACKBONES[name].flops for name, count in passes.items())
    return images * flops * BACKBONE_SLOWER / rate


def makespan(lengths: Iterable[float], *, workers: int, busy: Sequence[float] = ()) -> float:
    """Return when the last job ends, if each goes to the first free worker, in this order.

    busy : how long the first workers are still at something else
    """
    heap = [*busy, *[0.0] * (workers - len(busy))]
    heapq.heapify(heap)
    for length in lengths:
        heapq.heapreplace(heap, heap[0] + length)
    return max(heap)


def _image_seconds(architecture: Architecture, rate: float) -> float:
    """Return the seconds that training on one image takes."""
    operations, values, dropped, learns = 0.0, 0.0, 0.0, False
    frozen = architecture.flops_per_image - architecture.trained_flops
    for layer in architecture.layers:
        if layer.kind == BACKBONE:  # a frozen one's features are computed once, before any trial
            learns = layer.trainable_parameters > 0
            trained = layer.flops - frozen if learns else 0
            operations += BACKBONE_SLOWER * (
                architecture.passed_flops + _FORWARD_AND_BACKWARD * trained
            )
            continue
        operations += layer.flops * (_FORWARD_AND_BACKWARD if learns else 2)
        learns = learns or layer.trainable_parameters > 0
        size = float(np.prod(layer.output_shape))
        values += size if len(layer.output_shape) > 1 and layer.kind != "scale" else 0.0
        dropped += size if layer.kind == "dropout" else 0.0
    return operations / rate + _VALUE_SECONDS * values + _DROPOUT_SECONDS * dropped
