"""The shape of a comparison's JSON document, of a study still sealed too; nothing is computed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

_STUDY = (
    *("study", "title", "data", "selection", "seeds", "margin", "give_up", "prefer"),
    *(
        "test_openings",
        "looks",
        "openings_elsewhere",
        "exploratory",
        "models",
        "baselines",
        "comparisons",
    ),
    *("headline", "recommended", "findings", "race", "searches", "missing", "changed"),
    *("environment", "environments"),
)
_MODEL = (
    *("name", "study", "parameters", "trainable_parameters", "seeds", "epochs", "selected_epochs"),
    *("diverged", "failed", "seconds_per_trial", "prediction_seconds"),
    *("batch_prediction_seconds", "group", "accuracy", "loss"),
    *("balanced_accuracy", "balanced_accuracy_ci", "macro_f1", "macro_f1_ci"),
    *("per_class_accuracy", "per_class_accuracy_ci"),
)
UNKNOWN_SCORE: Mapping[str, Any] = {"mean": None, "ci": None, "per_seed": None}


def study_document(**known: Any) -> dict[str, Any]:
    """Return the document of a study: what is not given is None; plain data, numbers finite."""
    return _filled(_STUDY, known)


def model_document(**known: Any) -> dict[str, Any]:
    """Return the document of a model, with what only test predictions tell None if not given."""
    scores = {"accuracy": dict(UNKNOWN_SCORE), "loss": dict(UNKNOWN_SCORE)}
    return _filled(_MODEL, {**scores, **known})


def _filled(keys: Sequence[str], known: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = plain({**dict.fromkeys(keys), **known})
    return document


def plain(value: Any) -> Any:
    """Return `value` as JSON's own types; a number that is not finite becomes None."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):  # of NumPy, which `bakeoff status` does without
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
