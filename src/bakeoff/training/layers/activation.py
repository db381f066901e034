"""Keras's activations that stand as layers, which the layer before may have applied already."""

from typing import Any

from bakeoff.training.backend import keras
from bakeoff.training.native.ops import Applied

Array = Any


class _Skipped:
    """`done`: whether the layer before has applied it."""

    done = False

    def call(self, inputs: Array) -> Array:
        """Activate."""
        return inputs if self.done else super().call(inputs)  # type: ignore[misc]


class Activation(_Skipped, keras.layers.Activation):  # type: ignore[misc]
    """Keras's layer of an activation that is named."""


class ReLU(_Skipped, keras.layers.ReLU):  # type: ignore[misc]
    """Keras's rectified linear unit."""


class ELU(_Skipped, keras.layers.ELU):  # type: ignore[misc]
    """Keras's exponential linear unit."""


def applied(layer: Any) -> Applied | None:
    """Return what a layer of this file applies, where the native library can do it."""
    if type(layer) is Activation:
        known: dict[Any, Applied] = {keras.activations.relu: "relu", keras.activations.elu: "elu"}
        return known.get(layer.activation)
    if type(layer) is ReLU:
        settings = layer.max_value, layer.negative_slope, layer.threshold
        return "relu" if settings == (None, 0, 0) else None
    return "elu" if type(layer) is ELU and layer.alpha == 1 else None
