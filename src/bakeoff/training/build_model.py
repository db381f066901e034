"""A recipe's model as a Keras model, with the fast layers of `layers.py`."""

import importlib.util
import sys
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.errors import RecipeError
from bakeoff.recipe import ModelRecipe
from bakeoff.training import native
from bakeoff.training.backend import keras
from bakeoff.training.initializers import Drawn
from bakeoff.training.layers.fast_layers import (
    AveragePooling2D,
    Conv2D,
    Dense,
    Dropout,
    MaxPooling2D,
    RandomFlip,
    RandomTranslation,
    ours,
)

FAST: dict[type, type] = {
    keras.layers.Conv2D: Conv2D,
    keras.layers.Dense: Dense,
    keras.layers.MaxPooling2D: MaxPooling2D,
    keras.layers.AveragePooling2D: AveragePooling2D,
    keras.layers.Dropout: Dropout,
    keras.layers.RandomFlip: RandomFlip,
    keras.layers.RandomTranslation: RandomTranslation,
}
_RISING = tuple(
    getattr(keras.activations, name)
    for name in ("linear", "relu", "leaky_relu", "elu", "selu", "tanh", "sigmoid", "softplus")
)
RANDOM = ("dropout", "random_flip", "random_translation")
LAYERS: dict[str, type] = {
    "dense": Dense,
    "conv2d": Conv2D,
    "max_pooling2d": MaxPooling2D,
    "average_pooling2d": AveragePooling2D,
    "global_average_pooling2d": keras.layers.GlobalAveragePooling2D,
    "flatten": keras.layers.Flatten,
    "dropout": Dropout,
    "batch_normalization": keras.layers.BatchNormalization,
    "activation": keras.layers.Activation,
    "p_re_lu": keras.layers.PReLU,
    "leaky_re_lu": keras.layers.LeakyReLU,
    "elu": keras.layers.ELU,
    "random_flip": RandomFlip,
    "random_translation": RandomTranslation,
}


def build(
    model: ModelRecipe, input_shape: tuple[int, int, int], n_classes: int, *, seed: int
) -> keras.Model:
    """Return the Keras model a recipe declares, its initial weights drawn from `seed`.

    Parameters
    ----------
    model : the recipe's model; its own layers, or a Python builder, which is run here
    input_shape : height, width, channels; values are in [0, 1]
    n_classes : width of the softmax output that is added to declared layers

    Raises
    ------
    RecipeError
        If a Python builder is missing, raises, or returns something else than asked for.
    """
    if model.python is not None:
        return _neighbours_told(_build_from_python(model.python, input_shape, n_classes, seed=seed))
    seeds = iter(np.random.SeedSequence(seed).generate_state(len(model.layers or ()) + 1))
    stack: list[Any] = [keras.Input(input_shape)]
    flat = False
    for place, layer in enumerate(model.layers or (), start=1):
        if layer.kind == "dense" and not flat:
            stack.append(keras.layers.Flatten(name=f"flatten_before_{place}"))
        flat = flat or layer.kind in ("dense", "flatten", "global_average_pooling2d")
        stack.append(_layer(layer.kind, layer.arguments, place=place, seed=int(next(seeds))))
    if not flat:
        stack.append(keras.layers.Flatten(name="flatten_before_output"))
    output = {**model.output, "units": n_classes, "activation": "softmax"}
    stack.append(_layer("dense", output, place=len(model.layers or ()) + 1, seed=int(next(seeds))))
    return _neighbours_told(keras.Sequential(stack))


def _neighbours_told(model: keras.Model) -> keras.Model:
    """Return the model, whose layers know what is to be known of those beside them."""
    if not isinstance(model, keras.Sequential):
        return model
    for number, (one, other) in enumerate(pairwise(model.layers)):
        if number == 0 and type(one) is keras.layers.Flatten and isinstance(other, Dense):
            other.on_pixels = True
        if _pools_first(one, other):
            one.pool_first, other.pooled = other.pool, True
    return model


