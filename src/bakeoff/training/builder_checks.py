"""What goes wrong in silence with the user's own builders: fixed seeds, pixels scaled twice.

A check builds the model with two seeds and looks at it; nothing is trained. What spoils a study is
refused; what may be meant is a remark, which the report shows as a finding.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
_NOT_DRAWN = (keras.initializers.Constant, keras.initializers.Identity)
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
    if _softmax_twice(one, input_shape, n_classes) or _certain_of_little(
        one, input_shape, n_classes
    ):
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
        drawn_by = initializers.get(id(mine))
        if values.size < 2 or (values == values.flat[0]).all() or isinstance(drawn_by, _NOT_DRAWN):
            continue
        of += 1
        if values.shape == others.shape and np.array_equal(values, others):
            same += 1
            fixed = fixed or _drawn_again(drawn_by, values)
    return same, of, fixed


def _initializers(model: keras.Model) -> dict[int, Any]:
    """Return the initializer of every variable, by the variable's id."""
    found = {}
    for layer in model._flatten_layers():
        for variable in layer._trainable_variables:
            # depthwise_kernel has depthwise_initializer, and DepthwiseConv2D's kernel has it, too
            names = (variable.name, variable.name.removesuffix("_kernel"), "depthwise")
            drawn = [getattr(layer, f"{name}_initializer", None) for name in names]
            found[id(variable)] = next((each for each in drawn if each is not None), None)
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

    Found out by showing the model a black, a white and a noisy image and looking at what comes in
    there. False where no layer has weights.
    """
    noise = np.random.default_rng(0).random(input_shape, dtype=np.float32)
    images = np.stack([np.zeros_like(noise), np.ones_like(noise), noise])
    try:
        black, white, noisy = _before_weights(model, images)
    except (TypeError, ValueError):
        return False  # no weights, or something else than three images comes in
    # Of images of one value each, nothing is left where every image is standardised by itself.
    reach, offset = max(np.abs(white - black).max(), np.ptp(noisy)), np.abs(black).max()
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

    with _every_call(listening):
        model(images, training=False)
    if not comes_in:
        raise ValueError("no layer has trainable weights")
    return comes_in[-1]


@contextmanager
def _every_call(listening: Callable[..., Any]) -> Iterator[None]:
    """Let a function take the place of every layer's call: a subclassed model has no graph."""
    call = keras.layers.Layer.__call__
    keras.layers.Layer.__call__ = listening
    try:
        yield
    finally:
        keras.layers.Layer.__call__ = call


# ── the end ──────────────────────────────────────────────────────────────────────────────────


def _softmax_twice(model: keras.Model, input_shape: Shape, n_classes: int) -> bool:
    """Say whether the softmax at the end is one of a softmax of the classes.

    Told by what goes from layer to layer, not by their order: an attention's softmax, or that of
    another head, may be the layer before the last.
    """
    once: list[Any] = []
    twice: list[Any] = []
    call = keras.layers.Layer.__call__

    def listening(layer: keras.layers.Layer, *arguments: Any, **named: Any) -> Any:
        result = call(layer, *arguments, **named)
        if _is_softmax(layer) and result.shape[-1] == n_classes:
            again = bool(arguments) and any(arguments[0] is each for each in once)
            (twice if again else once).append(result)
        return result

    try:
        with _every_call(listening):
            outputs = model(np.zeros((1, *input_shape), np.float32), training=False)
    except Exception:  # the user's own layers may do anything
        return False
    return any(outputs is each for each in twice)


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
