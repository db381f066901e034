"""What goes wrong in silence with the user's own builders: fixed seeds, pixels scaled twice.

A check builds the model with a few seeds and looks at it; nothing is trained. What spoils a study
is refused; what may be meant is a remark, which the report shows as a finding.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
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
from bakeoff.training.backend import as_planned, jax, keras
from bakeoff.training.first_weights import before_weights
from bakeoff.training.stateless import stateless_predict, values
from bakeoff.training.user_builder import (
    Predict,
    call_builder,
    make_weights,
    probes,
    usable,
)

_OWN_WAYS = ("train_step", "compute_loss")  # to train, in a class derived from keras.Model
_NOT_DRAWN = (keras.initializers.Constant, keras.initializers.Identity)
_CLASS_BY_CLASS = tuple(  # layers that leave each class where it is
    getattr(keras.layers, name)
    for name in (
        *("Rescaling", "Normalization", "BatchNormalization", "LayerNormalization", "Activation"),
        *("UnitNormalization", "ReLU", "LeakyReLU", "PReLU", "ELU", "Dropout", "GaussianNoise"),
        *("GaussianDropout", "AlphaDropout", "ActivityRegularization", "Reshape", "Identity"),
    )
)
_NO_SETTINGS = ("name", "mean", "variance")  # the last two: of adapted data; nor any seed
_SEEDS = (1, 2)
_MORE_SEEDS = (0, 3, 4)  # two of which a choice among few may give the same network
_FLAT = 0.1  # black and white that differ by less, before the first weights, were divided again
_FAR = 10.0  # values so far from 0 come from subtracting what suits pixels up to 255

_ENLARGED, _CLOSE = (30.0, 1000.0), 1e-4  # weights' factors, probabilities

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
        If the builder cannot be used, gives every seed the same initial weights, or one seed
        others each time, or seeds other networks, ends in two softmax layers, or says itself how a
        step of training goes.
    """
    try:
        return _remarks(reference, input_shape, n_classes)
    finally:
        as_planned()  # what the builder sets in Keras is not for the models after it


def _remarks(reference: str, input_shape: Shape, n_classes: int) -> tuple[str, ...]:
    given, first_state = _drawn(reference, input_shape, n_classes, _SEEDS[0])
    own = [way for way in _OWN_WAYS if getattr(type(given), way) is not getattr(keras.Model, way)]
    if own:
        raise RecipeError(
            f"{reference}: expected a model that is trained as the recipe says, found one with its "
            f"own {own[0]}, which would not be used: remove it; losses of add_loss do count"
        )
    one, predict = usable(given, reference, input_shape, n_classes)
    other, second_state = _drawn(reference, input_shape, n_classes, _SEEDS[1])
    again, _ = _drawn(reference, input_shape, n_classes, _SEEDS[0])
    more = (_drawn(reference, input_shape, n_classes, seed)[0] for seed in _MORE_SEEDS)
    for drawn in (again, other, *more):
        unlike = difference(given, drawn, again)
        if unlike is not None:
            raise RecipeError(
                f"{reference}: expected the same network for every seed, found {unlike}: draw "
                "nothing about the network at random, and declare a model for each variant"
            )
    if not _equal_weights(given, again):
        raise RecipeError(
            f"{reference}: expected the same initial weights for the same seed, found others: "
            "remove from the builder what seeds by the clock or not at all (random.seed, "
            "set_random_seed, default_rng); Bakeoff sets the seed"
        )
    certain = _certain_of_little(predict, values(one), n_classes)
    if certain or _softmax_twice(one, input_shape, n_classes):
        raise RecipeError(
            f"{reference}: expected one softmax at the end, found two, one after the other: remove "
            "one"
        )
    # Keras draws the seeds of its initializers from Python's random numbers, so that two seeds end
    # at two states of them, unless the builder seeds them itself.
    found = []
    if scales_again(one, input_shape):
        found.append(SCALES_AGAIN)
    same, of, fixed = same_start(given, other)
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


def _drawn(reference: str, input_shape: Shape, n_classes: int, seed: int) -> tuple[Any, Any]:
    """Return a builder's model, and the state of Python's random numbers that it left behind."""
    model = call_builder(reference, input_shape, n_classes, seed=seed)
    state = random.getstate()
    with suppress(Exception):  # `usable` says what is wrong with it
        make_weights(model, input_shape)
    return model, state


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


