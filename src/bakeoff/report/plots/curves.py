"""What happened while a model trained: losses, accuracies and learning rates, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from bakeoff.analysis.epoch_curves import Panel, column_of, curve, regularized, trained_alone
from bakeoff.errors import UsageError
from bakeoff.report.plots.figure import (
    BLUE,
    DASHES,
    GREEN,
    HEIGHT,
    INK,
    LEGEND,
    ORANGE,
    TARGET,
    WIDTH,
    Figure,
    field,
    figure,
    find,
    log_ticks,
    percent_axis,
    series,
    tip,
)
from bakeoff.utils.text import listed, number, percent, some

if TYPE_CHECKING:
    from bakeoff.analysis.comparison import Comparison, ModelResult


_MOST_POINTS = 120  # of a curve: more cannot be seen
_MOST_TIPS = 24  # of a curve: where a pointer finds words
_EARLY = 0.08  # of training: accuracies from before then may leave the picture
_LOG_FROM = 20.0  # a loss that shrinks by more than this is drawn on a logarithmic axis


def all_curves(
    comparison: Comparison, *, show: Panel = "accuracy", width: int = WIDTH, height: int = HEIGHT
) -> Figure:
    """Draw one quantity of all models by epoch in one picture, measured on the validation part.

    A line is the mean over the seeds, its band reaches from the lowest seed to the highest, a dot
    stands where a seed's epoch was selected. Models without a validation part show the training
    part's. The loss is the cross-entropy, without regularization losses.
    """
    if show not in get_args(Panel):
        raise UsageError(f"show: expected {listed(get_args(Panel), last='or')}, found {show!r}")
    lines: list[dict[str, Any]] = []
    dots: list[dict[str, Any]] = []
    names = [model.name for model in comparison.models]
    coded = series(names, width=width, most=LEGEND)
    for model, label in zip(comparison.models, coded["color"]["scale"]["domain"], strict=True):
        column = column_of(model, show)
        name = {"series": label, "name": model.name}
        lines += ({**row, **name} for row in _line_rows(model, column, model.name, show))
        dots += ({**row, **name} for row in _selected_rows(model, column, show))
    said = "Validation loss (cross-entropy)" if show == "loss" else "Validation accuracy"
    if rest := trained_alone(comparison):
        whole = len(rest) == len(names)
        said = f"Training {show}" if whole else f"{said}; of {some(rest)}, training {show}"
    # Runs that failed may not press all others into one corner.
    failed = {model.name for model in comparison.models if len(model.failed) == len(model.seeds)}
    sound = [row for row in lines if row["name"] not in failed] or lines
    rows = -(-len(names) // coded["color"]["legend"]["columns"])
    return figure(
        {
            "height": height + 12 * max(0, rows - 3),
            "title": said,
            "layer": _layers(lines, dots, coded, show, scaled_by=sound),
        },
        alt=f"{said} of {', '.join(names)} by epoch.",
        width=width,
    )


def learning_curves(
    comparison: Comparison,
    model: str | None = None,
    *,
    show: Sequence[Panel] = ("loss", "accuracy"),
) -> Figure:
    """Draw loss and accuracy by epoch, for the training and the validation part.

    A line is the mean over the seeds and its band reaches from the lowest to the highest seed; a
    dot stands where a seed's epoch was selected. The loss is the training objective: it includes
    regularization losses, and then the validation loss without them is drawn too. `model` may be
    left out where there is only one.
    """
    result = find(comparison, model)
    alt = f"{' and '.join(show)} of {result.name} by epoch, training and validation.".capitalize()
    if len(show) == 1:
        return figure(_panel(result, show[0]), alt=alt)
    parts = [{**_panel(result, each), "width": WIDTH - 70, "height": HEIGHT - 80} for each in show]
    return figure({"hconcat": parts}, alt=alt, width=None)


def learning_rate(comparison: Comparison, model: str | None = None) -> Figure:
    """Draw the learning rate by epoch."""
    result = find(comparison, model)
    rates = curve(result.histories, "learning_rate")
    rows = [] if rates is None else [
        {"epoch": epoch, "rate": rate, "tip": f"epoch {epoch:.0f} · learning rate {number(rate)}"}
        for epoch, rate in zip(rates.epochs.tolist(), rates.mean.tolist(), strict=True)
    ]  # fmt: skip
    shrinks = rates is not None and rates.mean.max() > _LOG_FROM * rates.mean.min() > 0
    scale = {"type": "log", "nice": False} if shrinks else {"zero": True}
    return figure(
        {
            "title": "Learning rate",
            "data": {"values": rows},
            "encoding": {
                "x": _epochs(max((int(row["epoch"]) for row in rows), default=0)),
                "y": field("rate", scale=scale, axis={"tickCount": 5}),
            },
            "layer": [
                {"mark": {"type": "line", "interpolate": "step", "color": INK}},
                {"mark": TARGET, "encoding": tip()},
            ],
        },
        alt=f"Learning rate of {result.name} by epoch.",
    )


def _panel(result: ModelResult, show: Panel) -> dict[str, Any]:
    columns = [
        (show, "training", ORANGE, DASHES[1]),
        ("val_loss" if show == "loss" else "val_accuracy", "validation", BLUE, DASHES[0]),
    ]
    if show == "loss" and regularized(result):
        columns.append(("val_cross_entropy", "without regularization", GREEN, DASHES[2]))
    columns = [each for each in columns if curve(result.histories, each[0]) is not None]
    rows: list[dict[str, Any]] = []
    dots: list[dict[str, Any]] = []
    for column, part, _, _ in columns:
        rows += (
            {**row, "series": part, "name": part} for row in _line_rows(result, column, part, show)
        )
    if columns:
        column, part, _, _ = columns[min(1, len(columns) - 1)]
        dots = [{**row, "series": part} for row in _selected_rows(result, column, show)]
    domain = [part for _, part, _, _ in columns]
    key = {"symbolType": "stroke"}
    coded = {
        name: field("series", "nominal", scale={"domain": domain, "range": values}, legend=key)
        for name, values in (
            ("color", [color for _, _, color, _ in columns]),
            ("strokeDash", [dash for _, _, _, dash in columns]),
        )
    }
    return {"title": show.capitalize(), "layer": _layers(rows, dots, coded, show)}


def _scale(
    rows: Sequence[Mapping[str, Any]], show: Panel, *, all_rows: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the scale and the axis that suit these rows: (scale, axis).

    all_rows : whether all that is drawn is among them; otherwise the scale ends where they do
    """
    best = "high" if show == "accuracy" else "low"  # of the seeds: what the others lag behind
    reached = [row[key] for row in rows for key in ("value", best) if key in row]
    values = np.array(reached, dtype=np.float64)
    values = values[np.isfinite(values)]
    if show == "accuracy":
        last = max((row["epoch"] for row in rows), default=0)
        later = [row["value"] for row in rows if row["epoch"] >= _EARLY * last]
        later = [value for value in later if np.isfinite(value)] or [0.0]
        lowest = max(0.0, min(later) - 0.15 * (float(values.max()) - min(later)) - 0.002)
        domain = [lowest, min(1.0, float(values.max()) + 0.003)]
        return {"zero": False, "domain": domain}, percent_axis()
    ends = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    if ends[1] > _LOG_FROM * ends[0] > 0:
        axis: dict[str, Any] = {"values": log_ticks(*ends), "format": "~g"}
        return {"type": "log", "domain": list(ends)}, axis
    domain_of = {"domain": list(ends)} if len(values) and not all_rows else {}
    return {"zero": False, **domain_of}, {"tickCount": 5}


