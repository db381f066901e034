"""What a reader takes away: the headline and its reason, cautions, and the line under a table."""

from __future__ import annotations

from bakeoff.analysis.comparison import Comparison, ModelResult
from bakeoff.analysis.wording import baseline_in_words, seed_list
from bakeoff.report.words.wording import (
    basis,
    failed_runs,
    failure_rate,
    sound_accuracy,
    times,
    trained_on,
)
from bakeoff.utils.text import counted, listed, percent, sentence


def headline(comparison: Comparison) -> tuple[str, str, str]:
    """Return the headline, split as (before, model's name, after)."""
    found = comparison.headline
    if found is None:
        return "Nothing has been scored yet.", "", ""
    of_baseline = found.case == "a baseline does as well"
    return found.before, baseline_in_words(found.name) if of_baseline else found.name, found.after


def mark(comparison: Comparison) -> str:
    """Return what the table calls the model it marks: the one to use, or else the best mean."""
    return "recommended" if comparison.to_use else "scored highest"


def reason(comparison: Comparison) -> str:
    """Return the headline's reason as a sentence."""
    return sentence(comparison.headline.reason) if comparison.headline else ""


def cautions(comparison: Comparison, *, found: bool = False) -> list[str]:
    """Return what a reader must know before believing the headline.

    `found` leaves out what findings beside it say already.
    """
    codes = {finding.code for finding in comparison.findings} if found else set()
    notes = []
    if comparison.changed:
        notes.append(
            f"Exploratory, and not all that was opened: left out are {listed(comparison.changed)}."
        )
    if comparison.unplanned_openings:
        notes.append(
            f"Exploratory: the test set was opened {comparison.test_openings} times"
            f"{_of_them(comparison)}, so these verdicts were not decided before the test images "
            "were seen."
        )
    if comparison.openings_elsewhere and "opened-elsewhere" not in codes:
        times = counted(comparison.openings_elsewhere, "time")
        same = "this same test set" if comparison.shared_elsewhere == 1 else "some of its images"
        if comparison.shared_elsewhere == 1 and comparison.partly_elsewhere:
            same += ", or a part of it,"
        notes.append(f"Other studies of yours opened {same} {times}.")
    if comparison.missing:
        notes.append(f"Missing, and therefore not counted: {listed(comparison.missing)}.")
    return notes if found else notes + _failures(comparison)


def _failures(comparison: Comparison) -> list[str]:
    """Say which models' training diverged, and which of their runs failed."""
    notes = []
    for model in comparison.models:
        if model.diverged:
            which = seed_list(model.diverged, model.unit)
            notes.append(f"{model.name}: training diverged with {which}.")
        if model.failed:
            which = seed_list(model.failed, model.unit)
            notes.append(
                f"{model.name}: {failed_runs(model)} runs failed ({which}; the failure rate lies "
                f"in {failure_rate(model)}). Its mean accuracy is {percent(model.accuracy.mean)}"
                f"{_without(model)}; verdicts count all runs."
            )
    return notes


def _without(model: ModelResult) -> str:
    if model.sound_accuracy is None:
        return ", and no other run is left"
    return f" with them and {sound_accuracy(model)} without"


def times_opened(comparison: Comparison) -> str:
    """Say how often the test set was opened: "once", or "look 2 of 3, as declared"."""
    if comparison.look and not comparison.unplanned_openings:
        after = listed(map(str, comparison.look.after))
        return f"at {comparison.look.text}, as declared (after {after} seeds)"
    return times(comparison.test_openings)


def _of_them(comparison: Comparison) -> str:
    if comparison.look is None:
        return ""
    return f", {comparison.planned_openings} of them as the looks that were declared"


def footer(comparison: Comparison) -> str:
    """Return the line that belongs under every table."""
    data = comparison.data
    opened = times_opened(comparison)
    text = f"{data.get('name', 'data')}: {basis(comparison)}; "
    about = trained_on(comparison)
    text += f"{about}; all images opened {opened}" if about else f"test set opened {opened}"
    if comparison.exploratory:
        text += "; verdicts are exploratory"
    return text + "."
