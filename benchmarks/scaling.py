"""Time and memory of one worker as the work grows, along one axis at a time; the largest worker."""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff import recipe as recipes
from bakeoff.errors import BakeoffError
from bakeoff.recipe import ModelRecipe
from bakeoff.recipe.architecture import describe
from bakeoff.study.jobs.checkpoints import CHECKPOINT_SECONDS
from bakeoff.study.jobs.development_data import write_development
from benchmarks.contestants import BY_NAME, REPOSITORY
from benchmarks.journal import Journal
from benchmarks.speed import Say
from benchmarks.workloads import Material, material

SHAPE = {"pixels": 28, "channels": 1, "classes": 10}  # of MNIST
AXES: dict[str, tuple[int, ...]] = {  # how many times as many; of SHAPE's, how many
    **dict.fromkeys(("images", "epochs", "seeds", "width"), (2, 4, 8)),
    "pixels": (64, 128),
    "channels": (3, 8),
    "classes": (100, 1000),
}
TARGET_BYTES = 900e6
_WIDTH, _EPOCHS = 64, 2
_MNIST = "notebook-001"  # a recipe that trains on all of MNIST's training images


@dataclass(frozen=True)
class TrialCase:
    """So many times the images (MNIST repeated), epochs, seeds and units of a small network.

    Or images of so many pixels a side or channels, MNIST's repeated beside one another, or so many
    classes.
    """

    axis: str
    factor: int

    def times(self, axis: str) -> int:
        """Return the factor along an axis."""
        return self.factor if axis == self.axis else 1

    def shape(self, axis: str) -> int:
        """Return how many pixels a side, channels or classes there are."""
        return self.factor if axis == self.axis else SHAPE[axis]


def cases() -> list[TrialCase]:
    """Return the cases; the first, with every factor 1, belongs to all axes."""
    return [
        TrialCase("all", 1),
        *(TrialCase(axis, factor) for axis, factors in AXES.items() for factor in factors),
    ]


def model(case: TrialCase) -> ModelRecipe:
    """Return the case's network: two equal layers, Adam, batch 128."""
    layer = {"dense": {"units": _WIDTH * case.times("width"), "activation": "relu"}}
    training = {"epochs": _EPOCHS * case.times("epochs"), "batch_size": 128, "optimizer": "adam"}
    declared = {"layers": [layer, layer], "training": training}
    mapping = {"name": "scaling", "data": "mnist", "models": {"mlp": declared}}
    return recipes.parse(mapping, origin="scaling", folder=Path.cwd()).models["mlp"]


def work(case: TrialCase, network: ModelRecipe) -> float:
    """Return the case's operations, up to a constant: images · epochs · seeds · operations."""
    side = case.shape("pixels")
    shape = side, side, case.shape("channels")
    flops = describe(network, shape, case.shape("classes")).flops_per_image
    return float(flops * network.training.epochs * case.times("seeds") * case.times("images"))


def measure(journal: Journal, *, repeats: int, say: Say) -> None:
    """Measure the cases that are missing, then the largest network of the workloads."""
    data: Material | None = None
    for case, where in journal.missing("scaling", cases(), repeats=repeats):
        data = data or material(_MNIST)
        network = model(case)
        took = _run(network, shaped(data, case), case)
        journal.append("scaling", **where, work=work(case, network), **took)
        say(f"scaling  {case.axis} × {case.factor}  {_in_words(took)}")
    for name in ("dense", "cnn"):
        if not journal.lines("worker", model=name):
            data = data or material(_MNIST)
            network = _one_epoch(recipes.load(_MNIST).models[name])
            took = _run(network, data, TrialCase("all", 1))
            journal.append("worker", model=name, **took)
            say(f"scaling  {name}, one epoch of MNIST  {_in_words(took)}")


def shaped(data: Material, case: TrialCase) -> Material:
    """Return images and labels of a case's shape: MNIST repeated side by side, and over classes."""
    side, channels, classes = (case.shape(axis) for axis in SHAPE)
    times = -(-side // data.images.shape[1])
    images = np.tile(data.images, (1, times, times, channels))[:, :side, :side]
    labels = data.labels + data.n_classes * (np.arange(len(data.labels)) % (classes // 10))
    return Material(images, labels, data.maximum, classes)


def _one_epoch(network: ModelRecipe) -> ModelRecipe:
    training = network.training.model_copy(update={"epochs": 1})
    return network.model_copy(update={"training": training})


def _run(network: ModelRecipe, data: Material, case: TrialCase) -> dict[str, Any]:
    images = case.times("images")
    with tempfile.TemporaryDirectory(prefix="bakeoff-bench-") as name:
        folder = Path(name)
        arrays = {
            "train_images": np.tile(data.images, (images, 1, 1, 1)),
            "train_labels": np.tile(data.labels, images),
            "validation_images": data.images[:0],
            "validation_labels": data.labels[:0],
        }
        (folder / "study").mkdir()
        write_development(folder / "data", arrays)
        job = {
            "study": str(folder / "study"),
            "model": "model",
            "selection": "last",
            "declared": network.model_dump_json(),
            "identity": "benchmark",
            "data": str(folder / "data"),
            "maximum": data.maximum,
            "n_classes": data.n_classes,
            "checkpoint_seconds": CHECKPOINT_SECONDS,
        }
        return _measured({"job": job, "seeds": case.times("seeds")})


def _measured(order: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [BY_NAME["bakeoff"].command()[0], "-m", "benchmarks.worker"],
        input=json.dumps(order) + "\n",
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, **BY_NAME["bakeoff"].environment(1)},
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise BakeoffError(f"a worker ended with code {done.returncode}: {last}")
    took: dict[str, Any] = json.loads(done.stdout)
    return took


def _in_words(took: dict[str, Any]) -> str:
    return f"{took['seconds']:.1f} s, {took['peak_bytes'] / 1e6:.0f} MB"
