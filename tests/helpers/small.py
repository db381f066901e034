"""Studies that take seconds: a few small images in an npz file, two networks, two seeds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff import recipe as recipes
from bakeoff.recipe import Recipe
from bakeoff.storage import array_files, written_folder
from bakeoff.study.result import Result
from bakeoff.study.run import run
from bakeoff.utils.events import Watcher

MODELS = {
    "linear": {"layers": []},
    "mlp": {"layers": [{"dense": {"units": 6, "activation": "relu"}}, {"dropout": 0.25}]},
}
BUILDER = """import keras
def build(shape, classes):
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(),
        keras.layers.Dense(4, "relu"), keras.layers.Dense(classes, "softmax")])
"""  # of a Python builder, which `python: file:build` names
LABELS = [f"{name} seed {seed}" for name in MODELS for seed in (0, 1)]

LINES = [  # of a ledger: three looks as they were declared
    {"opening": k, "looks": [3, 4, 5], "models": {"a": range(n), "b": [0, 1, 2]}}
    for k, n in enumerate((3, 4, 5), 1)
]


def write_npz(path: Path, *, train: int = 120, test: int = 90, poisoned: bool = False) -> Path:
    """Write a data set of three classes that differ in brightness, with a test part of its own.

    Poisoned, its test images and labels are others and the rest is the same.
    """
    rng = np.random.default_rng(0)
    labels = np.arange(train + test) % 3
    images = rng.integers(0, 120, (train + test, 6, 6)) + 45 * labels[:, None, None]
    images = images.astype(np.uint8)
    if poisoned:
        images[train:] = 255 - images[train:]
        labels[train:] = labels[train:][::-1]
    np.savez(
        path,
        x_train=images[:train],
        y_train=labels[:train],
        x_test=images[train:],
        y_test=labels[train:],
    )
    return path


def mapping(npz: str | Path, **changes: Any) -> dict[str, Any]:
    """Return a recipe as YAML would give it."""
    return {
        "name": "small",
        "data": {"npz": str(npz)},
        "seeds": 2,
        "training": {"epochs": 4, "batch_size": 16, "optimizer": {"adam": 0.03}},
        "models": MODELS,
        **changes,
    }


def declare(npz: str | Path, **changes: Any) -> Recipe:
    """Return the recipe."""
    return recipes.parse(mapping(npz, **changes), origin="small", folder=Path(npz).parent)


def carry_out(
    npz: str | Path,
    out: str | Path,
    *,
    workers: int | None = 2,
    watcher: Watcher | None = None,
    options: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Result:
    """Run the study in real workers."""
    recipe = declare(npz, **changes)
    return run(recipe, out=out, workers=workers, watcher=watcher, **options or {})


def files(folder: str | Path, *parts: str) -> dict[str, bytes]:
    """Return the bytes of what two identical studies agree in, by path; all files without parts."""
    found = [path for part in parts or [""] for path in (Path(folder) / part).rglob("*")]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in found
        if path.is_file() and not (parts and path.name in written_folder.APART)
    }


def saved(result: Result, name: str) -> NDArray[Any]:
    """Return the test predictions of an opened study, such as those of "mlp/seed-0"."""
    predictions: NDArray[Any] = array_files.read_npy(result.folder.openings()[-1] / f"{name}.npy")
    return predictions


def identical(a: str | Path, b: str | Path) -> bool:
    """Say whether two studies are identical, as the design defines it."""
    parts = ("trials", "openings")
    return files(a, *parts) == files(b, *parts) != {}
