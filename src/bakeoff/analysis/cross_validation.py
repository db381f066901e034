"""Repeated cross-validation: how much of a mean's variance the networks bring, by means of folds.

c[r, i] is the score of the network of repeat r that has not seen image i, p_i its mean over the
repeats, e = c − p_i. A network that is bad is bad on all images of its fold, so the mean ē[r, k] of
e over fold k of repeat r shows what networks differ by; single images show the noise in it:

    B = Σ ē[r, k]² / ((R − 1)·K)      variance of a fold's mean, the noise of its images included
    M = Σ e[r, i]² / ((R − 1)·N)      variance of one image's score

Folds overlap in their training images, so their accuracies are no independent samples. What is used
here is only how the same images fare with other networks (docs/statistics.md).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class FoldVariances:
    """`between` is B/K, a repeat's share of it: what Var_s(a_s) is without folds; `noise` is M."""

    n_folds: int
    between: float
    noise: float


def fold_variances(scores: NDArray[np.float64], tested: ArrayLike) -> FoldVariances:
    """Split what repeats differ by into networks and noise.

    Parameters
    ----------
    scores : shape (repeats, n_images)
    tested : int, the same shape: the fold in which an image was tested

    Raises
    ------
    ValueError : the shapes differ.
    """
    folds = np.asarray(tested)
    if folds.shape != scores.shape:
        raise ValueError(f"expected folds of shape {scores.shape}, got {folds.shape}")
    repeats, n_images = scores.shape
    numbers, indices = np.unique(folds, return_inverse=True)
    n_folds = len(numbers)
    if repeats < 2:
        return FoldVariances(n_folds, 0.0, 0.0)
    apart = scores - scores.mean(axis=0)
    cells = (np.arange(repeats)[:, None] * n_folds + indices.reshape(folds.shape)).ravel()
    sizes = np.bincount(cells, minlength=repeats * n_folds)
    sums = np.bincount(cells, weights=apart.ravel(), minlength=repeats * n_folds)
    means = sums[sizes > 0] / sizes[sizes > 0]
    used = len(means) / repeats  # folds that hold one of these images, on average
    between = float(np.square(means).sum()) / ((repeats - 1) * used)
    noise = float(np.square(apart).sum()) / ((repeats - 1) * n_images)
    return FoldVariances(n_folds, between / used, noise)
