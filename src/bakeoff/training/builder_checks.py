"""What goes wrong in silence with the user's own builders: fixed seeds, pixels scaled twice.

A check builds the model with two seeds and looks at it; nothing is trained. What spoils a study is
refused; what may be meant is a remark, which the report shows as a finding.
"""

import random
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import RecipeError
from bakeoff.recipe.vocabulary.builder_remarks import (
    COMPILED,
    SAME_START,
    SCALES_AGAIN,
    SOME_SAME_START,
)
from bakeoff.training.backend import as_planned, keras
from bakeoff.training.user_builder import call_builder, usable

_OWN_WAYS = ("train_step", "compute_loss")  # to train, in a class derived from keras.Model
_PASSING = (keras.layers.Dropout, keras.layers.GaussianNoise)  # but while training
_SEEDS = (1, 2)
_FLAT = 0.1  # black and white that differ by less, before the first weights, were divided again
_FAR = 10.0  # values so far from 0 come from subtracting what suits pixels up to 255

_SHOWN, _ENLARGED, _CLOSE = 16, (30.0, 1000.0), 1e-4  # images, weights' factors, probabilities

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
        If the builder cannot be used, gives every seed the same initial weights, ends in two
        softmax layers, or says itself how a step of training goes.
    """
    try:
        return _remarks(reference, input_shape, n_classes)
    finally:
        as_planned()  # what the builder sets in Keras is not for the models after it


def _remarks(reference: str, input_shape: Shape, n_classes: int) -> tuple[str, ...]:
    given = call_builder(reference, input_shape, n_classes, seed=_SEEDS[0])
    own = [way for way in _OWN_WAYS if getattr(type(given), way) is not getattr(keras.Model, way)]
    if own:
        raise RecipeError(
            f"{reference}: expected a model that is trained as the recipe says, found one with its "
            f"own {own[0]}, which would not be used: remove it; losses of add_loss do count"
        )
    one, first_state = usable(given, reference, input_shape, n_classes), random.getstate()
    other = call_builder(reference, input_shape, n_classes, seed=_SEEDS[1])
    other, second_state = usable(other, reference, input_shape, n_classes), random.getstate()
    if _softmax_twice(one) or _certain_of_little(one, input_shape, n_classes):
        raise RecipeError(
            f"{reference}: expected one softmax at the end, found two, one after the other: remove "
            "one"
        )
    # Keras draws the seeds of its initializers from Python's random numbers, so that two seeds end
    # at two states of them, unless the builder seeds them itself.
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
    if given.compiled:
        found.append(COMPILED)
    return tuple(found)


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

    Found out by showing the model a black and a white image and looking at what comes in there.
    False where no layer has weights.
    """
    images = np.stack([np.zeros(input_shape, np.float32), np.ones(input_shape, np.float32)])
    try:
        black, white = _before_weights(model, images)
    except (TypeError, ValueError):
        return False  # no weights, or something else than two images comes in
    reach, offset = np.abs(white - black).max(), np.abs(black).max()
    return bool(reach < _FLAT or offset > _FAR)


def _before_weights(model: keras.Model, images: NDArray[Any]) -> NDArray[Any]:
    """Return what the first layer with trainable weights gets for these images.

    Of a layer of layers, what the first of them with weights gets, unless that is only traced.
    """
    comes_in: list[NDArray[Any]] = []
    found = False
    call = keras.layers.Layer.__call__

    def listening(layer: keras.layers.Layer, *arguments: Any, **named: Any) -> Any:
        nonlocal found
        first = not found and bool(arguments) and bool(layer.trainable_variables)
        first = first and not isinstance(layer, keras.Model)
        if first:
            with suppress(Exception):  # JAX's tracers are no values
                comes_in.append(np.asarray(arguments[0]))
            found = bool(layer._trainable_variables)
        result = call(layer, *arguments, **named)
        found = found or first
        return result

    keras.layers.Layer.__call__ = listening  # a subclassed model has no graph to look at
    try:
        model(images, training=False)
    finally:
        keras.layers.Layer.__call__ = call
    if not comes_in:
        raise ValueError("no layer has trainable weights")
    return comes_in[-1]


# ── the end ──────────────────────────────────────────────────────────────────────────────────


def _softmax_twice(model: keras.Model) -> bool:
    """Say whether the layer before the softmax at the end gave a softmax, too."""
    try:
        layers = [each for each in model.layers if not isinstance(each, _PASSING)]
    except Exception:
        return False
    return len(layers) > 1 and _is_softmax(layers[-1]) and _is_softmax(layers[-2])


def _certain_of_little(model: keras.Model, input_shape: Shape, n_classes: int) -> bool:
    """Say whether a model that is as certain as can be gives the softmax of one 1 and many 0.

    Weights are enlarged until a softmax is certain; a second one makes e/(e + n − 1) of it.
    """
    images = np.random.default_rng(0).random((_SHOWN, *input_shape), dtype=np.float32)
    weights = model.get_weights()
    little = np.e / (np.e + n_classes - 1)
    found = []
    try:
        for factor in _ENLARGED:
            model.set_weights([factor * each for each in weights])
            found.append(np.asarray(model(images, training=False)).max())
    except Exception:  # the user's own layers may do anything
        return False
    finally:
        model.set_weights(weights)
    return any(abs(each - little) < _CLOSE for each in found)


def _is_softmax(layer: Any) -> bool:
    activation = getattr(layer, "activation", None)
    return isinstance(layer, keras.layers.Softmax) or activation is keras.activations.softmax
