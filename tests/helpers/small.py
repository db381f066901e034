"""Studies that take seconds: a few small images in an npz file, two networks, two seeds."""

from pathlib import Path

import numpy as np

from bakeoff import recipe as recipes
from bakeoff.storage import written_folder
from bakeoff.study.run import run

MODELS = {
    "linear": {"layers": []},
    "mlp": {"layers": [{"dense": {"units": 6, "activation": "relu"}}, {"dropout": 0.25}]},
}
LABELS = [f"{name} seed {seed}" for name in MODELS for seed in (0, 1)]


def write_npz(path, *, train=120, test=90, poisoned=False):
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


def mapping(npz, **changes):
    """Return a recipe as YAML would give it."""
    return {
        "name": "small",
        "data": {"npz": str(npz)},
        "seeds": 2,
        "training": {"epochs": 4, "batch_size": 16, "optimizer": {"adam": 0.03}},
        "models": MODELS,
        **changes,
    }


def declare(npz, **changes):
    """Return the recipe."""
    return recipes.parse(mapping(npz, **changes), origin="small", folder=Path(npz).parent)


def carry_out(npz, out, *, workers=2, watcher=None, options=None, **changes):
    """Run the study in real workers."""
    recipe = declare(npz, **changes)
    return run(recipe, out=out, workers=workers, watcher=watcher, **options or {})


def files(folder, *rooms):
    """Return the bytes of what two identical studies agree in, by path; all files without rooms."""
    found = [path for room in rooms or [""] for path in (Path(folder) / room).rglob("*")]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in found
        if path.is_file() and not (rooms and path.name == written_folder.TIMING)
    }


def identical(a, b):
    """Say whether two studies are identical, as the design defines it."""
    rooms = ("trials", "openings")
    return files(a, *rooms) == files(b, *rooms) != {}