def _layers(
    rows: Sequence[Mapping[str, Any]],
    dots: Sequence[Mapping[str, Any]],
    coded: Mapping[str, Any],
    show: Panel,
    *,
    scaled_by: Sequence[Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Return bands, lines, places for a pointer, and the dots of the selected epochs.

    The axis reaches as far as the rows in `scaled_by` do; None stands for all of them.
    """
    scaled_by = rows if scaled_by is None else scaled_by
    scale, axis = _scale([*scaled_by, *dots], show, all_rows=scaled_by is rows)
    x = _epochs(max((int(row["epoch"]) for row in rows), default=0))
    y = field("value", scale=scale, axis=axis)
    # A band has no dash of its own.
    band = {"color": coded["color"]}
    few = [row for row in rows if row["tip"]]
    dot = {"type": "point", "clip": True, "filled": True, "size": 26, "opacity": 0.9}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": list(rows)},
            "encoding": {"x": x, "y": y, **coded, "detail": {"field": "series"}},
            "layer": [
                {
                    "mark": {"type": "area", "opacity": 0.13, "clip": True},
                    "encoding": {
                        "y": {**y, "field": "low"}, "y2": {"field": "high"}, **band,
                        "strokeDash": {"value": [1, 0]}, "description": {"field": "name"},
                    },
                },
                {
                    "mark": {"type": "line", "strokeWidth": 1.8, "clip": True},
                    "encoding": {"description": {"field": "name"}},
                },
            ],
        },
        {
            "data": {"values": few},
            "mark": TARGET,
            "encoding": {"x": x, "y": y, **tip()},
        },
    ]  # fmt: skip
    if dots:
        layers.append(
            {
                "data": {"values": list(dots)},
                "mark": dot,
                "encoding": {"x": x, "y": y, "color": coded["color"], **tip()},
            }
        )
    return layers


def _epochs(last: int) -> dict[str, Any]:
    step = next(k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, last) if last <= 5 * k)
    return {
        "field": "epoch", "type": "quantitative", "title": "epoch (the first is 0)",
        "axis": {"grid": False, "values": list(range(0, last + 1, step)), "format": "d"},
        "scale": {"nice": False, "padding": 3},
    }  # fmt: skip


def _line_rows(
    result: ModelResult, column: str, name: str, show: Panel
) -> Iterator[dict[str, Any]]:
    line = curve(result.histories, column)
    if line is None:
        return
    last = len(line.epochs) - 1
    keep = np.unique(np.linspace(0, last, _MOST_POINTS).round().astype(int)).tolist()
    told = set(np.unique(np.linspace(0, last, _MOST_TIPS).round().astype(int)).tolist())
    for k in keep:
        mean = float(line.mean[k])
        yield {
            "epoch": k,
            "value": mean,
            "low": float(line.low[k]),
            "high": float(line.high[k]),
            "tip": f"{name} · epoch {k} · mean {show} {_value(mean, show)}" if k in told else "",
        }


def _selected_rows(result: ModelResult, column: str, show: Panel) -> Iterator[dict[str, Any]]:
    each = zip(result.seeds, result.selected_epochs, result.histories, strict=True)
    for seed, epoch, history in each:
        if epoch is None or epoch >= len(history[column]):
            continue
        value = float(history[column][epoch])
        if np.isfinite(value):
            said = f"{result.name} · {result.unit} {seed} · selected epoch {epoch} · {show}"
            yield {"epoch": epoch, "value": value, "tip": f"{said} {_value(value, show)}"}


def _value(value: float, show: Panel) -> str:
    return percent(value) if show == "accuracy" else f"{value:.4g}"
