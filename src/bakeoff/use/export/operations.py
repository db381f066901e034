"""A network as a list of elementary operations, which a writer puts into a file's own words.

Values are float32, images lie as (batch, height, width, channels). There are few kinds, so that a
new file format needs few words; `layers.py` says which of them a layer comes to.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]  # without the batch


@dataclass(frozen=True)
class Value:
    """What an operation makes or takes: a name and a shape."""

    name: str
    shape: Shape


@dataclass(frozen=True, eq=False)
class Operation:
    """One elementary operation.

    kind          inputs, constants and settings
    ------------  -----------------------------------------------------------------------------
    cast          pixels of any type to float32
    conv2d        kernel (height, width, in, out), bias; strides, padding, dilation
    depthwise     kernel (height, width, channels, multiplier), bias; the same
    matmul        kernel (in, out), bias
    max_pool      window, strides, padding
    average_pool  window, strides, padding; what is padded does not count
    mean, max     axes, keep
    reshape       to the output's shape
    concatenate   axis
    transpose     axes, the batch's, 0, first
    pad           pads: ((top, bottom), (left, right))
    crop          offset: (top, left); to the output's shape
    add, subtract, multiply, divide, maximum, minimum
                  two inputs, or one input and the constant `other`
    relu, sigmoid, tanh, exp, log, abs, sqrt, elu
                  of every element; elu with alpha 1
    gelu          approximate
    softmax       over the last axis
    prelu         slopes
    """

    kind: str
    inputs: tuple[Value, ...]
    output: Value
    constants: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Program:
    """Operations in order, from `pixels` to `output`; writing a layer down adds to it."""

    pixels: Value
    dtype: str
    operations: list[Operation] = field(default_factory=list)
    output: Value | None = None

    def add(
        self,
        kind: str,
        *inputs: Value,
        shape: Shape | None = None,
        constants: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Value:
        """Add an operation and return what it makes; its shape is the first input's by default."""
        named = {
            name: np.asarray(value, np.float32)
            for name, value in (constants or {}).items()
            if value is not None
        }
        value = Value(f"v{len(self.operations)}", inputs[0].shape if shape is None else shape)
        self.operations.append(Operation(kind, inputs, value, named, settings))
        return value

    def with_constant(self, kind: str, value: Value, other: Any) -> Value:
        """Add an operation of a value and a constant that is broadcast over it."""
        return self.add(kind, value, constants={"other": other})


def spread(size: int, window: int, stride: int, padding: str, dilation: int = 1) -> tuple[int, int]:
    """Return how many zeros Keras pads before and after an axis."""
    if padding == "valid":
        return 0, 0
    reach = (window - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


class Unknown(Exception):
    """What a layer does that no operation stands for."""
