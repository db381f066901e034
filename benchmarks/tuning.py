"""Tuning beside KerasTuner and Optuna around a plain `fit`, and a race beside the same study whole.

    python -m benchmarks.tuning search dense-dropout     40 settings each, one after another
    python -m benchmarks.tuning race                     nine models, with a race and without
    python -m benchmarks.tuning page                     prints what is measured, in Markdown

What is measured is kept in .bench/tuning.jsonl; the same command goes on where it stopped. All draw
from the same choices, train on the same images and are judged on the same validation images, epoch
by epoch, over wall time; nobody sees a test image. Measure on a machine that does nothing else.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff import recipe as recipes
from bakeoff.errors import UsageError
from bakeoff.recipe.types import Race
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.create import load_split, prepare
from bakeoff.study.run import run
from bakeoff.study.tune import tune
from bakeoff.utils.events import EpochResult, Watcher
from bakeoff.utils.text import duration, percent
from benchmarks.contestants import REPOSITORY
from benchmarks.journal import Journal
from benchmarks.machine import cores, identity

FOLDER = REPOSITORY / ".bench"
OPPONENTS = {"hyperband": "KerasTuner's Hyperband", "optuna": "Optuna and a plain Keras fit"}
EVERYBODY = {"bakeoff": "Bakeoff (tpe, median pruning)", **OPPONENTS}
_LONGER = 2.2  # times Bakeoff's time that the others get: enough to see twice as fast
_SHOWN = (0.25, 0.5, 1.0, 2.0)  # of Bakeoff's time, in the table

RATE = {"log": [0.0001, 0.01]}
CHOICES: dict[str, dict[str, Any]] = {
    "dense-dropout": {
        "units": {"choice": [128, 256, 512, 1024]},
        "rate": {"uniform": [0.0, 0.6]},
        "learning_rate": RATE,
        "batch_size": {"choice": [64, 128, 256]},
    },
    "cnn": {
        "filters": {"choice": [8, 16, 32]},
        "filters_2": {"choice": [16, 32, 64]},
        "units": {"choice": [32, 64, 128, 256]},
        "rate": {"uniform": [0.0, 0.6]},
        "learning_rate": RATE,
        "batch_size": {"choice": [64, 128, 256]},
    },
}
EPOCHS = {"dense-dropout": 15, "cnn": 6}
BACKEND = {"dense-dropout": "jax", "cnn": "tensorflow"}  # Keras's fastest: docs/benchmarks.md


@dataclass(frozen=True)
class Search:
    """A search that all contestants carry out."""

    workload: str
    data: str
    settings: int
    epochs: int
    seed: int

    @property
    def recipe(self) -> recipes.Recipe:
        """The search as a recipe of Bakeoff."""
        choices = CHOICES[self.workload]
        layers: list[Any] = []
        if self.workload == "cnn":
            for name in ("filters", "filters_2"):
                conv = {"filters": choices[name], "kernel_size": 3, "activation": "relu"}
                layers += [{"conv2d": conv}, {"max_pooling2d": 2}]
        layers += [
            {"dense": {"units": choices["units"], "activation": "relu"}},
            {"dropout": choices["rate"]},
        ]
        training = {
            "epochs": self.epochs,
            "batch_size": choices["batch_size"],
            "optimizer": {"adam": {"learning_rate": choices["learning_rate"]}},
        }
        search = {"settings": self.settings, "pruning": "median", "seed": self.seed}
        raw = {
            "name": f"tune-{self.workload}",
            "data": self.data,
            "seeds": 1,
            "baselines": [],
            "selection": "best-accuracy",
            "search": search,
            "models": {self.workload: {"training": training, "layers": layers}},
        }
        return recipes.parse(raw, origin="benchmark", folder=Path.cwd())


class Curve(Watcher):
    """Writes down every epoch's validation accuracy and when it was reached."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self.points: list[tuple[float, float]] = []

    def epoch(self, label: str, result: EpochResult) -> None:
        """Write an epoch down."""
        if result.val_accuracy is not None:
            self.points.append((time.perf_counter() - self._started, result.val_accuracy))


