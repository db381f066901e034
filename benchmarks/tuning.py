"""Tuning beside KerasTuner and Optuna around a plain `fit`, and a race beside the same study whole.

    python -m benchmarks.tuning search dense-dropout     one after another, with three seeds
    python -m benchmarks.tuning race                     nine models, with a race and without
    python -m benchmarks.tuning page                     prints what is measured, in Markdown

Bakeoff tries 40 settings, and the others have the time that it took. What is measured is kept in
.bench/tuning.jsonl; the same command goes on where it stopped. All draw from the same choices,
train on the same images and are judged on the same validation images, epoch by epoch, over wall
time from the start of their process; nobody sees a test image. Measure on a machine that does
nothing else.
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
from bakeoff.utils.text import duration, percent
from benchmarks.contestants import REPOSITORY
from benchmarks.journal import Journal, Line
from benchmarks.machine import identity, searching

FOLDER = REPOSITORY / ".bench"
OPPONENTS = {"hyperband": "KerasTuner's Hyperband", "optuna": "Optuna and a plain Keras fit"}
EVERYBODY = {"bakeoff": "Bakeoff (tpe, median pruning)", **OPPONENTS}
_SHOWN = (0.1, 0.25, 0.5, 1.0)  # of Bakeoff's time, in the table
_SAME = 1e-6  # between accuracies

Points = list[tuple[float, float]]  # seconds and validation accuracy, one for each epoch

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
EPOCHS = {"dense-dropout": 15, "cnn": 4}
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


def carried_out(name: str, search: Search, *, minutes: float | None, python: str) -> Points:
    """Return (seconds, validation accuracy) of every epoch of a search, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        order = {**vars(search), "minutes": minutes, "folder": folder}
        if name != "bakeoff":
            order |= _for_keras(search, Path(folder))
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "2"}
        if name != "bakeoff":
            environment["KERAS_BACKEND"] = BACKEND[search.workload]
        order["started"] = time.time()
        command = [python, "-m", "benchmarks.searching", name, json.dumps(order)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    points = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not points:
        raise UsageError(f"{name}: expected a search, found none: see what it wrote above")
    return [(each["seconds"], each["accuracy"]) for each in points]


def _for_keras(search: Search, folder: Path) -> dict[str, Any]:
    """Write the images to a folder; return what else the searches of Keras are told."""
    data, split = load_split(search.recipe)
    for kind, rows in (("", split.train), ("held", split.validation)):
        images = (data.images[rows] / data.maximum).astype(np.float32)
        np.save(folder / f"{kind or 'images'}.npy", images)
        np.save(folder / f"{'truth' if kind else 'labels'}.npy", data.labels[rows])
    return {"choices": CHOICES[search.workload], "n_classes": data.n_classes}


def best_by(points: Points, seconds: float) -> float | None:
    """Return the highest accuracy reached by then; None before the first."""
    return max((accuracy for at, accuracy in points if at <= seconds), default=None)


def median_by(curves: Sequence[Points], seconds: float) -> float | None:
    """Return the median over searches of the best by then; None before most have one."""
    found = sorted(best_by(points, seconds) or 0.0 for points in curves)
    return float(np.median(found)) or None if found else None


def search_all(search: Search, journal: Journal, python: str) -> None:
    """Carry out the search with everybody who has not done it yet, Bakeoff first."""
    where = _where(search)
    for name in EVERYBODY:
        if journal.lines("searched", contestant=name, **where):
            continue
        _say(f"{search.workload}, seed {search.seed}: {EVERYBODY[name]}")
        minutes = None
        if name != "bakeoff":
            ours = journal.lines("searched", contestant="bakeoff", **where)[-1]["points"]
            minutes = max(at for at, _ in ours) / 60
        points = carried_out(name, search, minutes=minutes, python=python)
        journal.append("searched", contestant=name, points=points, **where)


def _where(search: Search) -> dict[str, Any]:
    return {**vars(search), "backend": BACKEND[search.workload], "searching": searching()}


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
    """Return what is measured, as Markdown: of searches, the seeds that everybody has."""
    parts = []
    measured = {(line["workload"], line["data"]) for line in journal.lines("searched")}
    for workload, data in sorted(measured):
        same = {"workload": workload, "data": data, "searching": searching()}
        lines = {
            name: {
                line["seed"]: line for line in journal.lines("searched", contestant=name, **same)
            }
            for name in EVERYBODY
        }
        seeds = sorted(set.intersection(*(set(each) for each in lines.values())))
        if seeds:
            curves = {name: [_points(each[seed]) for seed in seeds] for name, each in lines.items()}
            parts += ["\n".join(_table(lines["bakeoff"][seeds[0]], seeds, curves))]
            parts += [_against(curves)]
    for line in journal.lines("race", kind_of="race"):
        for other in journal.lines("race", kind_of="whole", study=line["study"]):
            parts.append(_saved(line, other))
    return "\n\n".join(parts) or "nothing is measured yet"


def _points(line: Line) -> Points:
    return [(at, accuracy) for at, accuracy in line["points"]]


def _table(first: Line, seeds: Sequence[int], curves: dict[str, list[Points]]) -> list[str]:
    """Return the medians over the seeds at some moments, a row for each contestant."""
    end = _end(curves)
    titles = [f"after {duration(share * end)}" for share in _SHOWN]
    titles += ["first epoch after", "epochs a minute"]
    rows = [
        f"{first['workload']} on {first['data']}, {first['settings']} settings of at most "
        f"{first['epochs']} epochs; Keras on {first['backend']}; the median of seeds "
        f"{', '.join(map(str, seeds))}:",
        "",
        "| best validation accuracy | " + " | ".join(titles) + " |",
        "| --- " * (len(titles) + 1) + "|",
    ]
    for name, words in EVERYBODY.items():
        cells = [median_by(curves[name], share * end) for share in _SHOWN]
        pace = np.median([60 * len(points) / points[-1][0] for points in curves[name]])
        begun = np.median([points[0][0] for points in curves[name]])
        shown = ["–" if best is None else percent(best) for best in cells]
        shown += [duration(float(begun)), f"{pace:.0f}"]
        rows.append(f"| {words} | {' | '.join(shown)} |")
    return rows


def _end(curves: dict[str, list[Points]]) -> float:
    """Return how long everybody searched, in seconds: the shortest of Bakeoff's searches."""
    return min(points[-1][0] for points in curves["bakeoff"])


def _against(curves: dict[str, list[Points]]) -> str:
    """Return where others were ahead of Bakeoff, and how soon it had the best they reached."""
    moments = sorted({at for each in curves.values() for points in each for at, _ in points})
    moments = [at for at in moments if at <= _end(curves)]
    medians = {name: [median_by(curves[name], at) for at in moments] for name in EVERYBODY}
    return " ".join(_beside(name, moments, medians) for name in OPPONENTS)


def _beside(name: str, moments: Sequence[float], medians: dict[str, list[float | None]]) -> str:
    """Return two sentences about one other, at the moments at which both have a median."""
    both = [
        (at, theirs - ours)
        for at, theirs, ours in zip(moments, medians[name], medians["bakeoff"], strict=True)
        if theirs is not None and ours is not None
    ]
    ahead = [(at, gap) for at, gap in both if gap > _SAME]
    words, last = OPPONENTS[name], medians[name][-1] or 0.0
    first = f"{words} was ahead of Bakeoff at {len(ahead)} of {len(both)} moments"
    if ahead:
        most = 100 * max(gap for _, gap in ahead)
        first += f", last after {duration(ahead[-1][0])}, by at most {most:.2f} points"
    theirs, ours = (
        next(
            (at for at, each in zip(moments, medians[who], strict=True) if reached(each, last)),
            None,
        )
        for who in (name, "bakeoff")
    )
    if theirs is None or ours is None:
        return f"{first}; Bakeoff did not reach its best, {percent(last)}."
    return (
        f"{first}; its best, {percent(last)}, it had after {duration(theirs)}, Bakeoff after "
        f"{duration(ours)}, {theirs / ours:.1f} times as soon."
    )


def reached(accuracy: float | None, wanted: float) -> bool:
    """Say whether an accuracy is as high; Keras adds in float32."""
    return accuracy is not None and accuracy >= wanted - _SAME


def _saved(line: Line, other: Line) -> str:
    """Return what a race saved beside the same study whole."""
    same = "the same" if line["best"] == other["best"] else "another"
    seconds = line["seconds"]  # of a trial, measured in the race
    took, whole = (
        sum(count * seconds[name] for name, count in each["trials"].items())
        for each in (line, other)
    )
    counts = [sum(each["trials"].values()) for each in (line, other)]
    return (
        f"{line['study']}: {counts[0]} of {counts[1]} trials, "
        f"{percent(1 - took / whole, 0)} of the training time saved; dropped "
        f"{', '.join(f'{n} ({k} seeds)' for n, k in line['dropped'].items()) or 'nobody'}; "
        f"{same} model first ({line['best']}), headline with the race: "
        f"{line['headline']}; without: {other['headline']}"
    )


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
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--recipe", default="honest-002", help="of the race")
    parser.add_argument("--python", default=sys.executable, help="of all searches")
    options = parser.parse_args(argv)
    journal = Journal(FOLDER / "tuning.jsonl", identity=identity())
    if options.part == "search":
        epochs = options.epochs or EPOCHS[options.workload]
        for seed in options.seeds:
            search = Search(options.workload, options.data, options.settings, epochs, seed)
            search_all(search, journal, options.python)
    elif options.part == "race":
        race(recipes.load(options.recipe), FOLDER / "races", journal)
    _say(page(journal))


if __name__ == "__main__":
    main()
