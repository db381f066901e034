"""What a network that has seen Fashion-MNIST gives MNIST with 20 images a class.

Run: python -m benchmarks.transfer [FOLDER]
Needs both data sets. Two studies in FOLDER, or in a temporary one: `fashion`, a small CNN on
20,000 images, then `digits-few`, the same CNN from scratch, on its frozen features, and trained
along; 25 images a class, of which 5 are for validation, tested on 10,000. Prints the table.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.data import load
from bakeoff.recipe import parse
from bakeoff.study.run import run

EACH = 25  # images of a class
SOURCE_IMAGES = 20_000
LAYERS: list[Any] = [
    layer
    for filters in (16, 32, 64)
    for layer in (
        {"conv2d": {"filters": filters, "kernel_size": 3, "padding": "same", "use_bias": False}},
        {"batch_normalization": {"momentum": 0.9}},
        {"activation": "relu"},
        {"max_pooling2d": 2},
    )
] + ["flatten", {"dense": {"units": 64, "activation": "relu"}}]


def subset(name: str, rows: Any, target: Path, *, tested: bool) -> dict[str, str]:
    """Write some training images of a data set, and its test images if asked; return `data`."""
    data = load(name)
    assert data.test_start is not None
    chosen = rows(data.labels[: data.test_start])
    arrays = {"x_train": data.images[chosen], "y_train": data.labels[chosen]}
    if tested:
        arrays["x_test"] = data.images[data.test_start :]
        arrays["y_test"] = data.labels[data.test_start :]
    np.savez(target, **arrays)
    return {"npz": str(target)}


def few_of_each(labels: Any) -> Any:
    """Return the first images of each class."""
    return np.concatenate([np.flatnonzero(labels == label)[:EACH] for label in range(10)])


def study(name: str, data: Any, models: Any, folder: Path, **more: Any) -> None:
    """Carry out a study and print its table."""
    raw = {"name": name, "data": data, "baselines": [], "models": models, **more}
    result = run(parse(raw, origin=name, folder=folder), out=folder / name, device="cpu")
    if result.comparison is not None:
        for model in result.comparison.models:
            low, high = model.accuracy.estimate.low, model.accuracy.estimate.high
            sys.stdout.write(
                f"{name} {model.name}: {100 * model.accuracy.mean:.2f} % "
                f"[{100 * low:.2f}, {100 * high:.2f}], {len(model.seeds)} seeds\n"
            )


def main() -> None:
    """Train both and print."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        folder.mkdir(parents=True, exist_ok=True)
        seen = subset(
            "fashion-mnist", lambda y: np.arange(SOURCE_IMAGES), folder / "seen.npz", tested=True
        )
        few = subset("mnist", few_of_each, folder / "few.npz", tested=True)
        training = {"epochs": 6, "batch_size": 64, "optimizer": {"adam": 0.002}}
        study(
            "fashion",
            seen,
            {"cnn": {"layers": [*LAYERS, {"dropout": 0.3}]}},
            folder,
            seeds=1,
            training=training,
        )
        before = {"study": str(folder / "fashion"), "model": "cnn"}
        along = {**before, "trainable": True, "learning_rate": 0.001}
        training = {"epochs": 60, "batch_size": 20, "optimizer": {"adam": 0.002}}
        models = {
            "scratch": {"layers": LAYERS},
            "frozen": {"backbone": before},
            "trained-along": {"backbone": along},
        }
        study("digits-few", few, models, folder, seeds=5, training=training)


if __name__ == "__main__":
    main()
