"""A recipe's model as a Keras model, with layers that compile well inside a loop on a CPU.

Convolution, pooling and dropout are Keras's layers with the kernels of `kernels.py` on a CPU, where
XLA's own derivatives are slow inside a compiled loop; on a GPU Keras's convolution and pooling
serve. Dense layers are multiplied by the native kernels where these have tiles. The results are
Keras's, but for the random numbers of dropout and augmentation.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.augmentation import flip, translate
from bakeoff.backend import jax, keras
from bakeoff.errors import RecipeError
from bakeoff.initial import Drawn
from bakeoff.kernels import (
    convolve,
    framed,
    hash_bits,
    max_pool,
    multiply,
    pads_of,
    sum_pool,
    tiled,
)
from bakeoff.recipe import ModelRecipe

jnp = jax.numpy
Array = Any

# ── layers ───────────────────────────────────────────────────────────────────────────────────


def _ours(data_format: str = "channels_last") -> bool:
    """Say whether our kernels serve; on a GPU Keras's own are faster."""
    return data_format == "channels_last" and bool(jax.default_backend() == "cpu")


class Conv2D(keras.layers.Conv2D):  # type: ignore[misc]
    """Keras's convolution with a derivative that compiles well."""

    def convolution_op(self, inputs: Array, kernel: Array) -> Array:
        """Convolve; groups, dilation and channels-first go Keras's own way."""
        plain = self.groups == 1 and set(self.dilation_rate) == {1}
        if not plain or not _ours(self.data_format):
            return super().convolution_op(inputs, kernel)
        kernel = jnp.asarray(kernel.value if hasattr(kernel, "value") else kernel)
        pads = pads_of(inputs.shape[1:3], kernel.shape[:2], self.strides, self.padding)
        return convolve(inputs, kernel, tuple(self.strides), pads)


_pixels: ContextVar[tuple[Array, float] | None] = ContextVar("pixels", default=None)


@contextmanager
def pixels(images: Array, maximum: float) -> Iterator[None]:
    """Show the layers called inside what their inputs are made of: images divided by `maximum`."""
    token = _pixels.set((images, maximum) if images.dtype == np.uint8 else None)
    try:
        yield
    finally:
        _pixels.reset(token)


@dataclass(frozen=True)
class Probes:
    """What an update by a kernel needs to know of dense layers, by name.

    zeros : added to a layer's products, so that their slope is the products'
    inputs : what the layer multiplied
    """

    zeros: Mapping[str, Array]
    inputs: dict[str, Array] = field(default_factory=dict)


_probes: ContextVar[Probes | None] = ContextVar("probes", default=None)


@contextmanager
def probing(zeros: Mapping[str, Array]) -> Iterator[Probes]:
    """Let the dense layers called inside add the zeros, and say what they multiply."""
    probes = Probes(zeros)
    token = _probes.set(probes)
    try:
        yield probes
    finally:
        _probes.reset(token)


class Dense(keras.layers.Dense):  # type: ignore[misc]
    """Keras's dense layer with products that compile well, by tiles where there are some.

    on_pixels : whether its inputs are the images, flattened: bytes multiply in half the time
    """

    on_pixels = False

    def call(self, inputs: Array, training: bool | None = None) -> Array:
        """Multiply, add and activate; what is more than two matrices goes Keras's own way."""
        kernel = jnp.asarray(getattr(self.kernel, "value", self.kernel))
        if not (inputs.ndim == 2 and inputs.dtype == kernel.dtype == np.float32 and _ours()):
            return super().call(inputs, training=training)
        shown = _pixels.get() if self.on_pixels and tiled(kernel) else None
        scale = 1.0
        if shown is not None:
            inputs, scale = shown[0].reshape(inputs.shape), 1 / shown[1]
        values = multiply(inputs, kernel)
        probes = _probes.get()
        if probes is not None and self.name in probes.zeros:
            values = values + probes.zeros[self.name]
            probes.inputs[self.name] = inputs
        values = values * scale
        if self.bias is not None:
            values = values + self.bias
        return values if self.activation is None else self.activation(values)


class MaxPooling2D(keras.layers.MaxPooling2D):  # type: ignore[misc]
    """Keras's max pooling as a maximum of strided slices."""

    def call(self, inputs: Array) -> Array:
        """Pool; channels-first goes Keras's own way."""
        if not _ours(self.data_format):
            return super().call(inputs)
        window, strides = tuple(self.pool_size), tuple(self.strides)
        pads = pads_of(inputs.shape[1:3], window, strides, self.padding)
        return max_pool(framed(inputs, pads, -np.inf), window, strides)


