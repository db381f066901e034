"""What the models that a builder gives for several seeds have in common: network, first weights."""

from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.training.backend import keras
from bakeoff.training.layers.graph import is_functional, is_sequential
from bakeoff.training.layers.replace import FASTER
from bakeoff.utils.text import counted

_NOT_DRAWN = (keras.initializers.Constant, keras.initializers.Identity)
_NO_SETTINGS = ("name", "mean", "variance")  # the last two: of adapted data; nor any seed


def difference(one: keras.Model, other: keras.Model, again: keras.Model) -> str | None:
    """Say how the networks of two models differ, weights aside; None if they do not.

    again : the first once more, of the same seed: whole numbers and words that differ there, too,
        are counters and names
    """
    if type(one).__name__ != type(other).__name__:
        return f"{type(one).__name__}, then {type(other).__name__}"
    mine, its, repeated = _layers(one), _layers(other), _layers(again)
    if len(mine) != len(its):
        return f"{counted(len(mine), 'layer')}, then {len(its)}"
    for (kind, settings), (other_kind, others), (_, same) in zip(mine, its, repeated, strict=True):
        if kind != other_kind:
            return f"{kind}, then {other_kind}"
        for key, value in settings.items():
            is_counter = isinstance(value, int | str) and value != same.get(key)
            if value != others.get(key) and not is_counter:
                return f"{kind} with {key} {value}, then {others.get(key)}"
    return None


def _layers(model: keras.Model) -> list[tuple[str, dict[str, Any]]]:
    """Return every layer's class, its plain settings and the shapes of its weights.

    The layers are those that Keras's summary counts, and the ones inside them: not the input.
    """
    found = []
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.layers.InputLayer):
            continue
        settings: dict[str, Any] = {}
        if not isinstance(layer, keras.Model):  # whose configuration has names of layers
            with suppress(Exception):  # the user's own layers may have none
                settings = {k: v for k, v in layer.get_config().items() if _tells(k, v)}
            settings["weights of shapes"] = [tuple(variable.shape) for variable in layer.weights]
        found.append((type(layer).__name__, settings))
    return found


def _tells(key: str, value: Any) -> bool:
    """Say whether a layer's setting describes the network, and is plain text or numbers."""
    return key not in _NO_SETTINGS and "seed" not in key and _is_plain(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | bool | int | float)


def equal_weights(one: keras.Model, other: keras.Model) -> bool:
    """Say whether two models of one network have the same trainable weights, bit for bit."""
    pairs = zip(one.trainable_variables, other.trainable_variables, strict=True)
    return all(np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True) for a, b in pairs)


def same_start(one: keras.Model, other: keras.Model) -> tuple[int, int, bool]:
    """Compare the initial weights of two seeds.

    Returns
    -------
    How many of the trainable variables that were drawn at random are equal; how many were drawn;
    and whether an initializer draws some of the equal ones again when it is asked: then its seed is
    fixed, and the weights were not loaded.
    """
    equal, drawn, redrawn = 0, 0, False
    initializers = _initializers(one)
    for mine, its in zip(one.trainable_variables, other.trainable_variables, strict=False):
        values, others = np.asarray(mine), np.asarray(its)
        initializer = initializers.get(id(mine))
        constant = values.size < 2 or (values == values.flat[0]).all()
        if constant or isinstance(initializer, _NOT_DRAWN):
            continue
        drawn += 1
        if np.array_equal(values, others):
            equal += 1
            redrawn = redrawn or _drawn_again(initializer, values)
    return equal, drawn, redrawn


def same_draws(one: keras.Model, other: keras.Model) -> bool:
    """Say whether a layer of two seeds draws alike, but for those that Bakeoff gives its seed."""
    replaced = is_sequential(one) or is_functional(one)
    for mine, its in zip(one._flatten_layers(), other._flatten_layers(), strict=False):
        if replaced and type(mine) in FASTER:
            continue
        pairs = zip(mine._seed_generators, its._seed_generators, strict=False)
        if any(np.array_equal(np.asarray(a.state), np.asarray(b.state)) for a, b in pairs):
            return True
    return False


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
    """Say whether an initializer draws exactly these values, now or as it was at first.

    One whose seed is a SeedGenerator has gone on since.
    """
    for at_first in (False, True):
        with suppress(Exception):  # the user's own initializer may do anything
            kind: Any = type(initializer)
            asked = kind.from_config(initializer.get_config()) if at_first else initializer
            if np.array_equal(np.asarray(asked(values.shape, dtype="float32")), values):
                return True
    return False
