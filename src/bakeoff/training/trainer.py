"""Trains one trial, epoch by epoch: scores, selection, checkpoints.

Everything random follows from the trial's seed and the epoch's number, so a trial that was stopped
after any epoch goes on exactly as if it had not been.
"""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.recipe import ModelRecipe
from bakeoff.recipe.vocabulary.training import class_weights
from bakeoff.training.backend import jax
from bakeoff.training.build_model import build, pretrain
from bakeoff.training.epoch_program import Array, DataShape, program_of
from bakeoff.training.layers.dropout import dropouts
from bakeoff.training.program_key import program_key
from bakeoff.training.saved_weights import weight_names
from bakeoff.training.selection import Selection
from bakeoff.training.stateless import values
from bakeoff.utils.events import EpochResult

jnp = jax.numpy
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Development:
    """The images that training may see; the validation part may be empty.

    images : uint8 or float32, shape (n, height, width, channels)
    labels : integers, shape (n,)
    maximum : the pixel value that becomes 1.0
    class_names : only needed where the recipe weighs classes by name
    image_shape : of the images, where the arrays hold a backbone's features instead
    passes : how often each training image is there, all of them once and then all again; an epoch
        takes one at random
    """

    train_images: NDArray[Any]
    train_labels: NDArray[np.int64]
    validation_images: NDArray[Any]
    validation_labels: NDArray[np.int64]
    maximum: float
    n_classes: int
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, int, int] | None = None
    passes: int = 1

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        height, width, channels = self.train_images.shape[1:]
        return height, width, channels


@dataclass(frozen=True)
class Trained:
    """A finished trial: the weights of its selected epoch and how it got there.

    selected_epoch : None if training diverged in its first epoch: the weights are the initial ones
    validation : float32 probabilities, shape (n_validation, n_classes); None without such a part
    """

    weights: Arrays
    validation: NDArray[np.float32] | None
    history: tuple[EpochResult, ...]
    selected_epoch: int | None
    diverged_epoch: int | None
    parameters: int
    trainable_parameters: int


