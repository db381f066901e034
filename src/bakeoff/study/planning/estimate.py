"""What a run will take, by arithmetic: seconds and bytes of everything that it does, roughly."""

import math
from collections.abc import Sequence
from statistics import fmean

from bakeoff.data import DataSet
from bakeoff.data.folds import Folds
from bakeoff.data.split import Split
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.architecture import describe
from bakeoff.study.executors.worker_count import WORKER_BYTES
from bakeoff.study.planning.cost import (
    COMPILING,
    START,
    baseline_seconds,
    feature_seconds,
    makespan,
    trial_seconds,
)
from bakeoff.study.tuning.samplers import limit


def run_seconds(
    recipe: Recipe,
    data: DataSet,
    split: Split | Folds,
    *,
    networks: Sequence[float],
    workers: int,
    rate: float,
) -> float:
    """Return how long a run takes on so many workers.

    networks : seconds of one network of each model, in the recipe's order
    rate : operations a second of one core
    """
    folds = split.n_folds if isinstance(split, Folds) else 1
    seconds = _training_seconds(recipe, data, split, networks, folds, workers, rate)
    seconds += _search_seconds(recipe, networks, workers, rate)
    trained = None if isinstance(split, Folds) else len(split.train)
    seconds += feature_seconds(recipe, len(data.images), rate, training=trained) / workers
    return seconds + (_shipped_seconds(recipe, data, rate) if isinstance(split, Folds) else 0.0)


def run_memory(data: DataSet, *, networks: Sequence[int], workers: int) -> int:
    """Return the bytes that a run takes with so many workers.

    networks : bytes of one network of each model, of the largest of its settings
    """
    return 2 * data.images.nbytes + workers * (WORKER_BYTES + max(networks))


def _training_seconds(
    recipe: Recipe,
    data: DataSet,
    split: Split | Folds,
    networks: Sequence[float],
    folds: int,
    workers: int,
    rate: float,
) -> float:
    """Return the length of training: the longest first, each to the first free worker."""
    lengths = [
        baseline_seconds(name, data, len(split.train), fits=folds, rate=rate)
        for name in recipe.baselines
    ]
    for one in networks:
        lengths += [COMPILING / rate + one, *[one] * (len(recipe.seeds) * folds - 1)]
    return START / rate + makespan(sorted(lengths, reverse=True), workers=workers)


def _search_seconds(recipe: Recipe, networks: Sequence[float], workers: int, rate: float) -> float:
    """Return how long the searches take, each setting as long as the one that is looked at."""
    total = 0.0
    for model, seconds in zip(recipe.models.values(), networks, strict=True):
        if (search := model.search) is not None:
            one = COMPILING / rate + seconds
            most = math.inf if search.minutes is None else 60 * search.minutes + one
            total += min(limit(search) * one / workers, most)
    return total


def _shipped_seconds(recipe: Recipe, data: DataSet, rate: float) -> float:
    """Return how long one model takes on all images: the mean, as nobody knows yet which it is."""

    def of(model: ModelRecipe) -> float:
        known = describe(model, data.input_shape, data.n_classes)
        return trial_seconds(model, known, images=len(data.images), validation=0, rate=rate)

    return COMPILING / rate + fmean(map(of, recipe.models.values()))
