"""What is trained: models of shipped recipes and of benchmarks/recipes, and how much is timed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff import recipe as recipes
from bakeoff.errors import UsageError
from bakeoff.recipe import ModelRecipe, Recipe
from bakeoff.recipe.architecture import Architecture, describe
from bakeoff.study.create import load_split

HELD_OUT = 10_000  # the last training images, on which `accuracy` is measured; never test images


_UNTUNED, _LARGER = "benchmarks/recipes/untuned.yaml", "benchmarks/recipes/larger.yaml"
_LARGER_IMAGES = 4_096  # as many as are enlarged
_TILES = {"keras": 2.3, "torch": 2.6}
_VECTORS = {"mlp": {"keras": 1.2, "torch": 1.1}, "cnn": {"keras": 1.4, "torch": 1.4}}


@dataclass(frozen=True)
class Workload:
    """A model of a recipe, shipped or of benchmarks/recipes, and the targets set for it.

    images : how many training images a timed epoch goes over; None: all
    epochs : how long the comparison of accuracies trains; 0: they are not compared
    kind : "mlp" or "cnn", which have other targets where there are no tiles
    share : target: fraction of the matrix-product limit; None where none was set
    accuracy_images : how many images the comparison of accuracies trains on; None: all
    """

    name: str
    recipe: str
    model: str
    images: int | None
    epochs: int
    kind: str = "mlp"
    share: float | None = None
    accuracy_images: int | None = None

    def target(self, ours: str, family: str) -> float | None:
        """Return the target of one of ours: trial throughput over the best of a family.

        None without native kernels: nothing is promised where there is no compiler and no wheel.
        """
        if ours == "bakeoff":
            return None
        return (_TILES if ours == "bakeoff-native" else _VECTORS[self.kind])[family]


WORKLOADS = (
    Workload("model-8", "notebook-002", "model-8", 20_480, 2, share=0.65),
    Workload("dense", "notebook-001", "dense", 20_480, 2, share=0.65),
    Workload("cnn", "notebook-001", "cnn", 4_096, 2, "cnn"),
    Workload("fashion-mlp", "notebook-003", "fashion-mlp", 19_200, 2),
    Workload("fashion-cnn", "notebook-003", "fashion-cnn", 2_048, 3, "cnn"),
    Workload("tuned-mlp", "notebook-000", "tuned-mlp", None, 10),
    Workload("strided-cnn", _UNTUNED, "strided-cnn", 4_096, 2, "cnn"),
    Workload("resnet", _LARGER, "resnet", 512, 0, "cnn"),
    Workload("separable", _LARGER, "separable", 1_024, 0, "cnn"),
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


def load(recipe: str) -> Recipe:
    """Return a shipped recipe, or one of benchmarks/recipes."""
    return recipes.load(Path(__file__).parents[1] / recipe if "/" in recipe else recipe)


def declared(workload: Workload) -> Declared:
    """Return the model, and the sizes that its recipe's data give it; loads the data."""
    recipe = load(workload.recipe)
    data, split = load_split(recipe)
    model, shape = recipe.models[workload.model], input_shape(workload.recipe)
    architecture = describe(model, shape, data.n_classes)
    return Declared(model, architecture, shape, data.n_classes, len(split.train))


def input_shape(recipe: str) -> tuple[int, int, int]:
    """Return height, width and channels of the images that a recipe's models are trained on."""
    return (64, 64, 3) if recipe == _LARGER else (28, 28, 1)


def material(recipe: str) -> Material:
    """Return all training images of a recipe, in the order of its split; larger ones are fewer."""
    data, split = load_split(load(recipe))
    rows = split.train[:_LARGER_IMAGES] if recipe == _LARGER else split.train
    images, labels = data.images[rows], data.labels[rows]
    if recipe == _LARGER:
        images = enlarged(images)
    return Material(images, labels, data.maximum, data.n_classes)


def enlarged(images: NDArray[Any]) -> NDArray[Any]:
    """Return 28×28 grey images at 64×64: every pixel four times, a margin of 4, three channels.

    The channels are the image, its negative and its mirror image.
    """
    whole = np.pad(images.repeat(2, 1).repeat(2, 2), ((0, 0), (4, 4), (4, 4), (0, 0)))
    return np.concatenate([whole, 255 - whole, whole[:, :, ::-1]], axis=-1)


Product = tuple[int, int, int]


def products(declared: Declared) -> list[Product]:
    """Return the matrix products (rows, inner, columns) of one training step.

    Each dense or convolutional layer has one forward (a convolution's rows are patches), one for
    the gradient of its kernel, and one for the gradient of what it was given, which the first layer
    does not need.
    """
    batch = declared.model.training.batch_size
    found: list[Product] = []
    for layer in declared.architecture.layers:
        if layer.kind in ("dense", "conv2d"):
            *place, columns = layer.output_shape
            biases = columns * layer.arguments.get("use_bias", True)
            rows, inner = batch * math.prod(place), (layer.parameters - biases) // columns
            if found:
                found.append((rows, columns, inner))
            found += [(rows, inner, columns), (inner, rows, columns)]
    return found


def operations(found: Sequence[Product]) -> int:
    """Return the operations of matrix products; a multiply-add counts as two."""
    return sum(2 * math.prod(each) for each in found)
