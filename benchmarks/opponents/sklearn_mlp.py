"""scikit-learn: MLPClassifier, `fit` for so many epochs."""

import math
import time
import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks.opponents.child import Settings, Task, serve


class _Mlp:
    detail: ClassVar[Settings] = {}

    def __init__(self, task: Task) -> None:
        self._task = task
        train, held = task.both
        pixels = math.prod(train.images.shape[1:])  # -1 says nothing where no image is held out
        self._images, self._labels = train.scaled().reshape(-1, pixels), train.labels
        self._held, self._truth = held.scaled().reshape(-1, pixels), held.labels
        self._model: Any = None

    @property
    def parameters(self) -> int:
        first, last = self._images.shape[1], self._task.both[0].n_classes
        sizes = [first, *self._task.extra["hidden"], last]
        return sum((a + 1) * b for a, b in pairwise(sizes))

    def prepare(self, settings: Settings) -> None:
        warnings.simplefilter("ignore", ConvergenceWarning)

    def train(self, images: int, rates: Sequence[float]) -> float:
        extra = self._task.extra
        self._model = MLPClassifier(
            hidden_layer_sizes=extra["hidden"],
            activation=extra["activation"],
            solver=extra["solver"],
            alpha=0.0,
            batch_size=self._task.declared.training.batch_size,
            learning_rate_init=rates[0],
            momentum=extra["momentum"],
            nesterovs_momentum=extra["nesterov"],
            epsilon=1e-7,
            max_iter=len(rates),
            tol=0.0,
            n_iter_no_change=len(rates) + 1,
            random_state=self._task.seed,
        )
        started = time.perf_counter()
        self._model.fit(self._images[:images], self._labels[:images])
        return time.perf_counter() - started

    def score(self) -> float:
        return float((self._model.predict(self._held) == self._truth).mean())


if __name__ == "__main__":
    serve(_Mlp)
