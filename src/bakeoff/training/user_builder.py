"""Builds a model with the user's own Python function; says in one line what is wrong with it."""

import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.errors import RecipeError
from bakeoff.training.backend import as_planned, keras
from bakeoff.training.layers.replace import with_faster_layers

_PROBES = 3  # images that a model is shown
_COLORS = re.compile(r"\x1b\[[\d;]*m")  # Keras writes some messages for a terminal
_HALF = 0.02  # as far as a softmax of half precision sums up to something else than 1


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
        return usable(model, reference, input_shape, n_classes)
    finally:
        as_planned()  # a policy of half precision, say, is this model's and not the next one's


def call_builder(
    reference: str, input_shape: tuple[int, int, int], n_classes: int, *, seed: int
) -> keras.Model:
    """Return the model as the user's function gives it; RecipeError as `build_from_python`."""
    keras.utils.set_random_seed(seed)  # the user's code can only be seeded from outside
    builder = _import_builder(reference)
    try:
        model = builder(input_shape, n_classes)
    except (Exception, SystemExit) as error:
        raise RecipeError(f"{reference} raised {_in_words(error)}") from error
    if not isinstance(model, keras.Model):
        raise RecipeError(f"{reference}: expected a keras.Model, found {type(model).__name__}")
    return model


def usable(
    model: keras.Model, reference: str, input_shape: tuple[int, int, int], n_classes: int
) -> keras.Model:
    """Return a builder's model with the faster layers; RecipeError unless it ends in a softmax."""
    # not black ones: for them, without a bias, two sigmoids look like a softmax of two classes
    images = np.random.default_rng(0).random((_PROBES, *input_shape), dtype=np.float32)
    try:
        model = with_faster_layers(model)
        outputs = model(images, training=False)
    except (Exception, SystemExit) as error:
        size = " × ".join(map(str, input_shape))
        raise RecipeError(
            f"{reference}: expected a model of {size} images, found one that refuses them: "
            f"{_in_words(error)}"
        ) from error
    if isinstance(outputs, list | tuple | dict):
        raise RecipeError(
            f"{reference}: expected a model whose output is a softmax, found a collection of "
            f"{len(outputs)}: give keras.Model the softmax alone"
        )
    probe = np.asarray(outputs)
    sums_to_1 = probe.shape == (_PROBES, n_classes) and np.allclose(
        probe.sum(axis=1), 1, atol=_HALF
    )
    if not sums_to_1 or probe.min() < 0:
        raise RecipeError(
            f"{reference}: expected a model whose output is a softmax of width {n_classes}, "
            f"found an output of shape {probe.shape[1:]}: end it with "
            f"keras.layers.Dense({n_classes}, activation='softmax')"
        )
    return model


def training_argument(model: keras.Model, *, training: bool) -> dict[str, bool]:
    """Return what tells a model's `call` whether it trains: nothing where it does not take that.

    Keras's own `fit` does the same, so that dropout in such a model does nothing there either.
    """
    return {"training": training} if model._call_has_training_arg else {}


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


def _in_words(error: BaseException) -> str:
    return f"{type(error).__name__}: {_COLORS.sub('', str(error))}"