def difference(one: keras.Model, other: keras.Model, again: keras.Model) -> str | None:
    """Return in what two models differ as networks, weights aside, in words; None if in nothing.

    again : the first once more, of the same seed: whole numbers and words that differ there, too,
        are counters and names
    """
    mine, its, repeated = _layers(one), _layers(other), _layers(again)
    if len(mine) != len(its):
        return f"{len(mine)} layers, then {len(its)}"
    for (kind, settings), (other_kind, others), (_, same) in zip(mine, its, repeated, strict=True):
        if kind != other_kind:
            return f"{kind}, then {other_kind}"
        for key, value in settings.items():
            counted = isinstance(value, int | str) and value != same.get(key)
            if value != others.get(key) and not counted:
                return f"{kind} with {key} {value}, then {others.get(key)}"
    return None


def _layers(model: keras.Model) -> list[tuple[str, dict[str, Any]]]:
    """Return every layer's class, its plain settings and the shapes of its weights."""
    found = []
    for layer in model._flatten_layers():
        settings: dict[str, Any] = {}
        if not isinstance(layer, keras.Model):  # whose configuration has names of layers
            with suppress(Exception):  # the user's own layers may have none
                settings = {k: v for k, v in layer.get_config().items() if _tells(k, v)}
            settings["weights of shapes"] = [tuple(variable.shape) for variable in layer.weights]
        found.append((type(layer).__name__, settings))
    return found


def _tells(key: str, value: Any) -> bool:
    """Say whether a setting of a layer is one of the network, in plain words or numbers."""
    return key not in _NO_SETTINGS and "seed" not in key and _is_plain(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | bool | int | float)


def _equal_weights(one: keras.Model, other: keras.Model) -> bool:
    pairs = zip(one.trainable_variables, other.trainable_variables, strict=True)
    return all(np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True) for a, b in pairs)


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
        black, white, noisy = before_weights(model, images)
    except Exception:  # no weights; or an operation that JAX does not let anybody else do
        return False
    # Of images of one value each, nothing is left where every image is standardised by itself.
    reach, offset = max(np.abs(white - black).max(), np.ptp(noisy)), np.abs(black).max()
    return bool(reach < _FLAT or offset > _FAR)


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
    another head, may be the layer before the last. What only scales or normalises the first one
    may stand between the two.
    """
    once: list[Any] = []
    twice: list[Any] = []
    ended: list[bool] = []
    call = keras.layers.Layer.__call__

    def listening(layer: keras.layers.Layer, *arguments: Any, **named: Any) -> Any:
        result = call(layer, *arguments, **named)
        again = bool(arguments) and any(arguments[0] is each for each in once)
        shape = getattr(result, "shape", ())  # an attention may give its weights, too
        if _is_softmax(layer) and shape[-1:] == (n_classes,):
            (twice if again else once).append(result)
        elif again and isinstance(layer, _CLASS_BY_CLASS):
            once.append(result)
        return result

    def ends_so(images: Any) -> None:
        outputs = stateless_predict(model, *values(model), images)
        ended.append(any(outputs is each for each in twice))

    with _every_call(listening):
        jax.eval_shape(ends_so, probes(input_shape))
    return ended[-1]


def _certain_of_little(predict: Predict, weights: Any, n_classes: int) -> bool:
    """Say whether a model that is as certain as can be gives the softmax of one 1 and many 0.

    Weights are enlarged until a softmax is certain; a second one makes e/(e + n − 1) of it.
    """
    little = np.e / (np.e + n_classes - 1)
    for factor in _ENLARGED:
        enlarged = jax.tree.map(partial(_times, factor), weights)
        if abs(np.asarray(predict(*enlarged)).max() - little) < _CLOSE:
            return True
    return False


def _times(factor: float, values: Any) -> Any:
    """Return weights times a factor; what is no weight, such as a seed, as it is."""
    if not jax.numpy.issubdtype(values.dtype, np.floating):
        return values
    return factor * np.asarray(values)  # by NumPy: JAX would compile a program for each shape


def _is_softmax(layer: Any) -> bool:
    activation = getattr(layer, "activation", None)
    return isinstance(layer, keras.layers.Softmax) or activation is keras.activations.softmax
