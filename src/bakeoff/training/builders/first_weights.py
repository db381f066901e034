"""What reaches a network's first weights of an image: followed through its traced operations."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.recipe.vocabulary.builder_remarks import PIXELS_LOST, SCALES_AGAIN
from bakeoff.training.backend import jax, keras
from bakeoff.training.stateless import stateless_predict, values

_FLAT = 0.1  # black and white that differ by less, before the first weights, were divided again
_FAR = 10.0  # values so far from 0 come from subtracting what suits pixels up to 255
_LOOPS = ("scan", "while", "cond")  # their bodies take other values than the operation does
_NEUTRAL = {"mul": 1, "add": 0}  # what a normalization's own weights begin with changes nothing


@dataclass(frozen=True)
class _Weights:
    """What is made of trainable variables alone."""

    values: Any


@dataclass(frozen=True)
class _Pixels:
    """What is made of pixels."""

    values: Any


class _Met(Exception):
    """Pixels met weights: `args` are what was made of the pixels by then."""


def strange_pixels(model: keras.Model, input_shape: tuple[int, int, int]) -> str | None:
    """Return the remark on a model that loses pixels, or scales them once more; None if neither.

    It is shown a black, a white and a noisy image with pixels in [0, 1], and what reaches its first
    weights is looked at. None where no layer has weights.
    """
    noise = np.random.default_rng(0).random(input_shape, dtype=np.float32)
    images = np.stack([np.zeros_like(noise), np.ones_like(noise), noise])
    try:
        black, white, noisy = before_weights(model, images)
    except Exception:  # no weights; or an operation that JAX does not let anybody else do
        return None
    if np.array_equal(black, white) and np.array_equal(black, noisy):
        return PIXELS_LOST
    # Where every image is standardised by itself, black and white are both 0: hence the noise.
    reach, offset = max(np.abs(white - black).max(), np.ptp(noisy)), np.abs(black).max()
    return SCALES_AGAIN if reach < _FLAT or offset > _FAR else None


def before_weights(model: keras.Model, images: NDArray[Any]) -> list[NDArray[Any]]:
    """Return what of each image reaches the first operation that uses a trainable variable.

    Operations are followed, since a layer of the user's own may do anything before it uses weights.
    Factors of 1 and offsets of 0 do not count: what a layer normalization multiplies by them is not
    the pixels, but one over their spread.

    Raises ValueError where no pixel meets a trainable variable.
    """
    trainable, others = values(model)
    predict = partial(stateless_predict, model, others=others)
    traced = jax.make_jaxpr(predict)(trainable, images=images[:1])
    return [_reaching(traced, trainable, image[None]) for image in images]


def _reaching(traced: Any, weights: Iterable[Any], image: NDArray[Any]) -> NDArray[Any]:
    """Return what is made of an image by the time it meets weights.

    weights : those that the traced function takes, before the image
    """
    try:
        _follow(traced, [*map(_Weights, weights), _Pixels(image)])
    except _Met as met:
        return np.asarray(met.args[0], dtype=np.float32)
    raise ValueError("no pixel meets a trainable variable")


def _follow(traced: Any, given: Iterable[Any]) -> list[Any]:
    """Return what a traced function gives; raise _Met where pixels meet weights."""
    jaxpr = getattr(traced, "jaxpr", traced)  # closed over constants, or not
    known = dict(zip(jaxpr.constvars, getattr(traced, "consts", ()), strict=True))
    known |= zip(jaxpr.invars, given, strict=True)

    def value(variable: Any) -> Any:
        return variable.val if hasattr(variable, "val") else known[variable]  # of a literal

    for equation in jaxpr.eqns:
        outputs = _apply(equation, list(map(value, equation.invars)))
        known |= zip(equation.outvars, outputs, strict=True)
    return list(map(value, jaxpr.outvars))


def _apply(equation: Any, inputs: list[Any]) -> list[Any]:
    """Return what one operation gives."""
    pixels = [each.values for each in inputs if isinstance(each, _Pixels)]
    weights = [each.values for each in inputs if isinstance(each, _Weights)]
    if pixels and weights:
        inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
        if inner is not None and equation.primitive.name not in _LOOPS:
            return _follow(inner, inputs)
        neutral = _NEUTRAL.get(equation.primitive.name)
        if neutral is None or not all((np.asarray(each) == neutral).all() for each in weights):
            raise _Met(max(pixels, key=_is_grey))  # a mask of pixels comes before what it masks
    plain = [each.values if isinstance(each, _Pixels | _Weights) else each for each in inputs]
    bound = equation.primitive.get_bind_params(equation.params)
    functions, settings = bound if isinstance(bound, tuple) else ((), bound)  # as JAX has it
    outputs = equation.primitive.bind(*functions, *plain, **settings)
    outputs = outputs if equation.primitive.multiple_results else [outputs]
    made_of = _Pixels if pixels else _Weights if weights else None
    return list(map(made_of, outputs)) if made_of else list(outputs)


def _is_grey(values: Any) -> bool:
    """Say whether values are more than yes and no."""
    return bool(values.dtype != np.bool_)