class AveragePooling2D(keras.layers.AveragePooling2D):  # type: ignore[misc]
    """Keras's average pooling as a sum of strided slices; padding does not count."""

    def call(self, inputs: Array) -> Array:
        """Pool; channels-first goes Keras's own way."""
        if not _ours(self.data_format):
            return super().call(inputs)
        window, strides = tuple(self.pool_size), tuple(self.strides)
        pads = pads_of(inputs.shape[1:3], window, strides, self.padding)
        ones = framed(np.ones((1, *inputs.shape[1:3], 1), np.float32), pads, 0)
        counts = sum_pool(ones, window, strides)
        return sum_pool(framed(inputs, pads, 0), window, strides) / counts


_random_key: ContextVar[Array] = ContextVar("random_key")


@contextmanager
def random_key(key: Array) -> Iterator[None]:
    """Give the random layers called inside the key that their draws follow from."""
    token = _random_key.set(key)
    try:
        yield
    finally:
        _random_key.reset(token)


class Dropout(keras.layers.Dropout):  # type: ignore[misc]
    """Keras's dropout with cheap masks; which mask depends only on `random_key` and `place`."""

    def __init__(self, rate: float, *, place: int = 0, **settings: Any) -> None:
        seed = settings.pop("seed", None) or 0  # Keras would draw one, and it is saved as a weight
        super().__init__(rate, seed=seed, **settings)
        self.place = place

    def call(self, inputs: Array, training: bool = False) -> Array:
        """Zero a share `rate` of the values and scale the others by 1/(1 - rate)."""
        if not training or self.rate == 0:
            return inputs
        key = jax.random.fold_in(_random_key.get(), self.place)
        threshold = min(round(self.rate * 2**32), 2**32 - 1)
        keep = hash_bits(key, inputs.shape) >= jnp.uint32(threshold)
        return jnp.where(keep, inputs / (1 - self.rate), 0)


class RandomFlip(keras.layers.RandomFlip):  # type: ignore[misc]
    """Keras's random flip; which images it turns over follows from `random_key` and `place`."""

    def __init__(self, mode: str, *, place: int = 0, **settings: Any) -> None:
        seed = settings.pop("seed", None) or 0
        super().__init__(mode, seed=seed, **settings)
        self.place = place

    def call(self, inputs: Array, training: bool = True) -> Array:
        """Turn each image over, or not, along each of the axes."""
        if not training:
            return inputs
        key = jax.random.fold_in(_random_key.get(), self.place)
        chosen = jax.random.bernoulli(key, shape=(2, inputs.shape[0]))
        for number, (direction, axis) in enumerate((("vertical", 1), ("horizontal", 2))):
            if direction in self.mode:
                inputs = flip(inputs, chosen[number], axis)
        return inputs


class RandomTranslation(keras.layers.RandomTranslation):  # type: ignore[misc]
    """Keras's random translation by two products; `random_key` and `place` say how far."""

    def __init__(
        self, height_factor: Any, width_factor: Any, *, place: int = 0, **settings: Any
    ) -> None:
        seed = settings.pop("seed", None) or 0
        super().__init__(height_factor, width_factor, seed=seed, **settings)
        self.place = place

    def call(self, inputs: Array, training: bool = True) -> Array:
        """Move each image by its own part of its height and width, drawn evenly."""
        if not training:
            return inputs
        key = jax.random.fold_in(_random_key.get(), self.place)
        batch, height, width, _ = inputs.shape
        size = np.array([height, width], np.float32)
        low = size * (self.height_lower, self.width_lower)
        high = size * (self.height_upper, self.width_upper)
        return translate(
            inputs,
            jax.random.uniform(key, (batch, 2), np.float32, low, high),
            fill_mode=self.fill_mode,
            interpolation=self.interpolation,
            fill_value=self.fill_value,
        )


# ── models ───────────────────────────────────────────────────────────────────────────────────

FAST: dict[type, type] = {
    keras.layers.Conv2D: Conv2D,
    keras.layers.Dense: Dense,
    keras.layers.MaxPooling2D: MaxPooling2D,
    keras.layers.AveragePooling2D: AveragePooling2D,
    keras.layers.Dropout: Dropout,
    keras.layers.RandomFlip: RandomFlip,
    keras.layers.RandomTranslation: RandomTranslation,
}
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
        return _aware_of_pixels(_build_from_python(model.python, input_shape, n_classes, seed=seed))
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
    return _aware_of_pixels(keras.Sequential(stack))


def _aware_of_pixels(model: keras.Model) -> keras.Model:
    """Return the model; if it begins with a dense layer, that layer knows."""
    if isinstance(model, keras.Sequential) and len(model.layers) > 1:
        first, second = model.layers[:2]
        if type(first) is keras.layers.Flatten and isinstance(second, Dense):
            second.on_pixels = True
    return model


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
        ours = FAST.get(type(layer))
        if ours is None:
            return type(layer).from_config(layer.get_config())
        drawing = ours in [LAYERS[kind] for kind in RANDOM]
        place = {"place": places.get(layer.name, 0)} if drawing else {}
        return ours(**{**layer.get_config(), **place})

    clone = keras.models.clone_model(model, clone_function=fast)
    clone.set_weights(model.get_weights())
    return clone
