"""Where a model goes wrong: which classes it takes for which others, and its worst classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.comparison import ModelResult, Score


def row_rates(matrix: NDArray[np.float64], images: NDArray[np.int64]) -> NDArray[np.float64]:
    """Divide each row by its class's number of images; a class without any keeps its zeros.

    A row's sum is less where images have no prediction.
    """
    sizes = images[:, None]
    rates: NDArray[np.float64] = np.divide(
        matrix, sizes, out=np.zeros_like(matrix), where=sizes > 0
    )
    return rates


def mistakes(
    matrix: NDArray[np.float64], images: NDArray[np.int64]
) -> list[tuple[int, int, float, float]]:
    """Return (true class, predicted class, images, share of the true class), the most first."""
    rates = row_rates(matrix, images)
    pairs = [
        (i, j, float(matrix[i, j]), float(rates[i, j]))
        for i, j in np.argwhere(matrix > 0).tolist()
        if i != j
    ]
    return sorted(pairs, key=lambda each: (-each[2], each[0], each[1]))


def worst_classes(result: ModelResult, most: int) -> list[tuple[int, Score]]:
    """Return the classes with the lowest accuracy, the worst first, without those of no image."""
    scored = [(k, score) for k, score in enumerate(result.per_class_accuracy) if score is not None]
    return sorted(scored, key=lambda pair: pair[1].mean)[:most]
