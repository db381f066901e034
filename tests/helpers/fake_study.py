"""A complete study folder without training: exact accuracies, plausible curves, any mishap wanted.

`write_study` writes what a real run writes, through the same store; with its defaults the study
is healthy, so that no check finds anything. Everything follows from `seed`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from bakeoff import recipe as recipes
from bakeoff.recipe import Recipe
from bakeoff.storage import array_files, atomic, formats, ledger, study_folder, written_folder
from bakeoff.storage.history import history_csv
from bakeoff.storage.study_folder import StudyFolder

DIGITS = tuple(str(digit) for digit in range(10))
Row = dict[str, float | int | None]


@dataclass(frozen=True)
class FakeModel:
    """What a model of the fake study shall look like.

    accuracy : of every seed, or one a seed; the share of correct test images is exactly this,
        rounded to whole images. `confidence` is the probability of the predicted class: by
        default the accuracy, so that the model is calibrated.
    confused : (true class, predicted class) → share of the model's errors that are this confusion;
        the rest is spread evenly.
    history : rows of history.csv for a seed, instead of healthy curves.
    change : given (seed, probabilities), returns the test predictions to save instead.
    """

    accuracy: float | Sequence[float] = 0.9
    seeds: Sequence[int] | None = None  # None: the study's
    parameters: int = 10_000
    units: int = 16
    epochs: int = 12
    confidence: float | None = None
    confused: Mapping[tuple[int, int], float] = field(default_factory=dict)
    history: Callable[[int], Sequence[Row]] | None = None
    selected_epoch: int | Callable[[int], int | None] | None = -1  # -1: where the curve is lowest
    diverged: Mapping[int, int] = field(default_factory=dict)  # seed: epoch
    change: Callable[[int, np.ndarray], np.ndarray] | None = None
    seconds: float | None = 12.5
    predict_seconds: float | None = None  # of an image in a batch
    lost: Sequence[int] = ()  # seeds whose trial is missing
    unopened: Sequence[int] = ()  # seeds trained but not in the opening


def curve_rows(
    epochs: int,
    *,
    final_accuracy: float = 0.9,
    loss: Callable[[int], float] | None = None,
    cross_entropy: Callable[[int], float] | None = None,
    accuracy: Callable[[int], float] | None = None,
    val_accuracy: Callable[[int], float] | None = None,
    validation: bool = True,
    rng: np.random.Generator | None = None,
) -> list[Row]:
    """History rows; functions of the epoch replace parts of curves that level off at the end."""
    floor = -math.log(max(min(final_accuracy, 0.999), 1e-3))

    def healthy(k: int) -> float:
        return floor * (1 + 20 * math.exp(-10 * k / max(1, epochs - 1)))

    def held_out_healthy(k: int) -> float:  # lowest at about three quarters of the training
        way = k / max(1, epochs - 1)
        return healthy(k) + 0.03 * floor * (1 + max(0.0, way - 0.7))

    rows = []
    for k in range(epochs):
        noise = 0.0 if rng is None else float(rng.normal(0, 0.0005))
        train = (loss or healthy)(k)
        held_out = (cross_entropy or held_out_healthy)(k) * (1 + noise)
        rise = 1 - math.exp(-9 * (k + 1) / epochs)
        rows.append(
            {
                "epoch": k,
                "loss": train,
                "accuracy": accuracy(k) if accuracy else final_accuracy * rise + 0.005,
                "val_loss": held_out if validation else None,
                "val_cross_entropy": held_out if validation else None,
                "val_accuracy": (val_accuracy(k) if val_accuracy else final_accuracy * rise)
                if validation
                else None,
                "learning_rate": 0.001,
            }
        )
    return rows


@patch("os.fsync", lambda descriptor: None)  # a tenth of the time; nothing here must survive
def write_study(
    folder: str | Path,
    models: Mapping[str, FakeModel] | None = None,
    *,
    name: str = "fake",
    title: str | None = None,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    n_test: int = 1000,
    n_train: int = 4000,
    n_validation: int = 1000,
    class_names: Sequence[str] = DIGITS,
    labels: np.ndarray | None = None,
    selection: str = "best-loss",
    margin: float = 0.002,
    give_up: float = 0.005,
    prefer: str = "parameters",
    baselines: Mapping[str, float] | None = None,
    openings: int = 1,
    opened: bool = True,
    duplicates: Mapping[str, Mapping[str, int]] | None = None,
    class_counts: Mapping[str, Sequence[int]] | None = None,
    data: str = "digits",
    seed: int = 0,
) -> study_folder.StudyFolder:
    """Write a study and return its folder.

    `labels` are those of the test images (default: classes in turn). `baselines` maps names to
    accuracies; default majority 0.1 and logistic 0.6, as far as there are so many classes. The
    models' mistakes fall on the same hard images, as real models' do.
    """
    models = models or {"mlp": FakeModel(0.93), "cnn": FakeModel(0.945, parameters=30_000)}
    study, n_classes = study_folder.StudyFolder(folder), len(class_names)
    if labels is None:
        labels = np.arange(n_test, dtype=np.int64) % n_classes
    labels = np.asarray(labels, dtype=np.int64)
    if baselines is None:
        baselines = {"majority": float(np.bincount(labels).max()) / len(labels), "logistic": 0.6}
    settings = {
        "name": name,
        **({} if title is None else {"title": title}),
        "data": data,
        "split": {"validation": n_validation},
        "seeds": list(seeds),
        "selection": selection,
        "baselines": list(baselines),
        "margin": margin,
        "give_up": give_up,
        "prefer": prefer,
    }
    recipe = _recipe(settings, models)
    sizes = {"train": n_train, "validation": n_validation, "test": len(labels)}
    test_hash = hashlib.sha256(labels.tobytes() + repr(tuple(class_names)).encode()).hexdigest()
    about_data = {
        "name": data,
        **sizes,
        "test_hash": test_hash,
        "class_names": list(class_names),
        "class_counts": class_counts or _even_counts(sizes, n_classes),
    }
    atomic.write_file(study.recipe_file, recipes.dump(recipe).encode())
    _write_split(study, sizes, n_classes)
    document = _document(study, recipe, about_data)
    document["duplicates"] = duplicates or {"exact": _NO_COPIES, "near": _NO_COPIES}
    atomic.write_file(study.study_file, formats.sealed_json(document))
    rng = np.random.default_rng(seed)
    test = _TestImages(labels, n_classes, hardness=rng.normal(size=len(labels)))
    predictions: dict[str, bytes] = {}
    done: dict[str, list[int]] = {}
    for model_name, model in models.items():
        for at, trial_seed in enumerate(seeds if model.seeds is None else model.seeds):
            if trial_seed in model.lost:
                continue
            _write_trial(study, recipe, model_name, model, trial_seed, n_validation, n_classes)
            if trial_seed not in model.unopened:
                trial_rng = np.random.default_rng([seed, trial_seed, *model_name.encode()])
                file = f"{model_name}/seed-{trial_seed}.npy"
                predictions[file] = _tested(model, test, at, trial_seed, trial_rng)
                done.setdefault(model_name, []).append(trial_seed)
        if model.predict_seconds is not None:
            timing = _timing(0.5, batch_seconds=model.predict_seconds)
            predictions[f"{model_name}/{written_folder.TIMING}"] = timing
    for baseline, share in baselines.items():
        predictions[f"baselines/{baseline}.npy"] = _tested_baseline(baseline, share, test, rng)
        _write_baseline(study, baseline)
    for k in range(1, openings + 1 if opened else 1):
        _open(study, recipe, name, k, predictions, done, list(baselines), labels, test_hash)
    return study


@dataclass(frozen=True)
class _TestImages:
    """The test images: their labels, and how hard each is, for every model alike."""

    labels: NDArray[np.int64]
    n_classes: int
    hardness: NDArray[np.float64]

    def correct(self, share: float, rng: np.random.Generator) -> np.ndarray:
        """Return which images are classified correctly: a share of them, rather the easy ones."""
        return _correct(self.hardness + rng.normal(size=len(self.labels)), share)


def _tested(
    model: FakeModel, test: _TestImages, at: int, seed: int, rng: np.random.Generator
) -> bytes:
    """Return the file of what a trial predicts of the test images; `at` is its seed's position."""
    share = model.accuracy if isinstance(model.accuracy, float) else model.accuracy[at]
    correct = test.correct(share, rng)
    probabilities = fake_probabilities(
        test.labels, correct, test.n_classes, rng, share, model.confidence, model.confused
    )
    if model.change:
        probabilities = model.change(seed, probabilities)
    return array_files.npy_bytes(probabilities)


