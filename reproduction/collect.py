"""Opened studies in, one JSON document out: everything that docs/reproduction.md says.

Numbers have six significant digits, which is more than they are worth; sentences are Bakeoff's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from bakeoff.analysis.compare import compare
from bakeoff.analysis.comparison import Comparison, ModelResult, Score
from bakeoff.analysis.variance import LEVEL
from reproduction import answers, parts, unsealed
from reproduction.optimism import HALVES, bought
from reproduction.reported import DOCUMENTS, Document, Reported

FORMAT = 1
CLOSE = 0.003  # a reported figure this near to our mean agrees with it
SHARES = (0.125, 0.25, 0.5)  # of the test images that choose
_VERSIONS = ("processor", "cores", "device", "python", "bakeoff", "keras", "jax")
_RECIPES = tuple(dict.fromkeys(part.recipe for part in parts.PARTS))

Plain = dict[str, Any]


def collect(root: Path = parts.ROOT, *, kept: Plain | None = None) -> Plain:
    """Return the document, of all studies that have been opened; the others are named in it.

    kept : an earlier document. What it holds of studies of which nothing is opened under `root`,
        trained elsewhere perhaps, is taken from it and named as such.

    Raises
    ------
    StudyError, StorageError
        If a study is there and cannot be read.
    """
    here, sealed = _opened(root)
    earlier = {
        name: study
        for name, study in (kept or {"studies": {}})["studies"].items()
        if name not in here
    }
    studies = {
        name: here.get(name) or earlier[name]
        for name in _RECIPES
        if name in here or name in earlier
    }
    rows = [
        _row(document, reported, studies) for document in DOCUMENTS for reported in document.models
    ]
    document = {
        "format": FORMAT,
        "command": "python -m reproduction write",
        "close": CLOSE,
        "machine": _machine(studies.values()),
        "dates": _dates(studies.values()),
        "sealed": [part.name for part in sealed if part.recipe not in earlier],
        "kept": list(earlier),
        "cuts": 2 * HALVES,
        "hours": _hours(studies.values()),
        "models": rows,
        "summary": _summary(rows),
        "answers": {**answers.answers(studies), "choosing": _choosing(root, kept)},
        "studies": studies,
    }
    plain: Plain = rounded(document)
    return plain


def study_document(comparison: Comparison) -> Plain:
    """Return what is kept of a comparison: Bakeoff's own document and what else is said here."""
    document = comparison.to_json()
    models = [
        {**kept, **_extra(model, comparison)}
        for kept, model in zip(document["models"], comparison.models, strict=True)
    ]
    return {
        "study": document["study"],
        "selection": document["selection"],
        "data": {key: document["data"][key] for key in ("name", "train", "validation", "test")},
        "machine": {
            key: str(comparison.environment[key])
            for key in _VERSIONS
            if key in comparison.environment
        },
        "dates": _days(comparison),
        "openings": [len(lines) for lines in _ledgers(comparison)],
        "margin": document["margin"],
        "give_up": document["give_up"],
        "models": models,
        "baselines": document["baselines"],
        "comparisons": document["comparisons"],
        "recommended": document["recommended"],
        "findings": [each for each in document["findings"] if each["code"] != "opened-again"],
        "missing": document["missing"],
    }


def rounded(value: Any) -> Any:
    """Return plain data with numbers of six significant digits, lists for tuples."""
    if isinstance(value, Mapping):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    if isinstance(value, np.generic):
        return rounded(value.item())
    return float(f"{value:.6g}") if isinstance(value, float) else value


# ── studies ──────────────────────────────────────────────────────────────────────────────────


def _opened(root: Path) -> tuple[dict[str, Plain], list[parts.Part]]:
    """Compare every recipe's opened studies; return the parts that are still sealed, too."""
    found, sealed = {}, []
    for recipe in _RECIPES:
        opened, waiting = parts.folders(recipe, root)
        sealed += waiting
        if opened:
            found[recipe] = study_document(compare(opened))
    return found, sealed


def _ledgers(comparison: Comparison) -> list[list[Mapping[str, Any]]]:
    """Return the ledger's lines by study, one for each opening."""
    by_study: dict[str, dict[Any, Mapping[str, Any]]] = {}
    for line in comparison.ledger:
        by_study.setdefault(line["study"], {})[line["opening"]] = line
    return [list(lines.values()) for lines in by_study.values()]


