"""Builds a model with the user's own Python function; says in one line what is wrong with it."""

import importlib.util
import inspect
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import RecipeError
from bakeoff.training.backend import as_planned, jax, keras
from bakeoff.training.layers.graph import is_functional, is_sequential
from bakeoff.training.layers.replace import with_faster_layers
from bakeoff.training.stateless import stateless_predict, values

PROBES = 3  # images that a model is shown; any other number would compile its operations again
Predict = Callable[[Any, Any], Any]  # from trainable and other variables to probabilities
_NO_VALUES = (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError)
_COLORS = re.compile(r"\x1b\[[\d;]*m")  # Keras writes some messages for a terminal
_HALF = 0.02  # how far from 1 the sum of a softmax in half precision may be


def build_from_python(
    reference: str, input_shape: tuple[int, int, int], n_classes: int, *, seed: int
) -> keras.Model:
    """Return the model that the function `reference` ("file.py:function") builds.

    Raises
    ------
    RecipeError
        If the function is missing, raises, or returns something else than asked for.
    """
    try:
        model = call_builder(reference, input_shape, n_classes, seed=seed)
        return usable(model, reference, input_shape, n_classes)[0]
    finally:
        as_planned()  # a policy of half precision, say, is this model's and not the next one's


def call_builder(
    reference: str, input_shape: tuple[int, int, int], n_classes: int, *, seed: int
) -> keras.Model:
    """Return the model as the user's function gives it; RecipeError as `build_from_python`."""
    keras.utils.set_random_seed(seed)  # the user's code can only be seeded from outside
    builder = _import_builder(reference)
    with suppress(ValueError):  # no signature is known
        # a decorator may fill in further arguments of the function that it wraps
        signature = inspect.signature(builder, follow_wrapped=False)
        _require_arguments(reference, signature, input_shape, n_classes)
    try:
        model = builder(input_shape, n_classes)
    except (Exception, SystemExit) as error:
        raise RecipeError(f"{reference} raised {_in_words(error)}") from error
    if not isinstance(model, keras.Model):
        raise RecipeError(
            f"{reference}: expected a keras.Model, found {type(model).__name__}: let the function "
            "return the model"
        )
    return model


def usable(
    model: keras.Model, reference: str, input_shape: tuple[int, int, int], n_classes: int
) -> tuple[keras.Model, Predict]:
    """Return a builder's model with the faster layers; RecipeError unless it ends in a softmax.

    The second value is a compiled function: from the model's variables to its output for the
    probes. Compiling a large network operation by operation would take longer than training it for
    an epoch.
    """
    try:
        model = with_faster_layers(model)
        make_weights(model, input_shape)
        predict = jax.jit(partial(stateless_predict, model, images=probes(input_shape)))
        outputs = predict(*values(model))
    except (Exception, SystemExit) as error:
        size = " × ".join(map(str, input_shape))
        raise RecipeError(
            f"{reference}: expected a model of {size} images, found one that refuses them: "
            f"{_in_words(error)}"
        ) from error
    _require_softmax(outputs, reference, n_classes)
    return model, predict


def _require_softmax(outputs: Any, reference: str, n_classes: int) -> None:
    """Refuse what a model puts out for the probes where it is no softmax of the classes."""
    if isinstance(outputs, list | tuple | dict):
        raise RecipeError(
            f"{reference}: expected a model whose output is a softmax, found a collection of "
            f"{len(outputs)}: give keras.Model the softmax alone"
        )
    probe = np.asarray(outputs)
    sums_to_1 = probe.shape == (PROBES, n_classes) and np.allclose(probe.sum(axis=1), 1, atol=_HALF)
    if not sums_to_1 or probe.min() < 0:
        found = f"an output of shape {probe.shape[1:]}"
        cure = f"end it with keras.layers.Dense({n_classes}, activation='softmax')"
        if probe.shape == (PROBES, n_classes):
            found = f"{n_classes} values that are no softmax"
        elif probe.ndim > 2:
            cure = "put keras.layers.Flatten() before its last layer"
        raise RecipeError(
            f"{reference}: expected a model whose output is a softmax of width {n_classes}, "
            f"found {found}: {cure}"
        )


def make_weights(model: keras.Model, input_shape: tuple[int, int, int]) -> None:
    """Show a model the probes where it makes weights only then.

    A model of the user's own may say that it is built, after `build` with a shape, though none of
    its layers is.
    """
    whole = is_sequential(model) or is_functional(model)
    if not model.built or not (whole or all(each.built for each in model._flatten_layers())):
        model(probes(input_shape), training=False)


def probes(input_shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Return the images that a builder's model is shown.

    Not black ones: for them, without a bias, two sigmoids look like a softmax of two classes.
    """
    return np.random.default_rng(0).random((PROBES, *input_shape), dtype=np.float32)


def _import_builder(reference: str) -> Callable[..., Any]:
    file, _, name = reference.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise RecipeError(
            f"{reference}: expected a Python file, found nothing at {path}: put it there"
        )
    spec = importlib.util.spec_from_file_location(f"bakeoff_builder_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RecipeError(f"{reference}: expected a Python file (.py), found {path.name}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise RecipeError(f"{path} raised {_in_words(error)}") from error
    builder = getattr(module, name, None)
    if not callable(builder):
        raise RecipeError(f"{reference}: expected a function {name} in {path}, found none")
    return builder  # type: ignore[no-any-return]


def _require_arguments(reference: str, signature: inspect.Signature, *arguments: Any) -> None:
    """Raise RecipeError where a function does not take the image's shape and the classes."""
    try:
        signature.bind(*arguments)
    except TypeError as error:
        _, _, name = reference.rpartition(":")
        raise RecipeError(
            f"{reference}: expected a function of two arguments, (input_shape, n_classes), found "
            f"{name}{signature}: give it these two, and others a default"
        ) from error


def _in_words(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _NO_VALUES):
            return (
                f"{type(cause).__name__}: its code asks tensors for their values (by NumPy, "
                "float() or if), which they do not have while it is compiled: use keras.ops"
            )
        cause = cause.__cause__ or cause.__context__
    said = _COLORS.sub("", str(error))
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
