"""What accuracy costs: parameters, and the time of training or of predicting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from bakeoff.analysis.preference import frontier
from bakeoff.errors import UsageError
from bakeoff.report.plots.figure import (
    HEIGHT,
    LEGEND,
    LINE,
    WIDTH,
    Figure,
    field,
    figure,
    log_ticks,
    percent_axis,
    series,
    tip,
)
from bakeoff.utils.text import duration, listed, percent

if TYPE_CHECKING:
    from bakeoff.analysis.comparison import Comparison

Kind = Literal["training", "prediction", "batch prediction"]


def accuracy_against_parameters(comparison: Comparison, *, width: int = WIDTH) -> Figure:
    """Draw accuracy against size; the line joins the models that no smaller one beats."""
    sizes = {model.name: float(model.parameters) for model in comparison.models}
    return _against(comparison, sizes, "parameters", lambda value: f"{value:,.0f}", width)


def accuracy_against_time(
    comparison: Comparison,
    *,
    kind: Kind = "training",
    width: int = WIDTH,
) -> Figure:
    """Draw accuracy against the seconds of training one trial, or of predicting one image.

    The image is predicted alone, or in a batch (kind="batch prediction"). Models without a clock
    are left out; UsageError where no model has one.
    """
    if kind not in get_args(Kind):
        raise UsageError(f"kind: expected {listed(get_args(Kind), last='or')}, found {kind!r}")
    times = {}
    for model in comparison.models:
        seconds = {
            "training": model.seconds_per_trial,
            "prediction": model.prediction_seconds,
            "batch prediction": model.batch_prediction_seconds,
        }[kind]
        if seconds:
            times[model.name] = seconds
    if not times:
        raise UsageError(f"expected times of {kind}, found none: the study did not record them")
    what = {
        "training": "training one trial",
        "prediction": "predicting one image",
        "batch prediction": "predicting one image in a batch",
    }
    return _against(comparison, times, f"seconds of {what[kind]}", duration, width)


def _against(
    comparison: Comparison,
    costs: dict[str, float],
    label: str,
    unit: Callable[[float], str],
    width: int,
) -> Figure:
    models = [model for model in comparison.models if model.name in costs]
    best = frontier([(model.name, costs[model.name], model.accuracy.mean) for model in models])
    names = [model.name for model in comparison.models]
    coded = series(names, width=width, most=LEGEND)["color"]
    short = dict(zip(names, coded["scale"]["domain"], strict=True))
    rows = {
        m.name: {
            "series": short[m.name], "cost": costs[m.name], "mean": m.accuracy.mean,
            "low": m.accuracy.estimate.low, "high": m.accuracy.estimate.high,
            "tip": f"{m.name} · {unit(costs[m.name])} · accuracy {percent(m.accuracy.mean)}",
        }
        for m in models
    }  # fmt: skip
    coded = {**coded, "legend": {**coded["legend"], "symbolType": "circle"}}
    rules = {"x": _cost_axis(list(costs.values()), label), "y": _accuracy_axis()}
    said = "; ".join(str(row["tip"]).replace(" · ", ", ") for row in rows.values())
    return figure(
        {
            "height": HEIGHT + 15 * max(0, -(-len(names) // coded["legend"]["columns"]) - 2),
            "title": f"Test accuracy against {label}",
            "encoding": rules,
            "layer": _layers(list(rows.values()), [rows[name] for name in best], coded),
        },
        alt=f"Test accuracy against {label}: {said}.",
        width=width,
    )


def _cost_axis(costs: Sequence[float], label: str) -> dict[str, Any]:
    """Return the logarithmic axis of what models cost, a little longer than they need."""
    ends = min(costs) / 1.5, max(costs) * 1.5
    return {
        "field": "cost", "type": "quantitative",
        "scale": {"type": "log", "domain": list(ends), "nice": False},
        "title": f"{label} (log scale)",
        "axis": {
            "labelExpr": "format(datum.value, datum.value < 1000 ? '~g' : ',.0f')",
            "values": log_ticks(*ends, most=5),
        },
    }  # fmt: skip


def _accuracy_axis() -> dict[str, Any]:
    return field("mean", scale={"zero": False}, axis=percent_axis())


def _layers(
    rows: Sequence[Mapping[str, Any]], edge: Sequence[Mapping[str, Any]], color: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the line along the frontier, `edge`; each model's interval; each model's mean."""
    return [
        {
            "data": {"values": edge},
            "mark": {"type": "line", "color": LINE, "strokeWidth": 5},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "rule", "strokeWidth": 1.4},
            "encoding": {
                "y": {**_accuracy_axis(), "field": "low"}, "y2": {"field": "high"},
                "color": color,
            },
        },
        {
            "data": {"values": rows},
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
            "encoding": {"color": color, **tip()},
        },
    ]  # fmt: skip
