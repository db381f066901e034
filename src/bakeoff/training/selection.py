"""Which epoch of a trial is selected: best-loss, best-accuracy or last, decided as epochs come."""

import math
from typing import Any

from bakeoff.utils.events import EpochResult


class Selection:
    """The selected epoch so far, and the weights after it.

    rule : best-loss (lowest validation cross-entropy), best-accuracy (highest validation accuracy)
        or last; the earliest of equal epochs; without validation images the last
    weights : the initial ones, which are kept if training diverges in its first epoch
    """

    def __init__(self, rule: str, weights: Any) -> None:
        self.rule, self.weights = rule, weights
        self.epoch: int | None = None
        self.best = math.inf  # the score of the selected epoch; lower is better

    def offer(self, result: EpochResult, weights: Any) -> None:
        """Select this epoch if it beats all before it."""
        score = self._score(result)
        if score is None or score < self.best:
            self.best = math.inf if score is None else score
            self.weights, self.epoch = weights, result.epoch

    def _score(self, result: EpochResult) -> float | None:
        if self.rule == "best-loss":
            return result.val_cross_entropy
        if self.rule == "best-accuracy" and result.val_accuracy is not None:
            return -result.val_accuracy
        return None
