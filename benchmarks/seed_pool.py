"""A pool of many seeds of small networks on MNIST: which of 60,000 unseen images each has correct.

Simulated studies are drawn from it, so that the statistics are shown to keep their promise on real
networks and not only on a model of them (`benchmarks/calibration.py`, tests/analysis). Made by

    python -m benchmarks.seed_pool make

which trains 40 seeds each of three networks on the first 10,000 training images of MNIST with
Bakeoff itself; the other 50,000 and MNIST's own test images are the 60,000. The file holds one bit
an answer, and nothing of the images.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

POOL = Path(__file__).with_name("seed_pool.npz")
SEEDS = 40
TRAINED_ON = 10_000
RECIPE = """
name: seed-pool
data: {npz: %s}
split: {validation: 0}
selection: last
seeds: %d
baselines: []
training:
  epochs: 10
  batch_size: 128
  optimizer: {adam: {learning_rate: [{cosine: {start: 0.003, end: 0.0003}}]}}
models:
  narrow:
    layers: [{dense: {units: 12, activation: relu}}]
  wide:
    layers: [{dense: {units: 128, activation: relu}}]
  convolution:
    training: {epochs: 8}
    layers:
      - conv2d: {filters: 12, kernel_size: 5, strides: 2, activation: relu}
      - conv2d: {filters: 24, kernel_size: 3, activation: relu}
      - max_pooling2d: 2
"""

Correct = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pool:
    """Correct answers by model, bool (n_seeds, n_images), and the images' classes, (n_images,)."""

    correct: Mapping[str, Correct]
    labels: NDArray[np.int64]

    @property
    def n_images(self) -> int:
        """How many images every network has answered."""
        return len(self.labels)

    def draw(
        self, rng: np.random.Generator, name: str, images: NDArray[np.int64], n_seeds: int
    ) -> Correct:
        """Return a study's scores of one model: seeds drawn without repetition, these images."""
        correct = self.correct[name]
        seeds = rng.choice(len(correct), n_seeds, replace=False)
        return correct[np.ix_(seeds, images)]


def read(path: Path = POOL) -> Pool:
    """Read the pool that `make` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        labels = stored["labels"].astype(np.int64)
        correct = {
            name.removeprefix("right-"): np.unpackbits(
                stored[name], axis=1, count=len(labels)
            ).astype(bool)
            for name in stored.files
            if name.startswith("right-")
        }
    return Pool(correct, labels)


def make(work: Path, *, seeds: int = SEEDS, target: Path = POOL) -> Pool:
    """Train the networks in the folder `work`, and write the pool; it goes on where it stopped."""
    from bakeoff import data
    from bakeoff.recipe import load
    from bakeoff.storage import array_files
    from bakeoff.storage.study_folder import StudyFolder
    from bakeoff.study.run import run

    work.mkdir(parents=True, exist_ok=True)
    arrays = work / "mnist-10000.npz"
    if not arrays.exists():
        mnist = data.load("mnist")
        images, labels = mnist.images[..., 0], mnist.labels
        np.savez(
            arrays,
            x_train=images[:TRAINED_ON],
            y_train=labels[:TRAINED_ON],
            x_test=images[TRAINED_ON:],
            y_test=labels[TRAINED_ON:],
        )
    recipe = work / "seed-pool.yaml"
    recipe.write_text(RECIPE % (arrays, seeds), encoding="utf-8")
    folder = work / "study"
    run(load(recipe), out=folder)
    opening = StudyFolder(folder).openings()[-1]
    labels = array_files.read_npy(opening / "labels.npy")
    correct = {
        path.name: np.stack(
            [
                array_files.read_npy(path / f"seed-{seed}.npy").argmax(axis=1) == labels
                for seed in range(seeds)
            ]
        )
        for path in sorted(opening.iterdir())
        if path.is_dir()
    }
    stored: dict[str, Any] = {
        f"right-{name}": np.packbits(r, axis=1) for name, r in correct.items()
    }
    with target.open("wb") as file:
        np.savez_compressed(file, labels=labels.astype(np.uint8), **stored)
    return Pool(correct, labels)


def show(pool: Pool) -> str:
    """Return what the networks are like, as a Markdown table."""
    lines = [
        "| network | seeds | correct, % | sd between seeds, points | two seeds disagree on, % |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, correct in pool.correct.items():
        per_seed = 100 * correct.mean(axis=1)
        apart = 100 * float(np.mean(correct[::2] != correct[1::2]))
        lines.append(
            f"| {name} | {len(correct)} | {per_seed.mean():.2f} | {per_seed.std(ddof=1):.2f} | "
            f"{apart:.1f} |"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Carry out a command line: make or show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seed_pool", description=__doc__)
    parser.add_argument("verb", choices=["make", "show"])
    parser.add_argument("--work", type=Path, help="where the study lies; a temporary folder else")
    options = parser.parse_args(argv)
    if options.verb == "show":
        pool = read()
    elif options.work:
        pool = make(options.work)
    else:
        with tempfile.TemporaryDirectory() as folder:
            pool = make(Path(folder))
    sys.stdout.write(show(pool) + "\n")


if __name__ == "__main__":
    main()
