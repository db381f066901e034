"""Curves of training, epoch by epoch, over the seeds of a model: their mean and their range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.comparison import Comparison, ModelResult

Panel = Literal["loss", "accuracy"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """One column of the histories, over the seeds; all float64 of shape (epochs,).

    `mean`, `low` and `high` are taken over the seeds whose value is finite in that epoch; nan
    where there is none. An epoch counts from 0.
    """

    epochs: Floats
    mean: Floats
    low: Floats
    high: Floats


def curve(histories: Sequence[Mapping[str, NDArray[np.float64]]], column: str) -> Curve | None:
    """Return a column's mean and range over the seeds; None where no epoch has a value."""
    longest = max((len(history["epoch"]) for history in histories), default=0)
    table = np.full((len(histories), longest), np.nan)
    for row, history in zip(table, histories, strict=True):
        row[: len(history[column])] = history[column]
    finite = np.isfinite(table)
    if not finite.any():
        return None
    count = finite.sum(axis=0)
    total = np.where(finite, table, 0.0).sum(axis=0)
    seen = count > 0
    mean = np.divide(total, count, out=np.full(longest, np.nan), where=seen)
    low = np.where(seen, np.where(finite, table, np.inf).min(axis=0), np.nan)
    high = np.where(seen, np.where(finite, table, -np.inf).max(axis=0), np.nan)
    return Curve(np.arange(longest, dtype=np.float64), mean, low, high)


def trained_alone(comparison: Comparison) -> list[str]:
    """Return the models without a validation part: of them only training images were measured."""
    models = comparison.models
    return [model.name for model in models if column_of(model, "accuracy") == "accuracy"]


def column_of(model: ModelResult, show: Panel) -> str:
    """Return the column that stands for a model: the training part's where that is all there is."""
    column = "val_cross_entropy" if show == "loss" else "val_accuracy"
    if curve(model.histories, column) is None and curve(model.histories, show) is not None:
        return show
    return column


def is_constant(result: ModelResult) -> bool:
    """Say whether the model trained with one learning rate all the time."""
    rates = [history["learning_rate"] for history in result.histories]
    return all(len(each) == 0 or bool((each == rates[0][0]).all()) for each in rates)


def regularized(result: ModelResult) -> bool:
    """Say whether the losses that were trained on include regularization losses."""
    with_regularization = curve(result.histories, "val_loss")
    without = curve(result.histories, "val_cross_entropy")
    if with_regularization is None or without is None:
        return False
    return bool(np.nanmax(np.abs(with_regularization.mean - without.mean)) > 1e-5)
