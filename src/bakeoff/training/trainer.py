"""Training and predicting: an epoch of one trial is one compiled program over data on the device.

Everything random follows from the trial's seed and the epoch's number, so a trial that was stopped
after any epoch goes on exactly as if it had not been.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.recipe import ModelRecipe, Optimizer
from bakeoff.training import fused_optimizer
from bakeoff.training.backend import compiler_options, jax, keras
from bakeoff.training.build_model import build
from bakeoff.training.layers.fast_layers import pixels, probing, random_key
from bakeoff.utils.events import EpochResult

jnp, lax = jax.numpy, jax.lax
Array = Any
Arrays = dict[str, NDArray[Any]]
PREDICTION_BATCH = 250


@dataclass(frozen=True)
class Development:
    """The images that training may see; the validation part may be empty.

    images : uint8 or float32, shape (n, height, width, channels)
    labels : integers, shape (n,)
    maximum : the pixel value that becomes 1.0
    """

    train_images: NDArray[Any]
    train_labels: NDArray[np.int64]
    validation_images: NDArray[Any]
    validation_labels: NDArray[np.int64]
    maximum: float
    n_classes: int

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


@dataclass(frozen=True)
class Program:
    """A model's compiled functions; one serves all seeds of the model.

    plain_epoch : what `epoch` was compiled from
    """

    plain_epoch: Any
    epoch: Any
    evaluate: Any
    optimizer: Any
    rate_position: int


@dataclass(frozen=True)
class _Shape:
    """What a program is compiled for, beside the model."""

    input_shape: tuple[int, int, int]
    n_classes: int
    n_train: int
    maximum: float


def _key(model: ModelRecipe) -> str:
    """Return what a program is known by: the model without its name."""
    return model.model_copy(update={"name": ""}).model_dump_json()


def _make_optimizer(declared: Optimizer) -> Any:
    classes = {
        "sgd": keras.optimizers.SGD,
        "rmsprop": keras.optimizers.RMSprop,
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
    }
    return classes[declared.kind](learning_rate=0.0, **declared.arguments)


def _state(model: Any) -> tuple[list[Array], list[Array]]:
    trainable = [variable.value for variable in model.trainable_variables]
    return trainable, [variable.value for variable in model.non_trainable_variables]


def _cross_entropy(labels: Array, probabilities: Array) -> Array:
    return keras.losses.sparse_categorical_crossentropy(labels, probabilities)


@lru_cache(maxsize=2)
def _program(model_json: str, shape: _Shape) -> Program:
    recipe = ModelRecipe.model_validate_json(model_json)
    model = build(recipe, shape.input_shape, shape.n_classes, seed=0)
    optimizer = _make_optimizer(recipe.training.optimizer)
    optimizer.build(model.trainable_variables)
    position = [variable.name for variable in optimizer.variables].index("learning_rate")
    batch, (steps, rest) = (
        recipe.training.batch_size,
        divmod(shape.n_train, recipe.training.batch_size),
    )

    fused = fused_optimizer.fused(model, optimizer, batch)

    def objective(
        trainable: Any, probes: Any, other: Any, images: Array, labels: Array, key: Array
    ) -> Any:
        with random_key(key), probing(probes) as probed:
            probabilities, other, penalties = model.stateless_call(
                trainable, other, images, training=True, return_losses=True
            )
        loss = jnp.mean(_cross_entropy(labels, probabilities)) + sum(penalties)
        right = jnp.sum(jnp.argmax(probabilities, axis=-1) == labels)
        return loss, (other, right, probed.inputs)

    def step(state: Any, rows: Array, key: Array, images: Array, labels: Array) -> Any:
        trainable, other, moments = state
        chosen, probes = images[rows], fused_optimizer.probes(fused, len(rows))
        inputs = chosen.astype(jnp.float32) / shape.maximum
        slopes = jax.value_and_grad(objective, argnums=(0, 1), has_aux=True)
        with pixels(chosen, shape.maximum):
            (loss, (other, right, multiplied)), (slope, probed) = slopes(
                trainable, probes, other, inputs, labels[rows], key
            )
        before, after = (trainable, moments), optimizer.stateless_apply(moments, slope, trainable)
        trainable, moments = fused_optimizer.apply(
            fused, optimizer, moments[position], before, after, multiplied, probed
        )
        return (trainable, other, moments), (loss * len(rows), right)

    def epoch(
        state: Any, images: Array, labels: Array, order: Array, key: Array, rate: Array
    ) -> Any:
        trainable, other, moments = state
        moments = [*moments[:position], rate, *moments[position + 1 :]]
        state = trainable, other, moments
        full = order[: steps * batch].reshape(steps, batch)

        def body(state: Any, item: Any) -> Any:
            rows, number = item
            return step(state, rows, jax.random.fold_in(key, number), images, labels)

        state, (losses, rights) = lax.scan(body, state, (full, jnp.arange(steps)))
        loss, right = jnp.sum(losses), jnp.sum(rights)
        if rest:
            last = jax.random.fold_in(key, steps)
            state, (more, hits) = step(state, order[steps * batch :], last, images, labels)
            loss, right = loss + more, right + hits
        numbers = [
            leaf for leaf in jax.tree.leaves(state) if jnp.issubdtype(leaf.dtype, jnp.floating)
        ]
        finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in numbers]))
        return state, jnp.where(finite, loss / shape.n_train, jnp.nan), right / shape.n_train

    def evaluate(trainable: Any, other: Any, images: Array, labels: Array) -> Any:
        probabilities = _predict_all(model, trainable, other, images, shape.maximum)
        losses = _cross_entropy(labels, probabilities)
        _, _, penalties = model.stateless_call(
            trainable, other, images[:1].astype(jnp.float32), training=False, return_losses=True
        )
        return probabilities, losses, jnp.asarray(sum(penalties), jnp.float32)

    compiled = jax.jit(epoch, compiler_options=compiler_options())
    return Program(epoch, compiled, jax.jit(evaluate), optimizer, position)


def _predict_all(model: Any, trainable: Any, other: Any, images: Array, maximum: float) -> Array:
    """Predict in batches, the same way whatever their number, so that memory stays flat."""

    def predict(batch: Array) -> Array:
        inputs = batch.astype(jnp.float32) / maximum
        with pixels(batch, maximum):
            probabilities, _ = model.stateless_call(trainable, other, inputs, training=False)
        return probabilities

    whole = len(images) // PREDICTION_BATCH
    cut = whole * PREDICTION_BATCH
    parts = []
    if whole:
        batches = images[:cut].reshape(whole, PREDICTION_BATCH, *images.shape[1:])
        predicted = lax.map(predict, batches)
        parts.append(predicted.reshape(cut, predicted.shape[-1]))
    if cut < len(images):
        parts.append(predict(images[cut:]))
    return jnp.concatenate(parts)


class Trainer:
    """One trial in progress: `epoch()` until `done`, then `result()`."""

    def __init__(self, model: ModelRecipe, data: Development, *, seed: int, selection: str) -> None:
        self._data, self._seed, self._selection = data, seed, selection
        self._training = model.training
        self._rates = model.training.optimizer.learning_rates(model.training.epochs)
        shape = _Shape(data.input_shape, data.n_classes, len(data.train_labels), data.maximum)
        self.program = _program(_key(model), shape)
        network = build(model, data.input_shape, data.n_classes, seed=seed)
        self._names = _names(network)
        self._parameters = _parameters(network)
        moments = [variable.value for variable in self.program.optimizer.variables]
        self.state: Any = (*_state(network), moments)
        self._selected: Any = self.state[:2]
        self._selected_epoch: int | None = None
        self._diverged_epoch: int | None = None
        self._best = math.inf
        self._history: list[EpochResult] = []
        # put, not copied: on a CPU, workers share the pages of the file that holds the images
        self.images = jax.device_put(data.train_images)
        self.labels = jnp.asarray(data.train_labels, jnp.int32)
        self.validation = jax.device_put(data.validation_images)
        self.validation_labels = np.asarray(data.validation_labels, np.int32)

    @property
    def done(self) -> bool:
        """Say whether there is nothing left to train."""
        return self._diverged_epoch is not None or len(self._history) == self._training.epochs

    @property
    def history(self) -> tuple[EpochResult, ...]:
        """The epochs so far."""
        return tuple(self._history)

    def epoch(self) -> EpochResult:
        """Train one epoch, validate, keep the weights if they are the ones to select."""
        state, loss, accuracy = self.program.epoch(
            self.state, self.images, self.labels, *self.draws()
        )
        scores = None
        if len(self.validation) and math.isfinite(float(loss)):
            scores = self._evaluate(*state[:2])
        return self.take(state, float(loss), float(accuracy), scores)

    def draws(self) -> tuple[Array, Array, Array]:
        """Return the next epoch's order of the images, its random key and its learning rate."""
        number = len(self._history)
        order = np.random.default_rng([self._seed, number]).permutation(len(self.labels))
        key = jax.random.fold_in(jax.random.key(self._seed), number)
        return order.astype(np.int32), key, np.float32(self._rates[number])

    def take(self, state: Any, loss: float, accuracy: float, scores: Any) -> EpochResult:
        """Take the state after the next epoch as this trial's.

        scores : probabilities, losses and penalty of the validation images; None without them, or
            where the loss is not finite
        """
        number = len(self._history)
        result = EpochResult(
            epoch=number,
            loss=loss,
            accuracy=accuracy,
            **self._validation_scores(scores),
            learning_rate=float(self._rates[number]),
        )
        self._history.append(result)
        if not result.finite:
            self._diverged_epoch = number
            return result
        self.state = state
        self._select(result)
        return result

    def _validation_scores(self, scores: Any) -> dict[str, float | None]:
        names = ("val_loss", "val_cross_entropy", "val_accuracy")
        if not len(self.validation):
            return dict.fromkeys(names)
        if scores is None:
            return dict.fromkeys(names, math.nan)
        labels = self._data.validation_labels
        probabilities, losses, penalty = scores
        right = np.asarray(probabilities).argmax(axis=1) == labels
        entropy = float(np.asarray(losses, np.float64).mean())
        values = (entropy + float(penalty), entropy, float(right.mean()))
        return dict(zip(names, values, strict=True))

    def _evaluate(self, trainable: Any, other: Any) -> Any:
        return self.program.evaluate(trainable, other, self.validation, self.validation_labels)

    def _select(self, result: EpochResult) -> None:
        scores = {
            "best-loss": result.val_cross_entropy,
            "best-accuracy": None if result.val_accuracy is None else -result.val_accuracy,
        }
        score = scores.get(self._selection)
        if score is None or score < self._best:
            self._best = math.inf if score is None else score
            self._selected = self.state[:2]
            self._selected_epoch = result.epoch

    def result(self) -> Trained:
        """Return the trial's outcome; its weights are those of the selected epoch."""
        trainable, other = self._selected
        validation = None
        if len(self.validation):
            validation = np.asarray(self._evaluate(trainable, other)[0])
        total, trained = self._parameters
        return Trained(
            weights=dict(zip(self._names, map(np.asarray, [*trainable, *other]), strict=True)),
            validation=validation,
            history=self.history,
            selected_epoch=self._selected_epoch,
            diverged_epoch=self._diverged_epoch,
            parameters=total,
            trainable_parameters=trained,
        )

    def checkpoint(self) -> tuple[Arrays, str]:
        """Return everything `restore` needs: arrays by name, and a JSON document."""
        leaves = jax.tree.leaves((self.state, self._selected))
        document = {
            "history": [asdict(each) for each in self._history],
            "selected_epoch": self._selected_epoch,
            "diverged_epoch": self._diverged_epoch,
            "best": self._best,
        }
        return {f"{i:04d}": np.asarray(leaf) for i, leaf in enumerate(leaves)}, json.dumps(document)

    def restore(self, arrays: Arrays, text: str) -> None:
        """Go on from a checkpoint of the same trial; raise ValueError if it is of another."""
        leaves, shape = jax.tree.flatten((self.state, self._selected))
        saved = [arrays.get(f"{i:04d}") for i in range(len(leaves))]
        for leaf, array in zip(leaves, saved, strict=True):
            if array is None or array.shape != leaf.shape or array.dtype != leaf.dtype:
                raise ValueError("this checkpoint is of another model")
        document = json.loads(text)
        self.state, self._selected = jax.tree.unflatten(shape, [jnp.asarray(a) for a in saved])
        self._history = [EpochResult(**each) for each in document["history"]]
        self._selected_epoch = document["selected_epoch"]
        self._diverged_epoch = document["diverged_epoch"]
        self._best = document["best"]


