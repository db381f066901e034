"""How long a study of few photographs takes: features, then three heads in cross-validation.

Run: python -m benchmarks.few_images [IMAGES]; quiet machine, a few minutes.
Pictures are random, of 224×224; times do not depend on what they show. Prints seconds for the
features of 1,000 images by efficientnet_lite0 and for a 5×5 cross-validated study of three heads on
1,600 images whose features are there, and beside each what `bakeoff plan` says; the same for two
epochs of fine-tuning from block_11 on 320 images.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.recipe import Recipe, parse
from bakeoff.study.planning.cost import feature_seconds
from bakeoff.study.planning.plan import plan
from bakeoff.study.run import run
from bakeoff.utils.machine import cores, measured_rate

LITE0 = "efficientnet_lite0"
FEATURES, IMAGES, TUNED = 1_000, 1_600, 320
SIDE, CLASSES = 224, 8
HEADS: dict[str, Any] = {
    "linear": {"backbone": LITE0},
    "dropout": {"backbone": LITE0, "layers": [{"dropout": 0.2}]},
    "dense": {"backbone": LITE0, "layers": [{"dense": {"units": 64, "activation": "relu"}}]},
}
ALONG = {"backbone": {"name": LITE0, "from": "block_11", "learning_rate": 0.0003}}
SPLIT = {"folds": 5, "repeats": 5}


def pictures(folder: Path, images: int, seed: int) -> dict[str, str]:
    """Write random pictures of CLASSES classes; return a recipe's `data`."""
    rng = np.random.default_rng(seed)
    path = folder / f"{seed}.npz"
    coarse = rng.integers(0, 256, (images, 14, 14, 3)).astype(np.uint8)
    np.savez(
        path,
        x=coarse.repeat(SIDE // 14, axis=1).repeat(SIDE // 14, axis=2),
        y=np.arange(images) % CLASSES,
    )
    return {"npz": str(path)}


def declared(name: str, data: Any, models: Any, epochs: int, **more: Any) -> Recipe:
    """Return a recipe without baselines, of batches of 32."""
    training = {"epochs": epochs, "batch_size": 32}
    raw = {"name": name, "data": data, "models": models, "training": training, "baselines": []}
    return parse({**raw, **more}, origin=name, folder=Path("/"))


def timed(recipe: Recipe, folder: Path) -> float:
    """Carry out a study, the test set left sealed where it has one; return the seconds."""
    started = time.monotonic()
    run(recipe, out=folder / recipe.name, keep_sealed=recipe.split.folds is None, device="cpu")
    return time.monotonic() - started


def say(what: str, took: float, planned: float | None) -> None:
    """Print one line."""
    said = "" if planned is None else f"; planned {planned:.0f} s, {took / planned:.2f} times that"
    sys.stdout.write(f"{what}: {took:.0f} s on {cores()} cores{said}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    share = float(sys.argv[1]) / IMAGES if len(sys.argv) > 1 else 1.0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["BAKEOFF_HOME"] = str(folder / "home")
        counted = round(FEATURES * share)
        one = {"linear": HEADS["linear"]}
        recipe = declared("features", pictures(folder, counted, 1), one, 1, seeds=1)
        planned = feature_seconds(recipe, counted, measured_rate()) / cores()
        say(
            f"features of {counted:,} images, a run's start included",
            timed(recipe, folder),
            planned,
        )

        counted = round(IMAGES * share)
        data = pictures(folder, counted, 2)
        timed(declared("seen", data, one, 1, split=SPLIT), folder)
        recipe = declared("heads", data, HEADS, 10, split=SPLIT)
        foreseen = plan(recipe).seconds or 0.0
        foreseen -= feature_seconds(recipe, counted, measured_rate()) / cores()
        say(f"5×5 folds of 3 heads on {counted:,} images", timed(recipe, folder), foreseen)

        counted = round(TUNED * share)
        data = pictures(folder, counted, 3)
        recipe = declared("tuned", data, {"tuned": ALONG}, 2, seeds=2)
        foreseen = plan(recipe).seconds or 0.0
        say(
            f"2 seeds of 2 epochs of fine-tuning, {counted:,} images",
            timed(recipe, folder),
            foreseen,
        )


if __name__ == "__main__":
    main()