def _tested_baseline(name: str, share: float, test: _TestImages, rng: np.random.Generator) -> bytes:
    """Return the file of what a baseline predicts of the test images."""
    correct = test.correct(share, rng)
    probabilities = fake_probabilities(test.labels, correct, test.n_classes, rng, share, None, {})
    if name == "majority":
        probabilities = np.zeros_like(probabilities)
        probabilities[:, np.bincount(test.labels).argmax()] = 1
    return array_files.npy_bytes(probabilities)


def write_trio(path: Path) -> StudyFolder:
    """Write a study of three models, of which the larger two are not to be told apart."""
    models = {
        "small": FakeModel([0.900, 0.905, 0.910], seeds=(0, 1, 2), parameters=1_000),
        "big": FakeModel([0.950, 0.940, 0.945, 0.955], seeds=(0, 1, 2, 3), parameters=50_000),
        "twin": FakeModel([0.950, 0.945, 0.948, 0.951], seeds=(0, 1, 2, 3), parameters=60_000),
    }
    return write_study(path, models, name="trio", title="Three <models>")


def correct_predictions(
    study: StudyFolder, model: str, seeds: Iterable[int], opening: str = "1"
) -> NDArray[np.bool_]:
    """Return which test images each seed of a model classifies correctly, (seeds, n_test)."""
    folder = study.path / "openings" / opening
    labels = np.load(folder / "labels.npy")
    rows = [np.load(folder / model / f"seed-{s}.npy").argmax(axis=1) == labels for s in seeds]
    return np.array(rows)