def _names(network: Any) -> list[str]:
    variables = [*network.trainable_variables, *network.non_trainable_variables]
    return [f"{position:03d}.{variable.name}" for position, variable in enumerate(variables)]


def _parameters(network: Any) -> tuple[int, int]:
    """Count all parameters and the trainable ones, as Keras's summary does."""
    trainable = sum(int(np.prod(v.shape)) for v in network.trainable_variables)
    return int(network.count_params()), trainable


@lru_cache(maxsize=2)
def _predictor(model_json: str, input_shape: tuple[int, int, int], n_classes: int) -> Any:
    recipe = ModelRecipe.model_validate_json(model_json)
    network = build(recipe, input_shape, n_classes, seed=0)
    return network, jax.jit(partial(_predict_all, network), static_argnums=3)


def predict(
    model: ModelRecipe,
    weights: Mapping[str, NDArray[Any]],
    images: NDArray[Any],
    *,
    maximum: float,
    n_classes: int,
) -> NDArray[np.float32]:
    """Return the probabilities a trained model gives, float32, shape (n_images, n_classes).

    Raises ValueError if the weights are not this model's.
    """
    height, width, channels = images.shape[1:]
    network, run = _predictor(_key(model), (height, width, channels), n_classes)
    names = _names(network)
    shapes = [v.shape for v in (*network.trainable_variables, *network.non_trainable_variables)]
    if sorted(weights) != names or any(
        weights[name].shape != tuple(shape) for name, shape in zip(names, shapes, strict=True)
    ):
        raise ValueError("these weights are of another model")
    values = [jnp.asarray(weights[name]) for name in names]
    cut = len(network.trainable_variables)
    return np.asarray(run(values[:cut], values[cut:], jnp.asarray(images), maximum))