def bakeoff(search: Search) -> list[tuple[float, float]]:
    """Return (seconds, validation accuracy) of every epoch of Bakeoff's search.

    Its clock runs while images are loaded and workers start; that of the others does not.
    """
    with tempfile.TemporaryDirectory() as folder:
        curve, place = Curve(), Path(folder) / "study"
        tune(search.recipe, out=place, workers=cores(), device="cpu", watcher=curve)
        return curve.points


def opponent(
    name: str, search: Search, *, minutes: float, python: str
) -> list[tuple[float, float]]:
    """Return the same of another's search, in a process of its own on all cores."""
    data, split = load_split(search.recipe)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for kind, rows in (("", split.train), ("held", split.validation)):
            images = (data.images[rows] / data.maximum).astype(np.float32)
            np.save(place / f"{kind or 'images'}.npy", images)
            np.save(place / f"{'truth' if kind else 'labels'}.npy", data.labels[rows])
        order = {
            **vars(search),
            "choices": CHOICES[search.workload],
            "n_classes": data.n_classes,
            "minutes": minutes,
            "folder": folder,
        }
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "2"}
        environment["KERAS_BACKEND"] = BACKEND[search.workload]
        command = [python, "-m", "benchmarks.keras_tuners", name, json.dumps(order)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    points = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not points:
        raise UsageError(f"{name}: expected a search, found none: see what it wrote above")
    return [(each["seconds"], each["accuracy"]) for each in points]


def best_by(points: Sequence[tuple[float, float]], seconds: float) -> float | None:
    """Return the highest accuracy reached by then; None before the first."""
    return max((accuracy for at, accuracy in points if at <= seconds), default=None)


def time_to(points: Sequence[tuple[float, float]], accuracy: float) -> float | None:
    """Return when so high an accuracy was first reached; None where it never was."""
    return min((at for at, each in points if each >= accuracy), default=None)


def search_all(search: Search, journal: Journal, python: str) -> None:
    """Carry out the search with everybody who has not done it yet, Bakeoff first."""
    where = {**vars(search), "backend": BACKEND[search.workload]}
    for name in EVERYBODY:
        if journal.lines("search", contestant=name, **where):
            continue
        _say(f"{search.workload}: {EVERYBODY[name]}")
        if name == "bakeoff":
            points = bakeoff(search)
        else:
            ours = journal.lines("search", contestant="bakeoff", **where)[-1]["points"]
            minutes = _LONGER * max(at for at, _ in ours) / 60
            points = opponent(name, search, minutes=minutes, python=python)
        journal.append("search", contestant=name, points=points, **where)


def race(recipe: recipes.Recipe, folder: Path, journal: Journal) -> None:
    """Train a study with a race and without, and write down what both say.

    A trial has the same bytes in both, so the second takes over those that the first has trained.
    """
    raced = recipe.model_copy(update={"race": Race(after=(3, 5)), "name": f"{recipe.name}-race"})
    whole = recipe.model_copy(update={"race": None})
    for kind, each in (("race", raced), ("whole", whole)):
        if journal.lines("race", study=recipe.name, kind_of=kind):
            continue
        _say(f"{recipe.name}: {kind}")
        study = StudyFolder(folder / each.name)
        if kind == "whole" and not study.study_file.exists():
            prepare(each, study, device="cpu")
            trained = folder / raced.name / "trials"
            shutil.copytree(trained, study.path / "trials", dirs_exist_ok=True)
        said = run(each, out=study.path, device="cpu").to_json()
        dropped = said["race"]["dropped"] if said["race"] else []
        journal.append(
            "race",
            study=recipe.name,
            kind_of=kind,
            headline=said["headline"]["text"],
            best=said["models"][0]["name"],
            trials={m["name"]: len(m["seeds"]) for m in [*said["models"], *dropped]},
            seconds={m["name"]: m["seconds_per_trial"] for m in [*said["models"], *dropped]},
            dropped={m["name"]: m["after"] for m in dropped},
        )


def page(journal: Journal) -> str:
    """Return what is measured, as Markdown."""
    parts = []
    for line in journal.lines("search", contestant="bakeoff"):
        keys = ("workload", "data", "settings", "epochs", "seed", "backend")
        where = {key: line[key] for key in keys}
        ours = [(at, accuracy) for at, accuracy in line["points"]]
        end = max(at for at, _ in ours)
        titles = [f"after {duration(share * end)}" for share in _SHOWN]
        titles += ["its best score, after", "Bakeoff had that score after", "epochs a minute"]
        rows = [
            f"{line['workload']} on {line['data']}, {line['settings']} settings of at most "
            f"{line['epochs']} epochs; Keras on {line['backend']}; seed {line['seed']}:",
            "",
            "| best validation accuracy | " + " | ".join(titles) + " |",
            "| --- " * (len(titles) + 1) + "|",
        ]
        for name, words in EVERYBODY.items():
            for each in journal.lines("search", contestant=name, **where):
                points = [(at, accuracy) for at, accuracy in each["points"]]
                rows.append(f"| {words} | {' | '.join(_cells(points, ours, end))} |")
        parts.append("\n".join(rows))
    for line in journal.lines("race", kind_of="race"):
        for other in journal.lines("race", kind_of="whole", study=line["study"]):
            same = "the same" if line["best"] == other["best"] else "another"
            seconds = line["seconds"]  # of a trial, measured in the race
            took, whole = (
                sum(count * seconds[name] for name, count in each["trials"].items())
                for each in (line, other)
            )
            counts = [sum(each["trials"].values()) for each in (line, other)]
            parts.append(
                f"{line['study']}: {counts[0]} of {counts[1]} trials, "
                f"{percent(1 - took / whole, 0)} of the training time saved; dropped "
                f"{', '.join(f'{n} ({k} seeds)' for n, k in line['dropped'].items()) or 'nobody'}; "
                f"{same} model first ({line['best']}), headline with the race: "
                f"{line['headline']}; without: {other['headline']}"
            )
    return "\n\n".join(parts) or "nothing is measured yet"


def _cells(
    points: Sequence[tuple[float, float]], ours: Sequence[tuple[float, float]], end: float
) -> list[str]:
    """Return a contestant's row of the table, beside what Bakeoff had reached."""
    found = [best_by(points, share * end) for share in _SHOWN]
    top = max(accuracy for _, accuracy in points)
    reached, bakeoffs = time_to(points, top), time_to(ours, top - 1e-6)  # Keras adds in float32
    last = max(at for at, _ in points)
    return [
        *("–" if best is None else percent(best) for best in found),
        f"{percent(top)}, {duration(reached or last)}",
        duration(bakeoffs) if bakeoffs else f"not in {duration(end)}",
        f"{60 * len(points) / last:.0f}",
    ]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> None:
    """Carry out a command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tuning", description=__doc__)
    parser.add_argument("part", choices=("search", "race", "page"))
    parser.add_argument("workload", nargs="?", choices=tuple(CHOICES), default="dense-dropout")
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--settings", type=int, default=40)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recipe", default="honest-002", help="of the race")
    parser.add_argument("--python", default=sys.executable, help="of KerasTuner and Optuna")
    options = parser.parse_args(argv)
    journal = Journal(FOLDER / "tuning.jsonl", identity=identity())
    if options.part == "search":
        epochs = options.epochs or EPOCHS[options.workload]
        search = Search(options.workload, options.data, options.settings, epochs, options.seed)
        search_all(search, journal, options.python)
    elif options.part == "race":
        race(recipes.load(options.recipe), FOLDER / "races", journal)
    _say(page(journal))


if __name__ == "__main__":
    main()
