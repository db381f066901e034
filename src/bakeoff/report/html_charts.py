"""Where things lie on the page: dots along a strip, shades of a square. Numbers in, percent out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis.comparison import Comparison, Pair, Score
from bakeoff.report.plots.matrices import mistakes, row_rates, seen_from
from bakeoff.report.plots.style import spread
from bakeoff.report.wording import VERDICTS, interval
from bakeoff.utils.text import percent, signed_points

MOST_CLASSES = 20  # rows of a confusion matrix or of the accuracies by class
SHADES = 10


@dataclass(frozen=True)
class Tick:
    """A line of a strip's grid: where, in percent of its width, and what is written there."""

    x: float
    text: str


@dataclass(frozen=True)
class Row:
    """One score on a strip; positions are percent of its width, `dots` also of its height."""

    name: str
    mean: float
    low: float
    high: float
    dots: tuple[tuple[float, float], ...]
    value: str
    interval: str
    group: str
    strong: bool


@dataclass(frozen=True)
class Strip:
    """Scores one under the other on one scale."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Cell:
    """A square of a matrix: its text, its shade (0 … 10), and whether it is on the diagonal."""

    text: str
    shade: int
    diagonal: bool


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix: class names, rows of cells, and how many classes were left out."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    left_out: int


@dataclass(frozen=True)
class VerdictCell:
    """A row's model against a column's: verdict, sign, difference; None on the diagonal."""

    verdict: str
    sign: str
    difference: str
    kind: str  # the verdict as a CSS class


def strip(scores: Sequence[tuple[str, Score, str]], *, strong: str | None = None) -> Strip:
    """Lay scores, as (name, score, letters), out on a common scale."""
    values = [
        value
        for _, score, _ in scores
        for value in (score.estimate.low, score.estimate.high, *score.per_seed)
    ]
    low, high = min(values), max(values)
    pad = 0.04 * (high - low) or 0.01
    low, high = max(0.0, low - pad), min(1.0, high + pad)

    def place(value: float) -> float:
        # Two percent stay free at both ends, so that no dot is cut in half.
        return round(2 + 96 * (value - low) / (high - low), 2)

    rows = []
    for name, score, group in scores:
        heights = 50 + 100 * spread(len(score.per_seed), width=0.36)
        dots = [
            (place(value), round(float(height), 1))
            for value, height in zip(score.per_seed, heights, strict=True)
        ]
        rows.append(
            Row(
                name=name,
                mean=place(score.mean),
                low=place(score.estimate.low),
                high=place(score.estimate.high),
                dots=tuple(dots),
                value=percent(score.mean),
                interval=interval(score.estimate),
                group=group,
                strong=name == strong,
            )
        )
    ticks = tuple(Tick(place(value), f"{100 * value:.10g} %") for value in nice_ticks(low, high))
    return Strip(tuple(rows), ticks)


def nice_ticks(low: float, high: float, *, most: int = 5) -> list[float]:
    """Return round numbers between two others, at most `most` of them, 1, 2 or 5 apart."""
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def confusion_tables(
    matrix: NDArray[np.float64], names: Sequence[str], *, most: int = MOST_CLASSES
) -> tuple[Matrix, Matrix]:
    """Return the matrix as rates with its diagonal, and as counts without it.

    Of more than `most` classes, those with the most mistakes are shown.
    """
    chosen = _worst(matrix, most)
    counts = matrix[np.ix_(chosen, chosen)]
    rates = row_rates(matrix)[np.ix_(chosen, chosen)]
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0.0)
    largest = float(wrong.max(initial=0.0))
    labels = tuple(names[k] for k in chosen)

    def build(values: NDArray[np.float64], of: float, write: Any) -> Matrix:
        rows = []
        for i, name in enumerate(labels):
            cells = [
                Cell(write(value) if value > 0 else "", _shade(value, of), i == j)
                for j, value in enumerate(values[i].tolist())
            ]
            rows.append((name, tuple(cells)))
        return Matrix(labels, tuple(rows), len(names) - len(chosen))

    return build(rates, 1.0, _rate), build(wrong, largest, _count)


def verdict_rows(comparison: Comparison) -> list[tuple[str, list[VerdictCell | None]]]:
    """Return the verdicts on each model against each, as rows of a table."""
    found: Mapping[tuple[str, str], Pair] = {(p.a, p.b): p for p in comparison.pairs}
    names = [model.name for model in comparison.models]
    return [
        (a, [_verdict(found.get((a, b)) or found.get((b, a)), a) for b in names]) for a in names
    ]


def _verdict(pair: Pair | None, name: str) -> VerdictCell | None:
    if pair is None:
        return None
    word, difference = seen_from(pair, name)
    return VerdictCell(
        verdict=word or "no verdict",
        sign=VERDICTS.get(word or "", "–"),
        difference="" if difference is None else signed_points(difference),
        kind=(word or "none").replace(" ", "-"),
    )


def _worst(matrix: NDArray[np.float64], most: int) -> list[int]:
    if len(matrix) <= most:
        return list(range(len(matrix)))
    totals = np.zeros(len(matrix))
    for i, j, images, _ in mistakes(matrix):
        totals[i] += images
        totals[j] += images
    order = np.argsort(-totals, kind="stable")[:most]
    return sorted(int(k) for k in order)


def _shade(value: float, of: float) -> int:
    return 0 if of <= 0 or value <= 0 else min(SHADES, max(1, round(SHADES * value / of)))


def _rate(value: float) -> str:
    return "100" if value > 0.9995 else f"{100 * value:.1f}"


def _count(value: float) -> str:
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}"
