"""Small models and images for tests of one trial in progress."""

from pathlib import Path

import numpy as np

from bakeoff.recipe import parse
from bakeoff.training.trainer import Development

MLP = [
    {"dense": {"units": 8, "activation": "relu"}},
    {"dropout": 0.5},
    "batch_normalization",
]


def declare(layers=MLP, *, epochs=4, rate=0.05, optimizer="adam", **training):
    model = {
        "layers": layers,
        "training": {
            "epochs": epochs,
            "batch_size": 16,
            "optimizer": {optimizer: {"learning_rate": rate}},
            **training,
        },
    }
    mapping = {"name": "test", "data": "digits", "models": {"model": model}}
    return parse(mapping, origin="test", folder=Path()).models["model"]


def development(*, n=70, validation=30, seed=0):
    """Images of three classes that differ in brightness, with noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n + validation)
    images = rng.integers(0, 60, (n + validation, 6, 6, 1)) + 70 * labels[:, None, None, None]
    images = images.astype(np.uint8)
    return Development(images[:n], labels[:n], images[n:], labels[n:], 255.0, 3)


def trained(trainer):
    while not trainer.done:
        trainer.epoch()
    return trainer.result()