def _extra(model: ModelResult, comparison: Comparison) -> Plain:
    """Return what Bakeoff's document does not hold: one more run, confusions, curves' best."""
    names = comparison.class_names
    errors = model.confusion - np.diag(np.diag(model.confusion))
    order = np.argsort(-errors, axis=None, kind="stable")[:5]
    places = [np.unravel_index(place, errors.shape) for place in order]
    best = [np.nanmax(h["val_accuracy"]) for h in model.histories if _has(h["val_accuracy"])]
    return {
        "prediction": _prediction(model.accuracy),
        "best_validation": float(np.mean(best)) if best else None,
        "final_losses": [float(h["loss"][-1]) for h in model.histories],
        "first_losses": [float(h["loss"][0]) for h in model.histories],
        "most_answered": [
            {"class": names[int(row.argmax())], "images": int(row.max())} for row in model.predicted
        ],
        "classes": dict(
            zip(names, (s and _score(s) for s in model.per_class_accuracy), strict=True)
        ),
        "confusions": [
            {"truth": names[i], "answer": names[j], "images": float(errors[i, j])}
            for i, j in places
        ],
        "pair_confusions": _pair_confusions(errors, names),
    }


def _pair_confusions(errors: Any, names: Sequence[str]) -> list[Plain]:
    both = np.triu(errors + errors.T, 1)
    places = [
        np.unravel_index(place, both.shape)
        for place in np.argsort(-both, axis=None, kind="stable")[:3]
    ]
    total = float(errors.sum())
    return [
        {"classes": [names[i], names[j]], "share": float(both[i, j]) / total if total else 0.0}
        for i, j in places
    ]


def _has(values: Any) -> bool:
    return bool(np.isfinite(values).any())


def _score(score: Score) -> Plain:
    return {"mean": score.mean, "ci": [score.estimate.low, score.estimate.high]}


def prediction_interval(
    per_seed: ArrayLike, *, binary: bool = True, level: float = LEVEL
) -> tuple[float, float]:
    """Where one more run's score will lie, on the same images; per_seed of shape (n_seeds ≥ 2,).

    mean ± t·sd·√(1 + 1/S) with S − 1 degrees of freedom, clipped to [0, 1], or at 0 for a loss.
    """
    scores = np.asarray(per_seed, dtype=np.float64)
    if scores.ndim != 1 or len(scores) < 2:
        raise ValueError(f"expected the scores of at least 2 seeds, got shape {scores.shape}")
    mean, n_seeds = float(scores.mean()), len(scores)
    t = float(stdtrit(n_seeds - 1, (1 + level) / 2))
    half = t * float(scores.std(ddof=1)) * float(np.sqrt(1 + 1 / n_seeds))
    return max(0.0, mean - half), min(1.0, mean + half) if binary else mean + half


def _prediction(score: Score) -> list[float] | None:
    return list(prediction_interval(score.per_seed)) if len(score.per_seed) > 1 else None


# ── the table ────────────────────────────────────────────────────────────────────────────────


def _row(document: Document, reported: Reported, studies: Mapping[str, Plain]) -> Plain:
    ours = _ours(studies.get(document.notebook), reported.model)
    honest = _ours(studies.get(document.honest), reported.model)
    row: Plain = {
        "model": reported.model,
        "document": document.number,
        "data": document.data,
        "working": reported.working,
        "reported": {k: v for k, v in asdict(reported).items() if k not in ("model", "working")},
        "notebook": ours,
        "honest": honest,
        "gap": None,
        "close": None,
        "inside": None,
        "agrees": None,
    }
    if ours is not None:
        low, high = ours["prediction"] or ours["ci"]
        row["gap"] = ours["mean"] - reported.accuracy
        row["close"] = abs(row["gap"]) <= CLOSE
        row["inside"] = low <= reported.accuracy <= high
        row["agrees"] = row["close"] or row["inside"]
    return row


def _ours(study: Plain | None, name: str) -> Plain | None:
    model = (
        next((each for each in study["models"] if each["name"] == name), None) if study else None
    )
    if model is None:
        return None
    return {
        **{key: model["accuracy"][key] for key in ("mean", "ci", "per_seed")},
        "prediction": model["prediction"],
        "loss": model["loss"],
        "best_validation": model["best_validation"],
        "seeds": len(model["seeds"]),
        "parameters": model["parameters"],
        "seconds_per_trial": model["seconds_per_trial"],
        "selected_epochs": model["selected_epochs"],
    }


