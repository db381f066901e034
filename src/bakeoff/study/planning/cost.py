"""What training costs, by arithmetic: seconds of one trial, and of many on some workers.

`plan` prints it, the schedule sorts by it, and the progress bar measures shares of work with it.
"""

import heapq
from collections.abc import Iterable, Sequence

import numpy as np

from bakeoff.data import DataSet
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.architecture import BACKBONE, Architecture
from bakeoff.recipe.vocabulary.backbones import BACKBONES

USUAL_RATE = 50e9  # operations a second of one core, where nobody has measured
# Fitted to docs/benchmarks.json and docs/benchmarks-zen5.json, whose cores multiply at 151e9 and
# 238e9. Matrix products run at the rate of a large one. All other work is counted in operations of
# such a product, too: a machine that is faster at products is faster at it.
_FORWARD_AND_BACKWARD = 3  # times the operations of predicting; 2 where no layer before it learns
_VALUE = 180  # of a feature map: memory, activations, pooling
_DRAWN = {"dropout": 50, "gaussian_noise": 800}  # that something random is done to
_PARAMETER = 160  # the optimizer
_STEP = 8e6
COMPILING = 600e9  # of each model, the first time
START = 750e9  # of a run
_FITTED = 3_000  # each weight and image of logistic regression: its iterations wait for memory
BACKBONE_SLOWER = 4.0  # than a large product: its depthwise convolutions wait for memory


def trial_seconds(
    model: ModelRecipe,
    architecture: Architecture,
    *,
    images: int,
    validation: int,
    rate: float = USUAL_RATE,
) -> float:
    """Return the seconds that one trial takes on a core beside others, compiling left out.

    Parameters
    ----------
    images, validation : of the training and the validation part
    rate : operations a second of one core
    """
    steps = -(-images // model.training.batch_size)
    epoch = steps * (_STEP + _PARAMETER * architecture.parameters)
    epoch += images * _image_operations(architecture)
    share = validation / images / _FORWARD_AND_BACKWARD
    return model.training.epochs * epoch * (1 + share) / rate


def feature_seconds(
    recipe: Recipe, images: int, rate: float, *, training: int | None = None
) -> float:
    """Return how long frozen backbones take for all images on one core, those that are kept too.

    training : of how many images changed versions are needed, too; None: of all
    """
    plain, changed = set(), set()
    for model in recipe.models.values():
        if (name := model.frozen_backbone) is not None:
            plain.add(name)
            changed |= {(name, each.identity) for each in model.image_changes}
    flops = images * sum(BACKBONES[name].flops for name in plain)
    flops += (images if training is None else training) * sum(
        BACKBONES[name].flops for name, _ in changed
    )
    return flops * BACKBONE_SLOWER / rate


def baseline_seconds(
    name: str, data: DataSet, images: int, *, fits: int = 1, rate: float = USUAL_RATE
) -> float:
    """Return how long one core takes to fit a baseline to so many images, `fits` times."""
    weights = float(np.prod(data.input_shape)) * data.n_classes if name == "logistic" else 0.0
    return fits * _FITTED * weights * images / rate


def makespan(lengths: Iterable[float], *, workers: int, busy: Sequence[float] = ()) -> float:
    """Return when the last job ends, if each goes to the first free worker, in this order.

    busy : how long the first workers are still at something else
    """
    heap = [*busy, *[0.0] * (workers - len(busy))]
    heapq.heapify(heap)
    for length in lengths:
        heapq.heapreplace(heap, heap[0] + length)
    return max(heap)


def _image_operations(architecture: Architecture) -> float:
    """Return what training on one image takes, in operations of a large product."""
    operations, values, drawn, learns = 0.0, 0.0, 0.0, False
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
        drawn += size * _DRAWN.get(layer.kind, 0)
    return operations + _VALUE * values + drawn
