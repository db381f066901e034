"""What searches found: tuning curves with their bands, parallel coordinates, importance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bakeoff.analysis.tuning import FEWEST_FOR_IMPORTANCE
from bakeoff.errors import UsageError
from bakeoff.report.plots.figure import (
    BLUE,
    INK,
    LINE,
    MUTED,
    ORANGE,
    WIDTH,
    Figure,
    field,
    figure,
    percent_axis,
    series,
    tip,
)
from bakeoff.report.words.short_names import short_labels, shortened
from bakeoff.utils.text import listed, percent

if TYPE_CHECKING:
    from bakeoff.analysis.comparison import Comparison
    from bakeoff.analysis.tuning import Searched
    from bakeoff.storage.search_folder import Tried

_MOST_LINES = 200  # settings in the parallel coordinates, the best ones
_OPTIONS_NAMED = 6


def tuning_curves(comparison: Comparison, *, width: int = WIDTH) -> Figure:
    """Draw what each model's best of n settings reaches on validation: median and 95 % band.

    Stepped and dashed stands the best so far of the search as it went. UsageError without a search.
    """
    searches = _required(comparison)
    color = series([each.model for each in searches], width=width)["color"]
    named = list(zip(searches, color["scale"]["domain"], strict=True))
    bands = [row for each, name in named for row in _band(each, name)]
    medians = [row for each, name in named for row in _medians(each, name)]
    steps = [row for each, name in named for row in _best_so_far(each, name)]
    lowest = min([row["median"] for row in medians] + [row["best"] for row in steps], default=0.0)
    highest = max([row["best"] for row in steps] + [row["high"] for row in bands], default=1.0)
    y: dict[str, Any] = {
        "type": "quantitative",
        "axis": percent_axis(title="validation accuracy"),
        "scale": {"domain": [max(0.0, lowest - 0.2 * (highest - lowest)), highest], "zero": False},
    }
    x = field("n", title="settings tried", scale={"nice": False}, axis={"grid": False})
    line = {"type": "line", "clip": True, "strokeWidth": 2}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": bands},
            "mark": {"type": "area", "clip": True, "opacity": 0.15},
            "encoding": {
                "x": x, "color": color,
                "y": {**y, "field": "low", "title": None}, "y2": {"field": "high"},
            },
        },
        {
            "data": {"values": medians},
            "mark": line,
            "encoding": {"x": x, "color": color, "y": {**y, "field": "median", "title": None}},
        },
        {
            "data": {"values": steps},
            "mark": {**line, "interpolate": "step-after", "strokeDash": [4, 3], "strokeWidth": 1.2},
            "encoding": {"x": x, "color": color, "y": {**y, "field": "best", "title": None}},
        },
        {
            "data": {"values": medians or steps},
            "mark": {"type": "point", "clip": True, "opacity": 0, "size": 90, "filled": True},
            "encoding": {
                "x": x, "y": {**y, "field": "median" if medians else "best", "title": None},
                **tip(),
            },
        },
    ]  # fmt: skip
    title = "Best validation accuracy of so many settings"
    said = [_curve_in_words(each) for each in searches if each.curve is not None]
    alt = f"{title}. {listed(said) or 'Best so far of each search'}."
    return figure({"title": title, "layer": layers}, alt=alt, width=width)


def _band(searched: Searched, name: str) -> Iterator[dict[str, Any]]:
    """Yield the band's ends for each number of settings; nothing without a tuning curve."""
    if searched.curve is not None:
        for n, ends in enumerate(zip(searched.curve.low, searched.curve.high, strict=True), 1):
            yield {"series": name, "n": n, "low": ends[0], "high": ends[1]}


def _medians(searched: Searched, name: str) -> Iterator[dict[str, Any]]:
    """Yield the median for each number of settings; nothing without a tuning curve."""
    if searched.curve is not None:
        for n, median in enumerate(searched.curve.median, 1):
            words = f"{searched.model} · best of {n} settings · {percent(median)}"
            yield {"series": name, "n": n, "median": median, "tip": words}


def _best_so_far(searched: Searched, name: str) -> Iterator[dict[str, Any]]:
    """Yield the best usable setting so far, as the search went."""
    best = -1.0
    for n, tried in enumerate(searched.tried, 1):
        best = max(best, tried.accuracy or 0.0) if tried.usable else best
        if best >= 0:
            words = f"{searched.model} · best after {n} settings · {percent(best)}"
            yield {"series": name, "n": n, "best": best, "tip": words}


def _curve_in_words(searched: Searched) -> str:
    """Return where a search's tuning curve ends."""
    curve = searched.curve
    assert curve is not None
    return (
        f"{searched.model}: best of {curve.settings} settings {percent(curve.median[-1])}, "
        f"band {percent(curve.low[-1])} to {percent(curve.high[-1])}"
    )


