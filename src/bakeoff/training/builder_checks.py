"""What goes wrong in silence with the user's own builders: fixed seeds, pixels scaled twice.

A check builds the model with two seeds and looks at it; nothing is trained. What spoils a study is
refused; what may be meant is a remark, which the report shows as a finding.
"""

import random
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import RecipeError
from bakeoff.training.backend import keras
from bakeoff.training.user_builder import build_from_python

SCALES_AGAIN = "scales-again"
SAME_START = "same-initial-weights"
SOME_SAME_START = "some-same-initial-weights"
_SEEDS = (1, 2)
_FLAT = 0.1  # black and white that differ by less, before the first weights, were divided again
_FAR = 10.0  # values so far from 0 come from subtracting what suits pixels up to 255

Shape = tuple[int, int, int]


@cache
def remarks(reference: str, input_shape: Shape, n_classes: int) -> tuple[str, ...]:
    """Return the codes of what is strange about the models that a builder gives, in fixed order.

    Parameters
    ----------
    reference : "file.py:function"
    input_shape : height, width, channels

    Raises
    ------
    RecipeError
        If the builder cannot be used, gives every seed the same initial weights, or ends in two
        softmax layers.
    """
    one, first_state = _built(reference, input_shape, n_classes, seed=_SEEDS[0])
    other, second_state = _built(reference, input_shape, n_classes, seed=_SEEDS[1])
    if _softmax_twice(one):
        raise RecipeError(
            f"{reference}: expected one softmax at the end, found two, one after the other: remove "
            "one"
        )
    found = []
    if scales_again(one, input_shape):
        found.append(SCALES_AGAIN)
    same, of, fixed = same_start(one, other)
    fixed = fixed or (same > 0 and first_state == second_state)
    if of and same == of and fixed:
        raise RecipeError(
            f"{reference}: expected other initial weights for every seed, found the same ones: "
            "remove set_random_seed and seed=… from the builder; Bakeoff sets the seed"
        )
    if of and same == of:
        found.append(SAME_START)
    elif fixed:
        found.append(SOME_SAME_START)
    return tuple(found)


def _built(
    reference: str, input_shape: Shape, n_classes: int, *, seed: int
) -> tuple[keras.Model, object]:
    """Return (the model, where Python's random numbers stand after it was built).

    Keras draws the seeds of its initializers from these, so that two seeds end at two states,
    unless the builder seeds them itself.
    """
    model = build_from_python(reference, input_shape, n_classes, seed=seed)
    return model, random.getstate()


# ── seeds ────────────────────────────────────────────────────────────────────────────────────


def same_start(one: keras.Model, other: keras.Model) -> tuple[int, int, bool]:
    """Compare the initial weights of two seeds.

    Returns
    -------
    How many trainable variables that were drawn at random are equal; how many there are; and
    whether some of the equal ones are what their initializer draws each time, so that it is the
    initializer's seed that is fixed, and not weights that were loaded.
    """
    same, of, fixed = 0, 0, False
    initializers = _initializers(one)
    for mine, its in zip(one.trainable_variables, other.trainable_variables, strict=False):
        values, others = np.asarray(mine), np.asarray(its)
        if values.size < 2 or (values == values.flat[0]).all():
            continue
        of += 1
        if values.shape == others.shape and np.array_equal(values, others):
            same += 1
            fixed = fixed or _drawn_again(initializers.get(id(mine)), values)
    return same, of, fixed


def _initializers(model: keras.Model) -> dict[int, Any]:
    """Return the initializer of every variable, by the variable's id."""
    found = {}
    for layer in model._flatten_layers():
        for name in ("kernel", "embeddings", "recurrent_kernel", "depthwise_kernel", "bias"):
            variable = getattr(layer, name, None)
            initializer = getattr(layer, f"{name}_initializer", None)
            if variable is not None and initializer is not None:
                found[id(variable)] = initializer
    return found


def _drawn_again(initializer: Any, values: NDArray[Any]) -> bool:
    """Say whether an initializer draws exactly these values when it is asked again."""
    if initializer is None:
        return False
    try:
        again = np.asarray(initializer(values.shape, dtype="float32"))
    except Exception:  # the user's own initializer may do anything
        return False
    return bool(np.array_equal(again, values))


# ── pixels ───────────────────────────────────────────────────────────────────────────────────


def scales_again(model: keras.Model, input_shape: Shape) -> bool:
    """Say whether a model divides pixels, which come in [0, 1], once more before its first weights.

    Found out by showing what stands before them a black and a white image. Of a model that is no
    chain or graph of layers nothing is known: False.
    """
    images = np.stack([np.zeros(input_shape, np.float32), np.ones(input_shape, np.float32)])
    try:
        black, white = _before_weights(model, images)
    except (AttributeError, IndexError, StopIteration, TypeError, ValueError):
        return False  # no graph of layers, or none with weights
    reach, offset = np.abs(white - black).max(), np.abs(black).max()
    return bool(reach < _FLAT or offset > _FAR)


def _before_weights(model: keras.Model, images: NDArray[Any]) -> NDArray[Any]:
    """Return what the first layer with trainable weights gets for these images."""
    layers = [each for each in model.layers if not isinstance(each, keras.layers.InputLayer)]
    first = next(each for each in layers if each.trainable_weights or _is_model(each))
    comes_in = first._inbound_nodes[-1].input_tensors[0]  # the newest: layers may be shared
    values = np.asarray(keras.Model(model.inputs[0], comes_in)(images, training=False))
    return _before_weights(first, values) if _is_model(first) else values


def _is_model(layer: Any) -> bool:
    return isinstance(layer, keras.Model)


# ── the end ──────────────────────────────────────────────────────────────────────────────────


def _softmax_twice(model: keras.Model) -> bool:
    """Say whether the layer before the softmax at the end gave a softmax, too."""
    try:
        layers = [each for each in model.layers if not isinstance(each, keras.layers.Dropout)]
    except Exception:
        return False
    return len(layers) > 1 and _is_softmax(layers[-1]) and _is_softmax(layers[-2])


def _is_softmax(layer: Any) -> bool:
    activation = getattr(layer, "activation", None)
    return isinstance(layer, keras.layers.Softmax) or activation is keras.activations.softmax