_NO_COPIES = {"train-validation": 0, "train-test": 0, "validation-test": 0}


def fake_probabilities(
    labels: np.ndarray,
    correct: np.ndarray,
    n_classes: int,
    rng: np.random.Generator,
    share: float,
    confidence: float | None,
    confused: Mapping[tuple[int, int], float],
) -> np.ndarray:
    """Probabilities, float32 (n, k), that are correct exactly where `correct` says."""
    predicted = np.where(correct, labels, (labels + rng.integers(1, n_classes, len(labels))))
    predicted %= n_classes
    n_wrong = int((~correct).sum())
    for (truth, other), part in confused.items():
        here = np.flatnonzero(~correct & (labels == truth))
        predicted[here[: round(part * n_wrong)]] = other
    floor = 1 / n_classes + 0.02
    sure = min(max(share if confidence is None else confidence, floor), 0.9999)
    top = np.clip(sure + rng.normal(0, 1e-4, len(labels)), floor, 0.99995)
    probabilities = np.repeat(((1 - top) / (n_classes - 1))[:, None], n_classes, axis=1)
    probabilities[np.arange(len(labels)), predicted] = top
    return probabilities.astype(np.float32)


def _correct(easiness: np.ndarray, share: float) -> np.ndarray:
    correct = np.zeros(len(easiness), dtype=bool)
    correct[np.argsort(easiness, kind="stable")[: round(share * len(easiness))]] = True
    return correct


def _recipe(settings: Mapping[str, Any], models: Mapping[str, FakeModel]) -> Recipe:
    declared = {
        name: {
            "layers": [{"dense": {"units": model.units, "activation": "relu"}}],
            "training": {"epochs": model.epochs},
        }
        for name, model in models.items()
    }
    mapping = {**settings, "models": declared}
    return recipes.parse(mapping, origin="fake", folder=Path.cwd())


def _even_counts(sizes: Mapping[str, int], n_classes: int) -> dict[str, list[int]]:
    return {
        part: np.bincount(np.arange(sizes[part]) % n_classes, minlength=n_classes).tolist()
        for part in ("train", "validation")
    }


def _document(study: StudyFolder, recipe: Recipe, about_data: Mapping[str, Any]) -> dict[str, Any]:
    """Return study.json without what is known of duplicates."""
    return {
        "format": study_folder.FORMAT,
        "name": recipe.name,
        "title": recipe.title,
        "recipe": formats.sha256(study.recipe_file.read_bytes()),
        "split": hashlib.sha256(b"split").hexdigest(),
        "split_file": formats.sha256(study.split_file.read_bytes()),
        "resolved": recipe.resolved(),
        "identities": {each: formats.sha256(each.encode()) for each in recipe.models},
        "data": {
            "hash": hashlib.sha256(b"data").hexdigest(),
            "input_shape": [8, 8, 1],
            "maximum": 16,
            "test_start": None,
            "notes": [],
            **about_data,
        },
        "environment": {
            "python": "3.11.2",
            "bakeoff": "0.1.0",
            "keras": "3.15.1",
            "jax": "0.10.2",
            "numpy": "2.3.0",
            "platform": "Linux-x86_64",
            "device": "cpu",
            "cores": 2,
        },
        "created": "2026-01-02T03:04:05+00:00",
    }


def _write_split(study: StudyFolder, sizes: Mapping[str, int], n_classes: int) -> None:
    positions = np.arange(sum(sizes.values()), dtype=np.int64)
    ends = [sizes["train"], sizes["train"] + sizes["validation"]]
    train, validation, test = np.split(positions, ends)
    np.savez(
        study.split_file,
        train=train,
        validation=validation,
        test=test,
        validation_labels=np.arange(len(validation), dtype=np.int64) % n_classes,
    )


def _write_baseline(study: StudyFolder, name: str) -> None:
    files = {
        "baseline.json": formats.canonical({"name": name, "parameters": 650}),
        "weights.safetensors": array_files.weights_bytes({"kernel": np.zeros(3, np.float32)}),
        written_folder.TIMING: _timing(1.0),
    }
    written_folder.write_folder(study.baseline(name), files, scratch=study.path / "scratch")


