"""Opened studies in, a Comparison out: scores, verdicts, letters, recommendation, findings.

Reads saved results alone, one model's predictions at a time; trains nothing, opens nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.analysis import metrics
from bakeoff.analysis.changed_rules import changed_rules
from bakeoff.analysis.checks import check
from bakeoff.analysis.comparison import BaselineResult, Comparison, Lead, ModelResult, Score
from bakeoff.analysis.environments import differing, joined, of_trials
from bakeoff.analysis.estimates import (
    Estimate,
    estimate,
    estimate_balanced,
    estimate_loss,
    estimate_macro_f1,
)
from bakeoff.analysis.judge import Folds, judged
from bakeoff.analysis.model_scores import ModelScores
from bakeoff.analysis.preference import Order, order
from bakeoff.analysis.race import raced
from bakeoff.analysis.shared_trials import require_none_shared
from bakeoff.analysis.statistics import unit_of
from bakeoff.analysis.tuning import Searched, analysed, read_searches
from bakeoff.analysis.verdicts import Look
from bakeoff.errors import StudyError
from bakeoff.recipe.kept_paths import without_folders
from bakeoff.storage import array_files, formats, thumbnails
from bakeoff.storage.declared_looks import PlannedOpenings, planned_openings
from bakeoff.storage.opened_study import OpenedStudy, Predictions, Trial, read_opened
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.storage.user_ledger import openings_elsewhere
from bakeoff.utils.numbers import mean_of_known

Labels = NDArray[np.int64]
Correct = NDArray[np.bool_]
Names = Sequence[Mapping[str, str]]  # for each study, what its models are called


def compare(folders: Sequence[StudyFolder]) -> Comparison:
    """Compare all models of one study, or of several that share one test set.

    Raises
    ------
    StudyError : no study, a test set still sealed, one folder twice, or different test sets.
    StorageError : a file that is missing or not as it was recorded.
    """
    studies = [read_opened(folder) for folder in folders]
    _require_one_test_set(studies)
    labels, names = studies[0].labels, _names(studies)
    baselines, baselines_correct = _baselines(studies)
    results, correct, files, folds = [], {}, {}, {}
    for name, study, trials, timing in _models(studies, names):
        folds[name] = _folds(trials)
        result, correct[name] = _model_result(
            name, study, trials, timing, labels, baselines_correct
        )
        files[name] = [trial.predictions for trial in trials]
        results.append(result)
    results.sort(key=lambda model: (-model.accuracy.mean, model.parameters, model.name))
    comparison = Comparison(
        **_about(studies, names),
        seeds=tuple(sorted({seed for model in results for seed in model.seeds})),
        margin=min(study.recipe.margin for study in studies),
        give_up=min(study.recipe.give_up for study in studies),
        order=_order(studies, results),
        models=tuple(results),
        baselines=baselines,
        pairs=(),
        recommended=None,
        labels=labels,
        probabilities=Predictions(files),
        race=raced(studies, names, results),
        searches=_searches(studies, names, results),
        pictures=_pictures(studies),
    )
    comparison = judged(comparison, correct, folds)
    return replace(comparison, findings=check(comparison))


# ── studies ──────────────────────────────────────────────────────────────────────────────────


def _require_one_test_set(studies: Sequence[OpenedStudy]) -> None:
    if not studies:
        raise StudyError("expected at least one study's folder, found none: name one")
    seen: set[Any] = set()
    for study in studies:
        place = study.folder.path.resolve()
        if place in seen:
            raise StudyError(
                f"{study.folder.path}: expected different studies, found this one twice: "
                "name each study once"
            )
        seen.add(place)
    require_none_shared(studies)
    first = studies[0]
    for other in studies[1:]:
        if other.data["test_hash"] != first.data["test_hash"]:
            raise StudyError(
                f"expected studies that share one test set, found {_test_set(first)} and "
                f"{_test_set(other)}, which differ: compare studies of the same data, "
                "split.test and split.seed"
            )
        if other.data.get("folds") != first.data.get("folds"):
            raise StudyError(
                f"expected studies with as many folds, found {first.folder.path} and "
                f"{other.folder.path}, which differ: compare studies of one kind of split"
            )
        if not np.array_equal(first.labels, other.labels):
            raise formats.damaged(other.folder.openings()[-1] / "labels.npy")


def _test_set(study: OpenedStudy) -> str:
    return f"{study.folder.path} ({study.data['test']:,} test images of {study.data['name']})"


def _about(studies: Sequence[OpenedStudy], names: Names) -> dict[str, Any]:
    """Return those fields of a Comparison that are about its studies, not their models."""
    first = studies[0]
    ledger = tuple(line for study in studies for line in study.ledger)
    missing = tuple(
        f"{names_of[model]} {unit_of(folded=bool(study.data.get('folds')))} {seed}"
        for study, names_of in zip(studies, names, strict=True)
        for model, seed in study.missing
    )
    changed = tuple(
        replace(each, model=names_of[each.model]).label
        for study, names_of in zip(studies, names, strict=True)
        for each in study.changed
    )
    plan = planned_openings(ledger) if len(studies) == 1 else PlannedOpenings((), 1)
    elsewhere = openings_elsewhere(first.data["test_hash"], ledger)
    return {
        "study": " + ".join(_study_names(studies)),
        "title": first.recipe.title if len(studies) == 1 else None,
        "folders": tuple(study.folder.path for study in studies),
        "data": first.data,
        "class_names": tuple(first.data["class_names"]),
        "selection": " + ".join(dict.fromkeys(study.recipe.selection for study in studies)),
        "test_openings": sum(study.openings for study in studies),
        "look": _look(first, plan),
        "planned_openings": plan.kept,
        "openings_elsewhere": elsewhere and elsewhere.times,
        "shared_elsewhere": elsewhere.share if elsewhere else 0.0,
        "partly_elsewhere": elsewhere is not None and elsewhere.partly,
        "missing": missing,
        "changed_rules": tuple(
            rule for study in studies for rule in changed_rules(study.recipe, study.ledger)
        ),
        "changed": changed,
        "duplicates": _duplicates([study.document.get("duplicates", {}) for study in studies]),
        "ledger": ledger,
        "environment": joined(of_trials(studies)),
        "environments": differing(of_trials(studies)),
    }


def _look(study: OpenedStudy, plan: PlannedOpenings) -> Look | None:
    """Return which declared look the newest opening is; the ledger may hold one that was begun."""
    if not plan.after:
        return None
    there = int(study.folder.openings()[-1].name)
    kept = planned_openings([line for line in study.ledger if line["opening"] <= there]).kept
    return Look(max(1, kept), plan.after)


def _order(studies: Sequence[OpenedStudy], models: Sequence[ModelResult]) -> Order:
    preferred = {study.recipe.prefer for study in studies}
    return order(
        {model.name: model.parameters for model in models},
        {model.name: model.batch_prediction_seconds for model in models},
        prefer="time" if "time" in preferred else "parameters",
        studies=len(studies),
    )


def _searches(
    studies: Sequence[OpenedStudy], names: Names, models: Sequence[ModelResult]
) -> tuple[Searched, ...]:
    """Return all searches that chose, each with the validation accuracies of its choice's seeds."""
    validated = {
        model.name: tuple(a for a in model.validation_accuracy if a is not None) for model in models
    }
    found = []
    for study, names_of in zip(studies, names, strict=True):
        for each in read_searches(study.folder, study.recipe):
            if each.chosen is None:  # it goes on, for a model that nobody tested
                continue
            name = names_of.get(each.model, each.model)
            fresh = validated.get(name, ())
            found.append(analysed(replace(each, model=name, fresh=fresh)))
    return tuple(found)


