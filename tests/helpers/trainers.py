"""Small models and images for tests of one trial in progress."""

from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.recipe import ModelRecipe, parse
from bakeoff.training.trainer import Development, Trained, Trainer

MLP: list[Any] = [
    {"dense": {"units": 8, "activation": "relu"}},
    {"dropout": 0.5},
    "batch_normalization",
]


def declare(
    layers: list[Any] = MLP,
    *,
    epochs: int = 4,
    rate: Any = 0.05,
    optimizer: Any = "adam",
    **training: Any,
) -> ModelRecipe:
    """Return a model of these layers, trained on batches of 16."""
    model = {
        "layers": layers,
        "training": {
            "epochs": epochs,
            "batch_size": 16,
            "optimizer": {optimizer: {"learning_rate": rate}}
            if isinstance(optimizer, str)
            else optimizer,
            **training,
        },
    }
    mapping = {"name": "test", "data": "digits", "models": {"model": model}}
    return parse(mapping, origin="test", folder=Path()).models["model"]


def development(*, n: int = 70, validation: int = 30, seed: int = 0) -> Development:
    """Images of three classes that differ in brightness, with noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n + validation)
    images = rng.integers(0, 60, (n + validation, 6, 6, 1)) + 70 * labels[:, None, None, None]
    images = images.astype(np.uint8)
    return Development(images[:n], labels[:n], images[n:], labels[n:], 255.0, 3)


def trained(trainer: Trainer) -> Trained:
    """Train to the end."""
    while not trainer.done:
        trainer.epoch()
    return trainer.result()