def _summary(rows: Sequence[Plain]) -> Plain:
    """Count the models that agree; give the mean of reported − ours with its interval."""
    done = [row for row in rows if row["working"] and row["notebook"]]
    gaps = np.array([-row["gap"] for row in done])
    excess = None
    if len(gaps) > 1:
        error = float(gaps.std(ddof=1)) / len(gaps) ** 0.5
        half = float(stdtrit(len(gaps) - 1, (1 + LEVEL) / 2)) * error
        mean = float(gaps.mean())
        excess = {"mean": mean, "ci": [mean - half, mean + half]}
    return {
        "working": sum(row["working"] for row in rows),
        "trained": len(done),
        "agree": sum(row["agrees"] for row in done),
        "close": sum(row["close"] for row in done),
        "outside": [row["model"] for row in done if not row["agrees"]],
        "above": sum(gap > 0 for gap in gaps.tolist()),
        "excess": excess,
    }


# ── machine, dates, the experiment ───────────────────────────────────────────────────────────


def _machine(studies: Any) -> Plain:
    """Return the environments of all studies; values in which they differ are joined."""
    found = [study["machine"] for study in studies]
    machine = {}
    for key in _VERSIONS:
        values = dict.fromkeys(each[key] for each in found if key in each)
        machine[key] = " + ".join(values)
    return machine


def _days(comparison: Comparison) -> list[str]:
    """Return the first and the last day on which a test set was opened."""
    days = sorted(line["time"][:10] for line in comparison.ledger)
    return [days[0], days[-1]] if days else []


def _dates(studies: Any) -> list[str]:
    days = sorted(day for study in studies for day in study["dates"])
    return [days[0], days[-1]] if days else []


def _hours(studies: Any) -> float:
    """Return the time that all trials took together."""
    seconds = [
        (model["seconds_per_trial"] or 0.0) * len(model["seeds"])
        for study in studies
        for model in study["models"]
    ]
    return sum(seconds) / 3600


def _choosing(root: Path, kept: Plain | None) -> Plain | None:
    """Return what the unsealed experiment says; None where nothing of it is there."""
    found = dict((kept and kept["answers"]["choosing"]) or {})
    for choice in unsealed.CHOICES:
        trials = unsealed.read(choice, root=root)
        if trials is not None:
            found[choice.number] = {
                "models": list(choice.models),
                "seeds": choice.seeds,
                "validation": choice.declared().split.validation.amount,
                "epochs": {name: len(each[0].test) for name, each in trials.items()},
                "seconds": sum(trial.seconds for each in trials.values() for trial in each),
                **_choices(trials),
            }
    return dict(sorted(found.items())) or None


def _choices(trials: Mapping[str, Sequence[unsealed.Watched]]) -> Plain:
    """Choosing the epoch of a given model, and choosing model and epoch together."""
    per_model = [np.stack([trial.test for trial in each]) for each in trials.values()]
    accuracy = [np.stack([trial.accuracy for trial in each]) for each in trials.values()]
    entropy = [np.stack([trial.cross_entropy for trial in each]) for each in trials.values()]
    last = [np.full(len(each), each.shape[1] - 1) for each in per_model]
    epoch_rules = {
        "by_validation": [each.argmax(axis=1) for each in accuracy],
        "by_loss": [each.argmin(axis=1) for each in entropy],
        "last": last,
    }
    both_rules = {
        "by_validation": [np.concatenate(accuracy, axis=1).argmax(axis=1)],
        "by_loss": [np.concatenate(entropy, axis=1).argmin(axis=1)],
    }
    together = [np.concatenate(per_model, axis=1)]
    n_images = together[0].shape[2]
    return {
        "images": n_images,
        "candidates": together[0].shape[1],
        "epoch": asdict(bought(per_model, epoch_rules)),
        "model_and_epoch": asdict(bought(together, both_rules)),
        "by_size": [
            {
                "images": round(share * n_images),
                "optimism": asdict(bought(together, both_rules, share=share))["optimism"],
            }
            for share in SHARES
        ],
    }