def _pictures(studies: Sequence[OpenedStudy]) -> thumbnails.Pictures | None:
    """Return the pictures of the first study that has them."""
    data = studies[0].data
    known = {"n_test": int(data["test"]), "n_classes": len(data["class_names"])}
    for study in studies:
        file = study.folder.pictures_file
        found = thumbnails.read(file, test_hash=str(data["test_hash"]), **known)
        if found is not None:
            return found
    return None


def _study_names(studies: Sequence[OpenedStudy]) -> list[str]:
    """Names that tell the studies apart: their own, or else their folders'."""
    names = [study.recipe.name for study in studies]
    often = Counter(names)
    return [
        name if often[name] == 1 else str(study.folder.path)
        for name, study in zip(names, studies, strict=True)
    ]


def _names(studies: Sequence[OpenedStudy]) -> Names:
    """For each study, what its models are called: "study/model" where two have one of that name."""
    declared = [{**study.declared, **study.models, **study.dropped} for study in studies]
    often = Counter(name for models in declared for name in models)
    return [
        {name: name if often[name] == 1 else f"{study}/{name}" for name in models}
        for study, models in zip(_study_names(studies), declared, strict=True)
    ]


def _models(
    studies: Sequence[OpenedStudy], names: Names
) -> list[tuple[str, str, tuple[Trial, ...], Mapping[str, Any]]]:
    """Return every model's name, its study's name, its trials and its prediction times."""
    return [
        (names_of[model], study_name, trials, study.prediction_timing[model])
        for study, study_name, names_of in zip(studies, _study_names(studies), names, strict=True)
        for model, trials in study.models.items()
    ]


