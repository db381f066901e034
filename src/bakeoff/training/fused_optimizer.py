"""Weights of dense layers that are updated while their slope is summed up, in one pass over memory.

Keras's optimizer updates all others, and defines what these become. XLA would write a slope of the
weights and go over slope, weights and moments once for each of them. Where tiles multiply, the
inputs of a layer and the slope of its products go to a kernel instead (`native.update`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bakeoff.training import native
from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.fast_layers import Dense
from bakeoff.training.layers.kernels import tiled

jnp = jax.numpy
Array = Any
_MOST_IMAGES = 800  # of a batch: so many are summed over without adding to what is there
_MOMENTS = {
    keras.optimizers.SGD: (),
    keras.optimizers.RMSprop: ("_velocities",),
    keras.optimizers.Adam: ("_momentums", "_velocities"),
    keras.optimizers.AdamW: ("_momentums", "_velocities"),
}
_PLAIN = ("momentum", "centered", "amsgrad", "clipnorm", "clipvalue", "global_clipnorm")
_PENALTIES = (keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2)


@dataclass(frozen=True)
class Fused:
    """A dense layer whose weights a kernel updates.

    variable, moments : where they lie among the trainable variables and those of the optimizer
    shrinkage : l1 and l2 of the penalty, weight decay
    """

    layer: str
    units: int
    variable: int
    moments: tuple[int, ...]
    shrinkage: tuple[float, float, float]


def fused(model: Any, optimizer: Any, batch: int) -> tuple[Fused, ...]:
    """Return the layers that a kernel can update; none where there are no tiles."""
    kinds = _MOMENTS.get(type(optimizer))
    plain = not any(getattr(optimizer, name, None) for name in _PLAIN)
    if kinds is None or not plain or batch > _MOST_IMAGES or not _is_plain_stack(model):
        return ()
    variables = [id(variable) for variable in model.trainable_variables]
    owned = [id(variable) for variable in optimizer.variables]
    found = []
    for layer in model.layers:
        if not _updates(layer):
            continue
        place = variables.index(id(layer.kernel))
        moments = [getattr(optimizer, kind)[place] for kind in kinds]
        penalty, decay = layer.kernel_regularizer, optimizer.weight_decay
        found.append(
            Fused(
                layer=layer.name,
                units=layer.units,
                variable=place,
                moments=tuple(owned.index(id(moment)) for moment in moments),
                shrinkage=(getattr(penalty, "l1", 0), getattr(penalty, "l2", 0), decay or 0),
            )
        )
    return tuple(found)


def _is_plain_stack(model: Any) -> bool:
    """Say whether each layer is called once and known by its name: nothing is nested."""
    stack = type(model) is keras.Sequential
    return stack and not any(isinstance(layer, keras.Model) for layer in model.layers)


def _updates(layer: Any) -> bool:
    if type(layer) is not Dense or not layer.trainable:
        return False
    known = layer.kernel_regularizer is None or type(layer.kernel_regularizer) in _PENALTIES
    return known and layer.kernel_constraint is None and tiled(layer.kernel)


def probes(layers: Sequence[Fused], batch: int) -> dict[str, Array]:
    """Return the zeros whose slopes `apply` wants."""
    return {each.layer: jnp.zeros((batch, each.units), jnp.float32) for each in layers}


def apply(
    layers: Sequence[Fused],
    optimizer: Any,
    rate: Array,
    before: tuple[list[Array], list[Array]],
    after: tuple[list[Array], list[Array]],
    inputs: dict[str, Array],
    slopes: dict[str, Array],
) -> tuple[list[Array], list[Array]]:
    """Return trainable variables and those of the optimizer after a step.

    rate : the learning rate
    before : both before the step
    after : both as Keras's optimizer leaves them; what is replaced here XLA does not compute
    inputs, slopes : of `layers` by name; inputs of those that were multiplied as two matrices
    """
    (old, owned), (trainable, moments) = before, (list(after[0]), list(after[1]))
    for each in (each for each in layers if each.layer in inputs):
        l1, l2, decay = each.shrinkage
        numbers = [l1, l2, decay * rate, *_rule(optimizer, owned[0], rate)]
        trainable[each.variable], *changed = native.update(
            inputs[each.layer],
            slopes[each.layer],
            jnp.stack([jnp.asarray(number, jnp.float32) for number in numbers]),
            old[each.variable],
            [owned[place] for place in each.moments],
        )
        for place, moment in zip(each.moments, changed, strict=True):
            moments[place] = moment
    return trainable, moments


def _rule(optimizer: Any, iterations: Array, rate: Array) -> list[Array]:
    if isinstance(optimizer, keras.optimizers.SGD):
        return [rate]
    if isinstance(optimizer, keras.optimizers.RMSprop):
        return [rate, 1 - optimizer.rho, optimizer.epsilon]
    step = jnp.asarray(iterations + 1, jnp.float32)
    first, second = optimizer.beta_1, optimizer.beta_2
    corrected = rate * jnp.sqrt(1 - second**step) / (1 - first**step)
    return [corrected, 1 - first, 1 - second, optimizer.epsilon]