class Trainer:
    """One trial in progress: `epoch()` until `done`, then `result()`."""

    def __init__(self, model: ModelRecipe, data: Development, *, seed: int, selection: str) -> None:
        self._data, self._seed = data, seed
        self._key = jax.random.key(seed)
        self._orders: dict[int, NDArray[np.int32]] = {}  # drawn ahead, by epoch
        self._training = model.training
        self._rates = model.training.optimizer.learning_rates(model.training.epochs)
        weights = class_weights(model.training.options.class_weight, data.class_names)
        images = self._images = len(data.train_labels) // data.passes
        shape = DataShape(data.input_shape, data.n_classes, images, data.maximum, weights)
        self.program = program_of(program_key(model), shape)
        network = build(model, data.input_shape, data.n_classes, seed=seed)
        pretrain(network, model)
        self._names = weight_names(network)
        self.dropped = tuple(each.share for each in dropouts(network))
        self._parameters = _parameters(network)
        optimizer_state = [variable.value for variable in self.program.optimizer.variables]
        self.state: Any = (*values(network), optimizer_state)
        self._selection = Selection(selection, self.state[:2])
        self._diverged_epoch: int | None = None
        self._history: list[EpochResult] = []
        # put, not copied: on a CPU, workers share the pages of the file that holds the images
        self.images = jax.device_put(data.train_images)
        self.labels = jnp.asarray(data.train_labels, jnp.int32)
        self.validation = jax.device_put(data.validation_images)
        self.validation_labels = np.asarray(data.validation_labels, np.int32)

    @property
    def parameters(self) -> tuple[int, int]:
        """How many parameters the network has, and how many of them are trained."""
        return self._parameters

    @property
    def done(self) -> bool:
        """Whether there is nothing left to train."""
        epochs, patience = len(self._history), self._training.options.patience
        if self._diverged_epoch is not None or epochs == self._training.epochs:
            return True
        selected = self._selection.epoch
        return patience is not None and selected is not None and epochs - 1 - selected >= patience

    @property
    def history(self) -> tuple[EpochResult, ...]:
        """The epochs so far."""
        return tuple(self._history)

    def epoch(self) -> EpochResult:
        """Train one epoch, validate, keep the weights if they are the ones to select."""
        state, loss, accuracy = self.program.epoch(
            self.state, self.images, self.labels, *self.draws(), self.dropped
        )
        scores = None
        if len(self.validation) and math.isfinite(float(loss)):
            scores = self._evaluate(*self.program.scored(state))
        return self.take(state, float(loss), float(accuracy), scores)

    def draws(self) -> tuple[Array, Array, Array]:
        """Return the next epoch's order of the images, its random key and its learning rate."""
        order, key, epoch, rate = self.draws_to_fold()
        return order, jax.random.fold_in(key, epoch), rate

    def draws_to_fold(self) -> tuple[Array, Array, int, Array]:
        """Return the order, the trial's key, the epoch to fold into it, and the learning rate."""
        epoch = len(self._history)
        order = self._orders.pop(epoch, None)
        if order is None:
            order = self._order(epoch)
        return order, self._key, epoch, np.float32(self._rates[epoch])

    def draw_ahead(self) -> None:
        """Draw the order of the epoch after the next, while the device is busy with that."""
        epoch = len(self._history) + 1
        if epoch < self._training.epochs:
            self._orders = {epoch: self._order(epoch)}

    def _order(self, epoch: int) -> NDArray[np.int32]:
        generator = np.random.default_rng([self._seed, epoch])
        order = generator.permutation(self._images)
        if self._data.passes > 1:
            order += self._images * generator.integers(self._data.passes, size=self._images)
        return order.astype(np.int32)

    def take(self, state: Any, loss: float, accuracy: float, scores: Any) -> EpochResult:
        """Take the state after the next epoch as this trial's.

        scores : probabilities, losses and regularization loss of the validation images; None
            without such images, or where the loss is not finite
        """
        epoch = len(self._history)
        result = EpochResult(
            epoch=epoch,
            loss=loss,
            accuracy=accuracy,
            **self._validation_scores(scores),
            learning_rate=float(self._rates[epoch]),
        )
        self._history.append(result)
        if not result.finite:
            self._diverged_epoch = epoch
            return result
        self.state = state
        self._selection.offer(result, self.program.scored(state))
        return result

    def _validation_scores(self, scores: Any) -> dict[str, float | None]:
        names = ("val_loss", "val_cross_entropy", "val_accuracy")
        if not len(self.validation):
            return dict.fromkeys(names)
        if scores is None:
            return dict.fromkeys(names, math.nan)
        labels = self._data.validation_labels
        probabilities, losses, regularization_loss = scores
        correct = np.asarray(probabilities).argmax(axis=1) == labels
        entropy = float(np.asarray(losses, np.float64).mean())
        values = (entropy + float(regularization_loss), entropy, float(correct.mean()))
        return dict(zip(names, values, strict=True))

    def _evaluate(self, trainable: Any, other: Any) -> Any:
        return self.program.evaluate(trainable, other, self.validation, self.validation_labels)

    def result(self) -> Trained:
        """Return the trial's outcome; its weights are those of the selected epoch."""
        trainable, other = self._selection.weights
        validation = None
        if len(self.validation):
            validation = np.asarray(self._evaluate(trainable, other)[0])
        total, trained = self._parameters
        return Trained(
            weights=dict(zip(self._names, map(np.asarray, [*trainable, *other]), strict=True)),
            validation=validation,
            history=self.history,
            selected_epoch=self._selection.epoch,
            diverged_epoch=self._diverged_epoch,
            parameters=total,
            trainable_parameters=trained,
        )

    def checkpoint(self) -> tuple[Arrays, str]:
        """Return everything `restore` needs: arrays by name, and a JSON document."""
        leaves = jax.tree.leaves((self.state, self._selection.weights))
        document = {
            "history": [asdict(each) for each in self._history],
            "selected_epoch": self._selection.epoch,
            "diverged_epoch": self._diverged_epoch,
            "best": self._selection.best,
        }
        return {f"{i:04d}": np.asarray(leaf) for i, leaf in enumerate(leaves)}, json.dumps(document)

    def restore(self, arrays: Arrays, text: str) -> None:
        """Go on from a checkpoint of the same trial; raise ValueError if it is of another."""
        leaves, shape = jax.tree.flatten((self.state, self._selection.weights))
        saved = [arrays.get(f"{i:04d}") for i in range(len(leaves))]
        for leaf, array in zip(leaves, saved, strict=True):
            if array is None or array.shape != leaf.shape or array.dtype != leaf.dtype:
                raise ValueError("this checkpoint is of another model")
        document = json.loads(text)
        restored = [jnp.asarray(array) for array in saved]
        self.state, self._selection.weights = jax.tree.unflatten(shape, restored)
        self._history = [EpochResult(**each) for each in document["history"]]
        self._selection.epoch = document["selected_epoch"]
        self._diverged_epoch = document["diverged_epoch"]
        self._selection.best = document["best"]


def _parameters(network: Any) -> tuple[int, int]:
    """Count all parameters and the trainable ones, as Keras's summary does."""
    trainable = sum(int(np.prod(v.shape)) for v in network.trainable_variables)
    return int(network.count_params()), trainable