def _duplicates(counts: Sequence[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    """For every kind and pair of parts, the largest count of any study."""
    largest: dict[str, dict[str, int]] = {}
    for kind, parts in ((kind, parts) for each in counts for kind, parts in each.items()):
        for pair, count in parts.items():
            here = largest.setdefault(kind, {})
            here[pair] = max(count, here.get(pair, 0))
    return largest


# ── models and baselines ─────────────────────────────────────────────────────────────────────


def _model_result(
    name: str,
    study: str,
    trials: Sequence[Trial],
    timing: Mapping[str, Any],
    labels: Labels,
    baselines: Mapping[str, Correct],
) -> tuple[ModelResult, Correct]:
    """One model's scores, and which predictions were correct, bool (seeds, n_test)."""
    documents = [trial.document for trial in trials]
    first = documents[0]
    scored = ModelScores.of([array_files.read_npy(trial.predictions) for trial in trials], labels)
    sizes, folds = np.bincount(labels, minlength=scored.n_classes), _folds(trials)
    result = ModelResult(
        name=name,
        study=study,
        selection=first["selection"],
        settings=without_folders(first["settings"]),
        parameters=first["parameters"],
        trainable_parameters=first["trainable_parameters"],
        seeds=tuple(trial.seed for trial in trials),
        epochs=first["settings"]["training"]["epochs"],
        selected_epochs=tuple(document["selected_epoch"] for document in documents),
        diverged=tuple(t.seed for t in trials if t.document["diverged_epoch"] is not None),
        diverged_epochs=tuple(document["diverged_epoch"] for document in documents),
        seconds_per_trial=mean_of_known([trial.timing.get("seconds") for trial in trials]),
        prediction_seconds=timing.get("image_seconds"),
        batch_prediction_seconds=timing.get("batch_seconds"),
        group="",
        accuracy=_share(scored.correct, folds),
        loss=_score(scored.losses, estimate_loss(scored.losses, folds=folds)),
        balanced_accuracy=Score(
            estimate_balanced(scored.correct, labels, folds=folds), scored.balanced
        ),
        macro_f1=_score(
            scored.f1, estimate_macro_f1(scored.f1, int(sizes[sizes > 0].min()), folds=folds)
        ),
        per_class_accuracy=tuple(
            _share(scored.correct[:, labels == k], None if folds is None else folds[:, labels == k])
            if sizes[k]
            else None
            for k in range(scored.n_classes)
        ),
        validation_accuracy=tuple(
            (document["validation"] or {}).get("accuracy") for document in documents
        ),
        folded=folds is not None,
        confusion=scored.confusion,
        predicted=scored.predicted,
        calibration=scored.calibration,
        leads={name: _lead(scored.correct, correct, folds) for name, correct in baselines.items()},
        histories=tuple(trial.history for trial in trials),
        remarks=tuple(
            dict.fromkeys(str(each) for d in documents for each in d.get("remarks") or ())
        ),
        ensemble=_ensemble([trial.predictions for trial in trials], labels),
    )
    return result, scored.correct


def _ensemble(files: Sequence[Path], labels: Labels) -> float | None:
    """Return the accuracy of the mean probabilities of several seeds."""
    if len(files) < 2:
        return None
    total: NDArray[Any] = np.zeros(1)
    for file in files:  # one at a time in memory
        total = total + array_files.read_npy(file)
    return float((metrics.predictions(total) == labels).mean())


def _folds(trials: Sequence[Trial]) -> Folds:
    tested = [trial.tested for trial in trials if trial.tested is not None]
    return np.stack(tested) if tested else None


def _share(correct: Correct, folds: Folds) -> Score:
    return _score(correct, estimate(correct, folds=folds))


def _score(scores: NDArray[Any], found: Estimate) -> Score:
    return Score(found, per_seed=tuple(float(value) for value in scores.mean(axis=1)))


def _lead(correct: Correct, baseline: Correct, folds: Folds) -> Lead:
    """Return the model's accuracy minus the baseline's on the same images, with interval."""
    # `estimate` takes shares of [0, 1]; the difference of two scores is −1, 0 or 1.
    found = estimate((correct.astype(np.float64) - baseline + 1) / 2, folds=folds)
    return Lead(2 * found.mean - 1, 2 * found.low - 1, 2 * found.high - 1)


def _baselines(
    studies: Sequence[OpenedStudy],
) -> tuple[tuple[BaselineResult, ...], dict[str, Correct]]:
    """All baselines; of several studies each once, "study/name" where they predict differently."""
    labels, n_classes = studies[0].labels, len(studies[0].data["class_names"])
    results: dict[str, BaselineResult] = {}
    correct: dict[str, Correct] = {}
    for study, study_name in zip(studies, _study_names(studies), strict=True):
        for name, (document, path) in study.baselines.items():
            predicted = metrics.predictions(array_files.read_npy(path))
            found = predicted == labels
            if name in correct and np.array_equal(correct[name], found):
                continue
            key = name if name not in correct else f"{study_name}/{name}"
            correct[key] = found
            results[key] = BaselineResult(
                name=key,
                parameters=document["parameters"],
                accuracy=estimate(found[None]),
                confusion=metrics.confusion_matrix(labels, predicted, n_classes).astype(np.float64),
            )
    return tuple(results.values()), correct
