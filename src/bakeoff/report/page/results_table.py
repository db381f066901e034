"""The table of the page: models, those that a race dropped, and baselines, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bakeoff.analysis.comparison import BaselineResult, Comparison, ModelResult
from bakeoff.analysis.estimates import Estimate
from bakeoff.analysis.race_outcome import DroppedModel
from bakeoff.analysis.wording import baseline_in_words
from bakeoff.report.words import about_race, about_scores, conclusion, wording
from bakeoff.report.words.short_names import shortened
from bakeoff.utils.text import duration, percent, ratio


@dataclass(frozen=True)
class Entry:
    """A cell of the table: what it says, what it says below in small, what it sorts by."""

    text: str
    small: str
    value: str


@dataclass(frozen=True)
class TableRow:
    """A row of the table."""

    name: str
    cells: tuple[Entry, ...]
    strong: bool = False
    short: str = ""  # the name as a narrow column has it


@dataclass(frozen=True)
class _Shown:
    """Which columns a table has that not every table needs."""

    timed: bool
    grouped: bool
    failing: bool

    def row(self, parameters: int, accuracy: Entry) -> tuple[Entry, ...]:
        """Return the cells of a row of which only size and accuracy are known."""
        empty = Entry("", "", "")
        return (
            Entry(f"{parameters:,}", "", str(parameters)),
            *[empty] * self.timed,
            accuracy,
            *[empty] * (4 + self.grouped + 2 * self.failing),
        )


def results_table(comparison: Comparison) -> dict[str, Any]:
    """Return what the template needs for the table of models, dropped models and baselines."""
    chosen = comparison.recommended
    marked = comparison.to_use or (chosen.best if chosen else None)
    smallest = min((model.parameters for model in comparison.models), default=0)
    short = short_names(comparison)
    shown = _Shown(
        timed=comparison.order.by_time,
        grouped=any(model.group for model in comparison.models),
        failing=any(model.failed for model in comparison.models),
    )
    counted_too = "Means and verdicts count failed runs." if shown.failing else ""
    notes = (about_scores.about_loss(comparison), counted_too, about_race.about_race(comparison))
    return {
        "heads": _heads(shown),
        "rows": [
            TableRow(m.name, _cells(m, smallest, shown), m.name == marked, short[m.name])
            for m in comparison.models
        ],
        "baselines": [
            TableRow(baseline_in_words(each.name), _baseline_cells(each, shown))
            for each in comparison.baselines
        ],
        "dropped": [
            TableRow(each.name, _dropped_cells(each, shown))
            for each in (comparison.race.dropped if comparison.race else ())
        ],
        "mark": conclusion.mark(comparison),
        "table_notes": [note for note in notes if note],
    }


def short_names(comparison: Comparison) -> dict[str, str]:
    """Return the models' names of at most 30 letters, or whole where two would become alike."""
    return shortened([model.name for model in comparison.models], most=30)


_OF_FAILURES = ("Failed runs", "Accuracy without them")


def _heads(shown: _Shown) -> list[str]:
    heads = ["Parameters", wording.IMAGE_TIME, "Test accuracy", "Group", *_OF_FAILURES, "Loss"]
    heads += ["Balanced accuracy", "Macro F1", "Selected epoch"]
    left_out = {*(() if shown.grouped else ("Group",)), *(() if shown.failing else _OF_FAILURES)}
    left_out |= set() if shown.timed else {wording.IMAGE_TIME}
    return [head for head in heads if head not in left_out]


def _failures(model: ModelResult) -> tuple[Entry, ...]:
    rate, sound = len(model.failed) / len(model.seeds), model.sound_accuracy
    return (
        Entry(
            wording.failed_runs(model),
            f"rate {wording.failure_rate(model)}" if model.failed else "",
            repr(rate),
        ),
        Entry(
            wording.sound_accuracy(model) if model.failed else "",
            "",
            "" if sound is None else repr(sound),
        ),
    )


def _cells(model: ModelResult, smallest: int, shown: _Shown) -> tuple[Entry, ...]:
    times = ratio(model.parameters, smallest)
    epochs = [epoch for epoch in model.selected_epochs if epoch is not None]
    loss = model.loss.estimate
    return (
        Entry(f"{model.parameters:,}", times and f"{times} ×", str(model.parameters)),
        *(seconds(model.batch_prediction_seconds) if shown.timed else ()),
        _accuracy(model.accuracy.estimate),
        *([Entry(model.group, "", model.group)] if shown.grouped else []),
        *(_failures(model) if shown.failing else ()),
        Entry(
            wording.loss(loss.mean),
            wording.loss_interval(loss),
            repr(loss.mean),
        ),
        _accuracy(model.balanced_accuracy.estimate),
        _accuracy(model.macro_f1.estimate),
        Entry(
            wording.selected_epochs(model),
            f"of {model.epochs}",
            repr(float(np.mean(epochs))) if epochs else "",
        ),
    )


def _baseline_cells(baseline: BaselineResult, shown: _Shown) -> tuple[Entry, ...]:
    return shown.row(baseline.parameters, _accuracy(baseline.accuracy))


def _dropped_cells(model: DroppedModel, shown: _Shown) -> tuple[Entry, ...]:
    known = Entry("not tested", f"{about_race.validation(model)} on validation", "")
    return shown.row(model.parameters, known)


def _accuracy(estimate: Estimate) -> Entry:
    return Entry(percent(estimate.mean), wording.interval(estimate), repr(estimate.mean))


def seconds(*times: float | None) -> tuple[Entry, ...]:
    """Return a cell for each time."""
    return tuple(Entry(duration(each), "", repr(each) if each else "") for each in times)
