"""Findings: each check looks at one thing and returns a Finding, or None where there is none.

None also means "not applicable": a study without a validation part has no over-fitting to see.
docs/findings.md says of every code how it is decided. Thresholds are named, with their reason,
at the top of the module that uses them. Checks compare, so they need more than one model's
numbers: each gets the whole Comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bakeoff.checks import answers, failed, learning, protocol
from bakeoff.results import Comparison, Finding, ModelResult

__all__ = ["MODEL_CHECKS", "STUDY_CHECKS", "check"]

STUDY_CHECKS: Mapping[str, Callable[[Comparison], Finding | None]] = {
    "missing-trials": protocol.missing_trials,
    "one-seed": protocol.one_seed,
    "opened-again": protocol.opened_again,
    "opened-elsewhere": protocol.opened_elsewhere,
    "duplicates": protocol.duplicates,
    "small-classes": protocol.small_classes,
    "too-few-seeds": protocol.too_few_seeds,
    "many-models": protocol.many_models,
}
MODEL_CHECKS: Mapping[str, Callable[[ModelResult, Comparison], Finding | None]] = {
    "diverged-run": failed.diverged_run,
    "dead-run": failed.dead_run,
    "constant-prediction": failed.constant_prediction,
    "no-answer": failed.no_answer,
    "chance-level": answers.chance_level,
    "worse-than-baseline": answers.worse_than_baseline,
    "over-fitting": learning.over_fitting,
    "under-fitting": learning.under_fitting,
    "still-improving": learning.still_improving,
    "stopped-improving": learning.stopped_improving,
    "selected-at-edge": learning.selected_at_edge,
    "unstable-seeds": answers.unstable_seeds,
    "badly-calibrated": answers.badly_calibrated,
    "confused-classes": answers.confused_classes,
    "weak-classes": answers.weak_classes,
}
_ORDER = ("serious", "warning", "info")


def check(comparison: Comparison) -> tuple[Finding, ...]:
    """Return all findings: the serious ones first, the study's before its models', best first."""
    found = [look(comparison) for look in STUDY_CHECKS.values()]
    found += [
        look(model, comparison) for model in comparison.models for look in MODEL_CHECKS.values()
    ]
    there = [finding for finding in found if finding is not None]
    return tuple(sorted(there, key=lambda finding: _ORDER.index(finding.severity)))
