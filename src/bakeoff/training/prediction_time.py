"""How long a trained model takes to predict, in seconds an image: alone, and in a batch."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from bakeoff.recipe import ModelRecipe
from bakeoff.training.backbones.features import fresh_features
from bakeoff.training.predict import PREDICTION_BATCH, ready

_MOST, _ENOUGH = 20, 0.1  # calls that are timed: so many at most, none after so many seconds


def prediction_seconds(
    model: ModelRecipe,
    weights: Mapping[str, NDArray[Any]],
    images: NDArray[Any],
    *,
    maximum: float,
    n_classes: int,
) -> dict[str, float]:
    """Return the seconds that an image takes, from pixels to probabilities; compiling left out.

    {"image_seconds": the median of calls with one image,
     "batch_seconds": the median of calls with all of them, in batches of 250, divided by their
     number; with a backbone, whose features are computed anew, of one batch}
    """
    predict = ready(
        model,
        weights,
        images.shape[1:],
        maximum=maximum,
        n_classes=n_classes,
        extract=fresh_features,
    )
    several = images if model.frozen_backbone is None else images[:PREDICTION_BATCH]
    return {
        "image_seconds": _median_seconds(lambda: predict(images[:1])),
        "batch_seconds": _median_seconds(lambda: predict(several)) / len(several),
    }


def _median_seconds(call: Callable[[], object]) -> float:
    call()  # compiles
    taken: list[float] = []
    while len(taken) < _MOST and sum(taken) < _ENOUGH:
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
