"""What is trained: models of Bakeoff's shipped recipes, and how much of each is timed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff import recipe as recipes
from bakeoff.errors import UsageError
from bakeoff.recipe import ModelRecipe
from bakeoff.recipe.architecture import Architecture, describe
from bakeoff.study.create import load_split

HELD_OUT = 10_000  # the last training images, on which `accuracy` is measured; never test images


@dataclass(frozen=True)
class Workload:
    """A model of a shipped recipe, and the targets set for it.

    images : how many training images a timed epoch goes over; None: all
    epochs : how long the comparison of accuracies trains
    over_keras, over_torch : targets: trial throughput over the best Keras fit, the best PyTorch
    share : target: fraction of the matrix-product limit; None where none was set
    accuracy_images : how many images the comparison of accuracies trains on; None: all
    """

    name: str
    recipe: str
    model: str
    images: int | None
    epochs: int
    over_keras: float | None
    over_torch: float | None
    share: float | None = None
    accuracy_images: int | None = None


WORKLOADS = (
    Workload("model-8", "notebook-002", "model-8", 20_480, 2, 4.0, 2.0, 0.5),
    Workload("dense", "notebook-001", "dense", 20_480, 2, 4.0, 2.0),
    Workload("cnn", "notebook-001", "cnn", 4_096, 2, 1.5, 1.3, 0.4),
    Workload("fashion-mlp", "notebook-003", "fashion-mlp", 19_200, 2, 5.0, 2.5),
    Workload("fashion-cnn", "notebook-003", "fashion-cnn", 2_048, 3, 1.5, 1.3),
    Workload("tuned-mlp", "notebook-000", "tuned-mlp", None, 10, None, None),
)


@dataclass(frozen=True)
class Declared:
    """A workload's model as its recipe declares it.

    n_train : images that a trial trains on
    """

    model: ModelRecipe
    architecture: Architecture
    input_shape: tuple[int, int, int]
    n_classes: int
    n_train: int

    @property
    def steps_per_epoch(self) -> int:
        """Training steps of an epoch of a trial, the last smaller batch included."""
        return math.ceil(self.n_train / self.model.training.batch_size)

    @property
    def steps_per_trial(self) -> int:
        """Training steps of a trial."""
        return self.steps_per_epoch * self.model.training.epochs


@dataclass(frozen=True)
class Material:
    """The training images of a recipe; `maximum` is the pixel value that becomes 1.0."""

    images: NDArray[Any]
    labels: NDArray[np.int64]
    maximum: float
    n_classes: int

    def scaled(self) -> NDArray[np.float32]:
        """Return the images as float32 in [0, 1]."""
        return self.images.astype(np.float32) / np.float32(self.maximum)


def named(names: Sequence[str]) -> tuple[Workload, ...]:
    """Return the workloads of these names; all of them if none is named."""
    known = {workload.name: workload for workload in WORKLOADS}
    for name in names:
        if name not in known:
            raise UsageError(f"expected a workload ({', '.join(known)}), found {name!r}")
    return tuple(known[name] for name in names) or WORKLOADS


def declared(workload: Workload) -> Declared:
    """Return the model, and the sizes that its recipe's data give it; loads the data."""
    recipe = recipes.load(workload.recipe)
    data, split = load_split(recipe)
    model = recipe.models[workload.model]
    architecture = describe(model, data.input_shape, data.n_classes)
    return Declared(model, architecture, data.input_shape, data.n_classes, len(split.train))


def material(recipe: str) -> Material:
    """Return all training images of a shipped recipe, in the order of its split."""
    data, split = load_split(recipes.load(recipe))
    return Material(
        data.images[split.train], data.labels[split.train], data.maximum, data.n_classes
    )


Product = tuple[int, int, int]


def products(declared: Declared) -> list[Product]:
    """Return the matrix products (rows, inner, columns) of one training step.

    Each dense or convolutional layer has one forward (a convolution's rows are patches), one for
    the gradient of its kernel, and one for the gradient of what it was given, which the first layer
    does not need.
    """
    batch = declared.model.training.batch_size
    found: list[Product] = []
    before: tuple[int, ...] = declared.input_shape
    for layer in declared.architecture.layers:
        after = layer.output_shape
        if layer.kind in ("dense", "conv2d"):
            window = math.prod(layer.arguments.get("kernel_size", (1,)))
            rows, inner, columns = batch * math.prod(after[:-1]), window * before[-1], after[-1]
            if found:
                found.append((rows, columns, inner))
            found += [(rows, inner, columns), (inner, rows, columns)]
        before = after
    return found


def operations(found: Sequence[Product]) -> int:
    """Return the operations of matrix products; a multiply-add counts as two."""
    return sum(2 * math.prod(each) for each in found)
