"""Updates the weights of dense layers while summing up their gradient, in one pass over memory.

Keras's optimizer defines the update and does it for all other variables. XLA would write the
weights' gradient to memory and read gradient, weights and optimizer state once for each of them.
Where the native library is loaded, a layer's inputs and the gradient of its pre-activations go to
one kernel instead (`native.ops.update`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.dense import Dense, is_wide
from bakeoff.training.layers.graph import graph
from bakeoff.training.native import ops

jnp = jax.numpy
Array = Any
_LARGEST_BATCH = 800  # the largest batch that is summed up while its inputs stay in the cache
_STATE = {
    keras.optimizers.SGD: (),
    keras.optimizers.RMSprop: ("_velocities",),
    keras.optimizers.Adam: ("_momentums", "_velocities"),
    keras.optimizers.AdamW: ("_momentums", "_velocities"),
}
_OTHER_RULES = (
    "momentum",
    "centered",
    "amsgrad",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
)
_REGULARIZERS = (keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2)


@dataclass(frozen=True)
class Fused:
    """A dense layer whose weights a kernel updates.

    variable : index of its weights among the model's trainable variables
    state : indices of their optimizer state among the optimizer's variables
    shrinkage : l1 and l2 of the regularizer, weight decay
    """

    layer: str
    units: int
    variable: int
    state: tuple[int, ...]
    shrinkage: tuple[float, float, float]


def fused(model: Any, optimizer: Any, batch: int) -> tuple[Fused, ...]:
    """Return the layers that a kernel can update; none where the library is not loaded."""
    plain = not any(getattr(optimizer, name, None) for name in _OTHER_RULES)
    state = _state_of(optimizer, len(model.trainable_variables))
    if state is None or not plain or _nests(model):
        return ()
    if not ops.loaded() or batch > _LARGEST_BATCH:
        return ()
    variables = [id(variable) for variable in model.trainable_variables]
    owned = [id(variable) for variable in optimizer.variables]
    called_once = graph(model).called_once
    found = []
    for layer in model.layers:
        if id(layer) not in called_once or not _updates(layer):
            continue
        index = variables.index(id(layer.kernel))
        regularizer, decay = layer.kernel_regularizer, optimizer.weight_decay
        found.append(
            Fused(
                layer=layer.name,
                units=layer.units,
                variable=index,
                state=tuple(owned.index(id(each[index])) for each in state),
                shrinkage=(
                    getattr(regularizer, "l1", 0),
                    getattr(regularizer, "l2", 0),
                    decay or 0,
                ),
            )
        )
    return tuple(found)


def _state_of(optimizer: Any, n_variables: int) -> list[list[Any]] | None:
    """Return an optimizer's state, a list for each kind; None where Keras's own update is used.

    Keras keeps it in private attributes, so it is taken only if it looks as it is known to: the
    optimizer has the step count, the learning rate and these variables, and no others.
    """
    names = _STATE.get(type(optimizer))
    if names is None:
        return None
    kinds: list[Any] = [getattr(optimizer, name, None) for name in names]
    own = [each for kind in kinds if isinstance(kind, list) for each in kind]
    known = {id(optimizer.iterations), id(optimizer.learning_rate), *map(id, own)}
    whole = len(own) == len(names) * n_variables
    # SGD without momentum has no state
    exact = not names or {id(each) for each in optimizer.variables} <= known
    return kinds if whole and exact else None


def _nests(model: Any) -> bool:
    """Say whether models are nested in this one: their layers may have names that occur twice."""
    return any(isinstance(layer, keras.Model) for layer in model.layers)


def _updates(layer: Any) -> bool:
    if type(layer) is not Dense or not layer.trainable:
        return False
    known = layer.kernel_regularizer is None or type(layer.kernel_regularizer) in _REGULARIZERS
    return known and layer.kernel_constraint is None and is_wide(layer.kernel)


def probes(layers: Sequence[Fused], batch: int) -> dict[str, Array]:
    """Return the zeros whose gradients `apply` needs."""
    return {each.layer: jnp.zeros((batch, each.units), jnp.float32) for each in layers}


def apply(
    layers: Sequence[Fused],
    optimizer: Any,
    rate: Array,
    before: tuple[list[Array], list[Array]],
    after: tuple[list[Array], list[Array]],
    inputs: dict[str, Array],
    gradients: dict[str, Array],
) -> tuple[list[Array], list[Array]]:
    """Return the trainable variables and the optimizer's variables after a step.

    rate : the learning rate
    before : both before the step
    after : both as Keras's optimizer computes them; XLA removes the replaced updates as dead code
    inputs : of `layers` by name, of those that multiplied two matrices
    gradients : of the pre-activations of `layers`, by name
    """
    (old, owned), (trainable, optimizer_state) = before, (list(after[0]), list(after[1]))
    for each in (each for each in layers if each.layer in inputs):
        l1, l2, decay = each.shrinkage
        scalars = [l1, l2, decay * rate, *_rule(optimizer, owned[0], rate)]
        trainable[each.variable], *state = ops.update(
            inputs[each.layer],
            gradients[each.layer],
            jnp.stack([jnp.asarray(scalar, jnp.float32) for scalar in scalars]),
            old[each.variable],
            [owned[index] for index in each.state],
        )
        for index, value in zip(each.state, state, strict=True):
            optimizer_state[index] = value
    return trainable, optimizer_state


def _rule(optimizer: Any, iterations: Array, rate: Array) -> list[Array]:
    if isinstance(optimizer, keras.optimizers.SGD):
        return [rate]
    if isinstance(optimizer, keras.optimizers.RMSprop):
        return [rate, 1 - optimizer.rho, optimizer.epsilon]
    step = jnp.asarray(iterations + 1, jnp.float32)
    first, second = optimizer.beta_1, optimizer.beta_2
    corrected = rate * jnp.sqrt(1 - second**step) / (1 - first**step)
    return [corrected, 1 - first, 1 - second, optimizer.epsilon]
