"""Findings of one kind said once: eight models with one trouble are one entry, not eight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff.analysis.checks import SEVERITIES
from bakeoff.analysis.checks.predictions import unbeaten_baselines
from bakeoff.analysis.comparison import Comparison, Finding
from bakeoff.analysis.wording import baseline_in_words
from bakeoff.report.words.short_names import shortened
from bakeoff.utils.text import listed

_MOST_LETTERS = 40  # of a name among others

# What is said of several models at once; a code that is not here is said of each model alone.
_OF_SEVERAL = {
    ("dead-run", "serious"): "learned nothing with some {unit}s (their runs are dead)",
    (
        "diverged-run",
        "serious",
    ): "diverged with some {unit}s: the loss was no finite number any more",
    (
        "constant-prediction",
        "serious",
    ): "predict one class for nearly every image with some {unit}s",
    ("no-answer", "serious"): "have no prediction for some test images",
    ("chance-level", "serious"): "are not shown to beat chance with some {unit}s",
    ("worse-than-baseline", "serious"): "are worse than {baseline}",
    ("worse-than-baseline", "warning"): "are not shown to be better than {baseline}",
    ("over-fitting", "warning"): "over-fit: the validation loss rises while training goes on",
    ("over-fitting", "info"): "over-fit late, after the epoch that was selected",
    ("under-fitting", "warning"): "under-fit: they get many of their own training images wrong",
    ("still-improving", "warning"): "were still improving when training ended",
    ("stopped-improving", "info"): "had stopped improving long before training ended",
    ("selected-at-edge", "info"): "have a selected epoch at the very start or end of training",
    ("unstable-seeds", "warning"): "vary from {unit} to {unit}",
    ("badly-calibrated", "warning"): "are correct more or less often than their probabilities say",
    (
        "badly-calibrated",
        "info",
    ): "are correct a little more or less often than their probabilities say",
    ("confused-classes", "info"): "confuse a few pairs of classes above all",
    ("weak-classes", "info"): "are weak on single classes",
}


@dataclass(frozen=True)
class Group:
    """One kind of finding: of one model or the study, or of several models at once.

    `text` and `advice` are whole sentences; `each` holds the models' own sentences where there are
    several models, and is empty otherwise.
    """

    code: str
    severity: str
    models: tuple[str, ...]
    text: str
    advice: str
    each: tuple[str, ...]


def grouped(comparison: Comparison) -> list[Group]:
    """Return the findings by code and severity: serious ones first, else in the order given."""
    together: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in comparison.findings:
        about = _baseline(comparison, finding)
        together.setdefault((finding.code, finding.severity, about), []).append(finding)
    found: list[Group] = []
    for (code, severity, about), same in together.items():
        if len(same) > 1 and (code, severity) in _OF_SEVERAL:
            found.append(_of_several(comparison, same, about))
        else:
            found += [
                Group(f.code, f.severity, (f.model,) if f.model else (), f.text, f.advice, ())
                for f in same
            ]
    return sorted(found, key=lambda group: SEVERITIES.index(group.severity))


def _of_several(comparison: Comparison, same: Sequence[Finding], about: str) -> Group:
    """Say findings of one kind about several models at once; `about` names their baseline."""
    code, severity = same[0].code, same[0].severity
    names = tuple(str(finding.model) for finding in same)
    what = _OF_SEVERAL[code, severity].format(
        baseline=baseline_in_words(about), unit=comparison.unit
    )
    who, named = f"{len(names)} models", ""
    if len(names) < len(comparison.models):
        named = f": {listed(shortened(names, most=_MOST_LETTERS).values())}"
    elif what.startswith("are not "):
        who = "Neither model" if len(names) == 2 else f"None of the {who}"
        what = what.replace("are not", "is", 1)
    else:
        who = "Both models" if len(names) == 2 else f"All {who}"
    advice = same[0].advice if len({finding.advice for finding in same}) == 1 else ""
    each = tuple(finding.text if advice else f"{finding.text} {finding.advice}" for finding in same)
    return Group(code, severity, names, f"{who} {what}{named}.", advice, each)


def _baseline(comparison: Comparison, finding: Finding) -> str:
    """Return the baseline that the finding names; "" where it is about none."""
    if finding.code != "worse-than-baseline":
        return ""
    leads = comparison.model(str(finding.model)).leads
    return next(iter(unbeaten_baselines(leads)), "a baseline")
