"""An epoch of training as one compiled program over data on the device; evaluation as another."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bakeoff.recipe import ModelRecipe, Optimizer
from bakeoff.recipe.vocabulary.optimizers import OPTIMIZERS
from bakeoff.training import fused_optimizer
from bakeoff.training.backend import compiler_options, jax, keras
from bakeoff.training.build_model import build
from bakeoff.training.layers.context import dropping, pixels, probing, random_key
from bakeoff.training.layers.dropout import dropouts
from bakeoff.training.objective import class_weights, cross_entropy, hard, mixed, training_loss
from bakeoff.training.predict import predict_in_batches
from bakeoff.training.rate_by_variable import slow_down_backbone
from bakeoff.training.regularization import regularization_loss
from bakeoff.training.stateless import training_argument

jnp, lax = jax.numpy, jax.lax
Array = Any


@dataclass(frozen=True)
class DataShape:
    """What of the data a program is compiled for.

    maximum : the pixel value that becomes 1.0
    class_weights : of each class, where the recipe states them; None where it does not
    """

    input_shape: tuple[int, int, int]
    n_classes: int
    n_train: int
    maximum: float
    class_weights: tuple[float, ...] | None


@dataclass(frozen=True)
class Program:
    """A model's compiled functions; one serves all seeds of the model, learning and dropout rates.

    plain_epoch : what `epoch` was compiled from
    averages : indices among the optimizer's variables of the weights' moving averages; may be empty
    """

    plain_epoch: Any
    epoch: Any
    evaluate: Any
    optimizer: Any
    averages: tuple[int, ...]

    def scored(self, state: Any) -> Any:
        """Return what is scored: the weights or their moving averages, and other variables."""
        trainable, other, optimizer_state = state
        averaged = [optimizer_state[index] for index in self.averages]
        return (averaged if self.averages else trainable), other


@lru_cache(maxsize=2)
def program_of(model_json: str, shape: DataShape) -> Program:
    """Return the program of a declared model, given as `program_key`."""
    functions = _Functions(ModelRecipe.model_validate_json(model_json), shape)
    return Program(
        plain_epoch=functions.epoch,
        epoch=jax.jit(functions.epoch, compiler_options=compiler_options()),
        evaluate=jax.jit(functions.evaluate),
        optimizer=functions.optimizer,
        averages=_averages(functions.optimizer),
    )


class _Functions:
    """A model's functions of arrays, not compiled yet; the model holds no weights of a trial.

    A state is (trainable variables, other variables, optimizer state), each a list of arrays.
    """

    def __init__(self, recipe: ModelRecipe, shape: DataShape) -> None:
        self._shape, self._options = shape, recipe.training.options
        self._batch = recipe.training.batch_size
        self._model = build(recipe, shape.input_shape, shape.n_classes, seed=0)
        self._learning = training_argument(self._model, training=True)
        self.optimizer = _make_optimizer(recipe.training.optimizer)
        self.optimizer.build(self._model.trainable_variables)
        slow_down_backbone(self.optimizer, recipe, self._model)
        names = [variable.name for variable in self.optimizer.variables]
        self._rate_index = names.index("learning_rate")
        dropouts(self._model)  # which says where each stands
        self._fused = fused_optimizer.fused(self._model, self.optimizer, self._batch)

    def _objective(
        self,
        trainable: Any,
        probes: Any,
        other: Any,
        images: Array,
        labels: Array,
        key: Array,
        weights: Any,
    ) -> Any:
        """Return the loss of a batch, with its regularization losses, and what else comes out."""
        with random_key(key), probing(probes) as probed:
            probabilities, other, regularization_losses = self._model.stateless_call(
                trainable, other, images, return_losses=True, **self._learning
            )
        loss = training_loss(self._options, labels, probabilities, weights)
        loss = loss + sum(regularization_losses)
        correct = jnp.sum(jnp.argmax(probabilities, axis=-1) == hard(labels))
        return loss, (other, correct, probed.inputs)

    def _step(
        self,
        state: Any,
        rows: Array,
        key: Array,
        images: Array,
        labels: Array,
        weights: Any,
        dropped: Any,
    ) -> Any:
        """Return the state after a step on the images `rows`, their summed loss, the correct."""
        trainable, other, optimizer_state = state
        shape, mixup = self._shape, self._options.mixup
        chosen, probes = images[rows], fused_optimizer.probes(self._fused, len(rows))
        inputs, targets = chosen.astype(jnp.float32) / shape.maximum, labels[rows]
        if mixup:
            inputs, targets = mixed(inputs, targets, key, alpha=mixup, n_classes=shape.n_classes)
            chosen = inputs * shape.maximum
        value_and_gradients = jax.value_and_grad(self._objective, argnums=(0, 1), has_aux=True)
        with pixels(chosen, shape.maximum), dropping(dropped):
            (loss, (other, correct, multiplied)), (gradients, probed) = value_and_gradients(
                trainable, probes, other, inputs, targets, key, weights
            )
        before = trainable, optimizer_state
        after = self.optimizer.stateless_apply(optimizer_state, gradients, trainable)
        rate = optimizer_state[self._rate_index]
        trainable, optimizer_state = fused_optimizer.apply(
            self._fused, self.optimizer, rate, before, after, multiplied, probed
        )
        return (trainable, other, optimizer_state), (loss * len(rows), correct)

    def epoch(
        self,
        state: Any,
        images: Array,
        labels: Array,
        order: Array,
        key: Array,
        rate: Array,
        dropped: Any,
    ) -> Any:
        """Return the state after an epoch, its mean loss (nan where not finite), its accuracy.

        order : of the images, int32; the last batch may be a small one
        key : of the epoch; each step folds its number into it
        rate : the learning rate
        dropped : the `share` of each dropout layer, in the order of `dropouts`
        """
        trainable, other, optimizer_state = state
        index = self._rate_index
        optimizer_state = [*optimizer_state[:index], rate, *optimizer_state[index + 1 :]]
        state = trainable, other, optimizer_state
        shape, batch = self._shape, self._batch
        steps, rest = divmod(shape.n_train, batch)
        weights = class_weights(self._options, shape.class_weights, labels, shape.n_classes)
        full = order[: steps * batch].reshape(steps, batch)

        def body(state: Any, item: Any) -> Any:
            rows, index = item
            key_of_step = jax.random.fold_in(key, index)
            return self._step(state, rows, key_of_step, images, labels, weights, dropped)

        state, (losses, corrects) = lax.scan(body, state, (full, jnp.arange(steps)))
        loss, correct = jnp.sum(losses), jnp.sum(corrects)
        if rest:
            last = jax.random.fold_in(key, steps)
            state, (more_loss, more_correct) = self._step(
                state, order[steps * batch :], last, images, labels, weights, dropped
            )
            loss, correct = loss + more_loss, correct + more_correct
        loss = jnp.where(_finite(state), loss / shape.n_train, jnp.nan)
        return state, loss, correct / shape.n_train

    def evaluate(self, trainable: Any, other: Any, images: Array, labels: Array) -> Any:
        """Return probabilities and cross-entropies of images, and the regularization loss."""
        maximum = self._shape.maximum
        probabilities = predict_in_batches(self._model, trainable, other, images, maximum)
        losses = cross_entropy(labels, probabilities)
        regularization = regularization_loss(
            self._model, trainable, other, images, maximum=maximum, batch=self._batch
        )
        return probabilities, losses, regularization


def _finite(state: Any) -> Array:
    leaves = [leaf for leaf in jax.tree.leaves(state) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in leaves]))


def _make_optimizer(declared: Optimizer) -> Any:
    kind = getattr(keras.optimizers, OPTIMIZERS[declared.kind].__name__)  # Keras's own name
    return kind(learning_rate=0.0, **declared.arguments)


def _averages(optimizer: Any) -> tuple[int, ...]:
    if not optimizer.use_ema:
        return ()
    owned = [id(variable) for variable in optimizer.variables]
    return tuple(owned.index(id(each)) for each in optimizer._model_variables_moving_average)