def _write_trial(
    study: StudyFolder,
    recipe: Recipe,
    name: str,
    model: FakeModel,
    seed: int,
    n_validation: int,
    n_classes: int,
) -> None:
    rng = np.random.default_rng([seed, 7])
    share = model.accuracy if isinstance(model.accuracy, float) else float(np.mean(model.accuracy))
    rows = list(
        model.history(seed)
        if model.history
        else curve_rows(model.epochs, final_accuracy=share, validation=bool(n_validation), rng=rng)
    )
    diverged = model.diverged.get(seed)
    if diverged is not None:
        rows = _diverging(rows, diverged)
    selected = model.selected_epoch
    if callable(selected):
        selected = selected(seed)
    elif selected == -1:
        selected = _select(rows, recipe.selection, diverged)
    files = {
        "trial.json": formats.canonical(
            {
                "model": name,
                "seed": seed,
                "selection": recipe.selection,
                "settings": recipe.models[name].resolved(),
                "input_shape": [8, 8, 1],
                "n_classes": n_classes,
                "parameters": model.parameters,
                "trainable_parameters": model.parameters,
                "epochs_trained": len(rows),
                "selected_epoch": selected,
                "diverged_epoch": diverged,
                "validation": _validation(rows, selected, n_validation),
            }
        ),
        "history.csv": history_csv(rows),
        "weights.safetensors": array_files.weights_bytes({"kernel": np.zeros(3, np.float32)}),
    }
    if n_validation:
        truth = np.arange(n_validation, dtype=np.int64) % n_classes
        correct = _correct(rng.normal(size=n_validation), share)
        probabilities = fake_probabilities(truth, correct, n_classes, rng, share, None, {})
        files["validation.npy"] = array_files.npy_bytes(probabilities)
    if model.seconds is not None:
        files[written_folder.TIMING] = _timing(model.seconds)
    written_folder.write_folder(study.trial(name, seed), files, scratch=study.path / "scratch")


def _diverging(rows: Sequence[Row], epoch: int) -> list[Row]:
    """Return the rows up to an epoch whose losses are not finite."""
    lost = {"loss": math.nan, "val_loss": math.nan, "val_cross_entropy": math.nan}
    kept = rows[: epoch + 1]
    return [*kept[:-1], {**kept[-1], **lost}]


def _validation(rows: Sequence[Row], selected: int | None, images: int) -> dict[str, Any] | None:
    """Return what trial.json says of the validation images; None without any."""
    if not images:
        return None
    at = rows[selected or 0]
    return {
        "images": images,
        "accuracy": at["val_accuracy"],
        "cross_entropy": None if selected is None else at["val_cross_entropy"],
    }


def _select(rows: Sequence[Row], selection: str, diverged: int | None) -> int | None:
    usable = rows if diverged is None else rows[:diverged]
    if not usable:
        return None
    if selection == "last" or usable[0]["val_cross_entropy"] is None:
        return len(usable) - 1
    if selection == "best-accuracy":
        return int(np.argmax(np.array([row["val_accuracy"] for row in usable], float)))
    return int(np.argmin(np.array([row["val_cross_entropy"] for row in usable], float)))


def _timing(seconds: float, **more: float) -> bytes:
    return formats.sealed_json(
        {
            "seconds": seconds,
            **more,
            "started": "2026-01-02T03:04:05+00:00",
            "finished": "2026-01-01T03:04:17+00:00",
        }
    )


def _open(
    study: StudyFolder,
    recipe: Recipe,
    name: str,
    k: int,
    predictions: Mapping[str, bytes],
    done: Any,
    baselines: Any,
    labels: NDArray[np.int64],
    test_hash: str,
) -> None:
    opening = {"opening": k, "models": done, "baselines": baselines, "test": test_hash}
    files = {
        **predictions,
        "labels.npy": array_files.npy_bytes(labels),
        "opening.json": formats.canonical(opening),
    }
    written_folder.write_folder(
        study.path / "openings" / str(k), files, scratch=study.path / "scratch"
    )
    ledger.append_ledger(study.ledger_file, ledger_entry(name, k, done, recipe, test_hash))


def ledger_entry(name: str, k: int, done: Any, recipe: Recipe, test_hash: str) -> dict[str, Any]:
    """Return a line as a study appends it to its ledger."""
    return {
        "opening": k,
        "time": f"2026-01-0{k}T03:05:00+00:00",
        "study": name,
        "recipe": formats.sha256(formats.canonical(recipe.resolved())),
        "split": hashlib.sha256(b"split").hexdigest(),
        "test": test_hash,
        "models": done,
    }
