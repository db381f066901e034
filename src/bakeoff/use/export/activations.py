"""What every activation of Keras comes to in elementary operations: one table, one line each."""

from collections.abc import Callable, Mapping

import numpy as np

from bakeoff.use.export.operations import Program, Value


def elu(program: Program, x: Value, alpha: float = 1.0) -> Value:
    """Add x above 0 and alpha·(exp(x) − 1) below."""
    if alpha == 1:
        return program.add("elu", x)
    below = program.add("elu", program.with_constant("minimum", x, 0.0))
    return program.add(
        "add", program.add("relu", x), program.with_constant("multiply", below, alpha)
    )


def _selu(program: Program, x: Value) -> Value:
    return program.with_constant(
        "multiply", elu(program, x, 1.6732632423543772), 1.0507009873554805
    )


def _clip(program: Program, x: Value, low: float, high: float) -> Value:
    return program.with_constant("minimum", program.with_constant("maximum", x, low), high)


def _softplus(program: Program, x: Value) -> Value:
    """Return log(1 + exp(x)) as max(x, 0) + log(1 + exp(−|x|)), which does not overflow."""
    small = program.add("exp", program.with_constant("multiply", program.add("abs", x), -1.0))
    rest = program.add("log", program.with_constant("add", small, 1.0))
    return program.add("add", program.add("relu", x), rest)


def _hard_sigmoid(program: Program, x: Value) -> Value:
    raised = _clip(program, program.with_constant("add", x, 3.0), 0.0, 6.0)
    return program.with_constant("multiply", raised, 1 / 6)


def _softsign(program: Program, x: Value) -> Value:
    return program.add("divide", x, program.with_constant("add", program.add("abs", x), 1.0))


def leaky(program: Program, x: Value, slope: float = 0.2) -> Value:
    """Add x above 0 and slope·x below."""
    return program.add("prelu", x, constants={"slopes": np.full((1,) * len(x.shape), slope)})


def _log_sigmoid(program: Program, x: Value) -> Value:
    negated = _softplus(program, program.with_constant("multiply", x, -1.0))
    return program.with_constant("multiply", negated, -1.0)


ACTIVATIONS: Mapping[str, Callable[[Program, Value], Value]] = {
    "linear": lambda program, x: x,
    "relu": lambda program, x: program.add("relu", x),
    "relu6": lambda program, x: _clip(program, x, 0.0, 6.0),
    "leaky_relu": leaky,
    "elu": elu,
    "selu": _selu,
    "celu": elu,
    "gelu": lambda program, x: program.add("gelu", x, approximate=False),
    "silu": lambda program, x: program.add("multiply", x, program.add("sigmoid", x)),
    "mish": lambda program, x: program.add(
        "multiply", x, program.add("tanh", _softplus(program, x))
    ),
    "sigmoid": lambda program, x: program.add("sigmoid", x),
    "log_sigmoid": _log_sigmoid,
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda program, x: program.add("multiply", x, _hard_sigmoid(program, x)),
    "tanh": lambda program, x: program.add("tanh", x),
    "hard_tanh": lambda program, x: _clip(program, x, -1.0, 1.0),
    "tanh_shrink": lambda program, x: program.add("subtract", x, program.add("tanh", x)),
    "softplus": _softplus,
    "softsign": _softsign,
    "softmax": lambda program, x: program.add("softmax", x),
    "exponential": lambda program, x: program.add("exp", x),
}