def parallel_coordinates(
    comparison: Comparison, model: str | None = None, *, width: int = WIDTH
) -> Figure:
    """Draw every setting of a search as a line through its values; the darker, the better.

    A range's axis goes from its lowest value to its highest; the chosen setting is orange.
    """
    searched = _of(comparison, model)
    names = searched.names
    dims = list(searched.dimensions)
    scored = sorted(
        (each for each in searched.tried if each.accuracy is not None),
        key=lambda each: each.accuracy or 0.0,
    )[-_MOST_LINES:]
    rows = _setting_rows(searched, scored)
    x = {
        "field": "axis", "type": "nominal", "title": None, "sort": [names[d.place] for d in dims],
        "axis": {"grid": True, "labelAngle": -20, "labelLimit": 120}, "scale": {"padding": 0.4},
    }  # fmt: skip
    y = {"field": "share", "type": "quantitative", "axis": None, "scale": {"domain": [-0.06, 1.06]}}
    line = {"type": "line", "strokeWidth": 1.3, "color": BLUE}
    encoded = {"x": x, "y": y, "detail": {"field": "setting", "type": "nominal"}}
    chosen = [row for row in rows if row["chosen"]]
    layers = [
        {
            "data": {"values": rows},
            "mark": line,
            "encoding": {
                **encoded,
                "opacity": {"field": "strength", "type": "quantitative", "scale": None},
            },
        },
        {
            "data": {"values": chosen},
            "mark": {**line, "color": ORANGE, "strokeWidth": 2.6},
            "encoding": encoded,
        },
        {
            "data": {"values": rows},
            "mark": {"type": "point", "opacity": 0, "size": 60, "filled": True, "color": INK},
            "encoding": {"x": x, "y": y, **tip()},
        },
        {
            "data": {"values": _axis_labels(searched)},
            "mark": {"type": "text", "dx": 6, "align": "left", "color": MUTED, "fontSize": 10},
            "encoding": {"x": x, "y": y, "text": {"field": "text"}},
        },
    ]
    title = f"{searched.model}: every setting, the darker the better"
    alt = f"{title}; {len(scored)} settings over {listed(names[d.place] for d in dims)}."
    return figure({"title": title, "layer": layers}, alt=alt, width=width)


def _setting_rows(searched: Searched, scored: Sequence[Tried]) -> list[dict[str, Any]]:
    """Return one row for each value of each setting, the settings from the worst to the best."""
    names = searched.names
    rows = []
    for rank, each in enumerate(scored):
        words = ", ".join(f"{name} {value}" for name, value in searched.words(each).items())
        for dim in searched.dimensions:
            if dim.place in each.values:
                rows.append(
                    {
                        "axis": names[dim.place],
                        "share": dim.share(each.values[dim.place]),
                        "setting": each.number,
                        "strength": 0.06 + 0.74 * ((rank + 1) / len(scored)) ** 2,
                        "chosen": each is searched.chosen,
                        "tip": f"setting {each.number} · {percent(each.accuracy or 0.0)} · {words}",
                    }
                )
    return rows


def _axis_labels(searched: Searched) -> list[dict[str, Any]]:
    """Return the words beside each axis: the ends of a range, or the options if there are few."""
    labels = []
    for dim in searched.dimensions:
        if dim.kind == "choice":
            options = range(len(dim.options)) if len(dim.options) <= _OPTIONS_NAMED else ()
            ends = [(dim.share(k), dim.words(k)) for k in options]
        else:
            low, high = (int(v) if dim.is_whole else v for v in (dim.low, dim.high))
            ends = [(0.0, dim.words(low)), (1.0, dim.words(high))]
        short = shortened([text for _, text in ends], most=14)
        labels += [
            {"axis": searched.names[dim.place], "share": share, "text": short[text]}
            for share, text in ends
        ]
    return labels


def importance(comparison: Comparison, model: str | None = None, *, width: int = WIDTH) -> Figure:
    """Draw how much each choice matters for a good setting, with the range of resampling."""
    searched = _of(comparison, model)
    if not searched.importance:
        needed = (
            f"it takes {FEWEST_FOR_IMPORTANCE} settings that were scored, and two choices outside "
            "the options of others"
        )
        lacking = f"{searched.lacking} is not installed" if searched.lacking else needed
        raise UsageError(f"expected the importance of choices, found none: {lacking}")
    short = short_labels([each.name for each in searched.importance])
    rows = [
        {
            "name": label, "value": each.value, "low": each.low, "high": each.high,
            "tip": f"{each.name} · {percent(each.value, 0)} · {percent(each.low, 0)} to "
            f"{percent(each.high, 0)}",
        }
        for label, each in zip(short, searched.importance, strict=True)
    ]  # fmt: skip
    y = field("name", "nominal", sort=[row["name"] for row in rows], axis={"domain": False})
    axis = percent_axis(title="importance, and its range when settings are drawn again")
    x = {"field": "value", "type": "quantitative", "axis": axis, "title": axis["title"],
         "scale": {"domain": [0, 1]}}  # fmt: skip
    layers = [
        {"mark": {"type": "bar", "color": LINE, "height": 14}, "encoding": {"x": x}},
        {
            "mark": {"type": "rule", "color": INK, "strokeWidth": 1.4},
            "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}},
        },
        {
            "mark": {"type": "point", "filled": True, "color": BLUE, "size": 60, "opacity": 1},
            "encoding": {"x": x, **tip()},
        },
    ]
    said = listed(str(row["tip"]).replace(" · ", " ") for row in rows)
    spec = {
        "data": {"values": rows},
        "height": 60 + 26 * len(rows),
        "title": f"{searched.model}: what matters for a good setting",
        "encoding": {"y": y},
        "layer": layers,
    }
    return figure(spec, alt=f"Importance of the choices of {searched.model}: {said}.", width=width)


def _required(comparison: Comparison) -> tuple[Searched, ...]:
    found = tuple(each for each in comparison.searches if each.tried)
    if not found:
        raise UsageError("expected a study with a search, found none")
    return found


def _of(comparison: Comparison, model: str | None) -> Searched:
    searches = _required(comparison)
    if model is None and len(searches) == 1:
        return searches[0]
    for each in searches:
        if each.model == model:
            return each
    names = ", ".join(each.model for each in searches)
    raise UsageError(f"expected a searched model ({names}), found {model}")


def usable_width(count: int) -> int:
    """Return a width that so many axes need."""
    return int(np.clip(90 * count + 60, WIDTH, 740))