def _pools_first(one: Any, other: Any) -> bool:
    """Say whether native kernels may pool between a convolution and its activation.

    The largest of some numbers stays the largest, whatever is added and if the activation never
    falls; and a quarter as many are activated. XLA alone is faster the other way round.
    """
    both = type(one) is Conv2D and type(other) is MaxPooling2D
    return both and native.loaded() and ours(other.data_format) and one.activation in _RISING


def _layer(kind: str, arguments: Mapping[str, Any], *, place: int, seed: int) -> Any:
    settings = {key: _argument(key, value, seed=seed) for key, value in arguments.items()}
    if kind in RANDOM:
        settings["place"] = place
    return LAYERS[kind](**settings, name=f"{kind}_{place}")


def _argument(key: str, value: Any, *, seed: int) -> Any:
    """Return a Keras regulariser or a seeded initialiser for its name; other values as they are."""
    if key.endswith("_regularizer") and value:
        return keras.regularizers.L1L2(l1=value.get("l1", 0.0), l2=value.get("l2", 0.0))
    if key.endswith("_initializer") and value not in ("zeros", "ones"):
        return Drawn(value, seed)
    return value


# ── the user's own builder ───────────────────────────────────────────────────────────────────


def _build_from_python(
    reference: str, input_shape: tuple[int, int, int], n_classes: int, *, seed: int
) -> keras.Model:
    keras.utils.set_random_seed(seed)  # the user's code can only be seeded from outside
    builder = _import_builder(reference)
    try:
        model = builder(input_shape, n_classes)
    except Exception as error:
        raise RecipeError(f"{reference} raised {type(error).__name__}: {error}") from error
    if not isinstance(model, keras.Model):
        raise RecipeError(f"{reference}: expected a keras.Model, found {type(model).__name__}")
    try:
        model = _with_fast_layers(model)
        probe = np.asarray(model(np.zeros((2, *input_shape), np.float32), training=False))
    except Exception as error:
        size = " × ".join(map(str, input_shape))
        raise RecipeError(
            f"{reference}: expected a model of {size} images, found one that refuses them: "
            f"{type(error).__name__}: {error}"
        ) from error
    if probe.shape != (2, n_classes) or not np.allclose(probe.sum(axis=1), 1, atol=1e-3):
        raise RecipeError(
            f"{reference}: expected a model whose output is a softmax of width {n_classes}, "
            f"found an output of shape {probe.shape[1:]}: end it with "
            f"keras.layers.Dense({n_classes}, activation='softmax')"
        )
    return model


def _import_builder(reference: str) -> Callable[..., Any]:
    file, _, name = reference.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise RecipeError(f"{reference}: expected a Python file, found nothing at {path}")
    spec = importlib.util.spec_from_file_location(f"bakeoff_builder_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RecipeError(f"{reference}: expected a Python file (.py), found {path.name}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise RecipeError(f"{path} raised {type(error).__name__}: {error}") from error
    builder = getattr(module, name, None)
    if not callable(builder):
        raise RecipeError(f"{reference}: expected a function {name} in {path}, found none")
    return builder  # type: ignore[no-any-return]


def _with_fast_layers(model: keras.Model) -> keras.Model:
    """Return the model with Keras's slow layers replaced by ours, or as it is if it is no graph."""
    if not isinstance(model, keras.Sequential) and not getattr(model, "_is_graph_network", False):
        return model
    places = {layer.name: place for place, layer in enumerate(model.layers)}

    def fast(layer: Any) -> Any:
        kind = FAST.get(type(layer))
        if kind is None:
            return type(layer).from_config(layer.get_config())
        drawing = kind in [LAYERS[kind] for kind in RANDOM]
        place = {"place": places.get(layer.name, 0)} if drawing else {}
        return kind(**{**layer.get_config(), **place})

    clone = keras.models.clone_model(model, clone_function=fast)
    clone.set_weights(model.get_weights())
    return clone
