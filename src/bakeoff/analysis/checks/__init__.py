"""Findings: each check looks at one thing and returns a Finding, or None where there is none.

None also means "not applicable": a study without a validation part has no over-fitting to see.
docs/findings.md says of every code how it is decided. Thresholds are named, with their reason,
at the top of the module that uses them. Checks compare, so they need more than one model's
numbers: each gets the whole Comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bakeoff.analysis.checks import (
    builders,
    failed_runs,
    learning_curves,
    openings,
    parts,
    predictions,
    searches,
    study_design,
)
from bakeoff.analysis.comparison import Comparison, Finding, ModelResult

__all__ = ["MODEL_CHECKS", "SEVERITIES", "STUDY_CHECKS", "check"]

STUDY_CHECKS: Mapping[str, Callable[[Comparison], Finding | None]] = {
    "missing-trials": openings.missing_trials,
    "changed-trials": openings.changed_trials,
    "one-seed": study_design.one_seed,
    "few-seeds": study_design.few_seeds,
    "rules-changed": openings.rules_changed,
    "opened-again": openings.opened_again,
    "opened-elsewhere": openings.opened_elsewhere,
    "mixed-environments": openings.mixed_environments,
    "duplicates": parts.duplicates,
    "small-classes": parts.small_classes,
    "too-few-seeds": study_design.too_few_seeds,
    "many-models": study_design.many_models,
    "unseen-failures": study_design.unseen_failures,
    "unequal-searches": searches.unequal_searches,
}
MODEL_CHECKS: Mapping[str, Callable[[ModelResult, Comparison], Finding | None]] = {
    "scales-again": builders.scales_again,
    "pixels-lost": builders.pixels_lost,
    "same-initial-weights": builders.same_initial_weights,
    "same-random-draws": builders.same_random_draws,
    "compiled": builders.compiled,
    "nothing-trained": builders.nothing_trained,
    "diverged-run": failed_runs.diverged_run,
    "dead-run": failed_runs.dead_run,
    "constant-prediction": failed_runs.constant_prediction,
    "no-answer": failed_runs.no_answer,
    "test-below-validation": predictions.test_below_validation,
    "chance-level": predictions.chance_level,
    "worse-than-baseline": predictions.worse_than_baseline,
    "over-fitting": learning_curves.over_fitting,
    "under-fitting": learning_curves.under_fitting,
    "still-improving": learning_curves.still_improving,
    "stopped-improving": learning_curves.stopped_improving,
    "selected-at-edge": learning_curves.selected_at_edge,
    "unstable-seeds": predictions.unstable_seeds,
    "badly-calibrated": predictions.badly_calibrated,
    "confused-classes": predictions.confused_classes,
    "weak-classes": predictions.weak_classes,
    "search-at-edge": searches.best_at_edge,
    "settings-alike": searches.settings_alike,
}
SEVERITIES = ("serious", "warning", "info")  # in the order in which findings are shown


def check(comparison: Comparison) -> tuple[Finding, ...]:
    """Return all findings: the serious ones first, the study's before its models', best first."""
    found = [each(comparison) for each in STUDY_CHECKS.values()]
    found += [
        each(model, comparison) for model in comparison.models for each in MODEL_CHECKS.values()
    ]
    there = [finding for finding in found if finding is not None]
    return tuple(sorted(there, key=lambda finding: SEVERITIES.index(finding.severity)))
