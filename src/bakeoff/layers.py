"""A recipe's model as a Keras model, with layers that compile well inside a loop on a CPU.

XLA's own CPU convolution is hopeless inside a compiled loop (jax#12868), so Conv2D here gathers
the patches of an image into rows and multiplies them with the kernel; its derivative is written
out, because the automatic one is a slow scatter. Pooling is a maximum of strided slices. Dropout
hashes a counter instead of drawing threefry bits. All are Keras's layers in every other respect.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.backend import jax, keras
from bakeoff.errors import RecipeError
from bakeoff.initial import Drawn
from bakeoff.recipe import ModelRecipe

jnp, lax = jax.numpy, jax.lax
Array = Any
_Padding = tuple[tuple[int, int], tuple[int, int]]

# ── convolution ──────────────────────────────────────────────────────────────────────────────


def _paddings(
    size: tuple[int, int], window: tuple[int, int], strides: tuple[int, int], padding: str
) -> _Padding:
    """Return Keras's padding before and after height and width; an odd pixel goes behind."""
    if padding == "valid":
        return (0, 0), (0, 0)
    totals = [
        max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(size, window, strides, strict=True)
    ]
    return tuple((total // 2, total - total // 2) for total in totals)  # type: ignore[return-value]


def _outputs(size: int, window: int, stride: int) -> int:
    return (size - window) // stride + 1


def _patches(images: Array, window: tuple[int, int], strides: tuple[int, int]) -> Array:
    """Return (batch, positions, window·channels): what the kernel sees at every position."""
    batch, height, width, channels = images.shape
    (kh, kw), (sh, sw) = window, strides
    y = np.arange(_outputs(height, kh, sh))[:, None, None, None] * sh + np.arange(kh)[:, None]
    x = np.arange(_outputs(width, kw, sw))[:, None, None] * sw + np.arange(kw)
    rows = (y * width + x).reshape(-1)
    pixels = images.reshape(batch, height * width, channels)
    return pixels.at[:, rows].get(mode="promise_in_bounds").reshape(batch, -1, kh * kw * channels)


def _add_patches(
    patches: Array, shape: tuple[int, ...], window: tuple[int, int], strides: tuple[int, int]
) -> Array:
    """Return images of `shape`: the transpose of `_patches`, each patch added where it was."""
    batch, height, width, channels = shape
    (kh, kw), (sh, sw) = window, strides
    oh, ow = _outputs(height, kh, sh), _outputs(width, kw, sw)
    patches = patches.reshape(batch, oh, ow, kh, kw, channels)

    def placed(i: int, j: int) -> Array:
        below, right = height - i - (oh - 1) * sh - 1, width - j - (ow - 1) * sw - 1
        margins = ((0, 0, 0), (i, below, sh - 1), (j, right, sw - 1), (0, 0, 0))
        return lax.pad(patches[:, :, :, i, j], jnp.zeros((), patches.dtype), margins)

    return sum(placed(i, j) for i in range(kh) for j in range(kw))


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def _convolve(images: Array, kernel: Array, strides: tuple[int, int]) -> Array:
    window, filters = kernel.shape[:2], kernel.shape[3]
    batch, height, width, _ = images.shape
    patches = _patches(images, window, strides)
    product = patches.reshape(-1, patches.shape[-1]) @ kernel.reshape(-1, filters)
    oh, ow = (_outputs(n, k, s) for n, k, s in zip((height, width), window, strides, strict=True))
    return product.reshape(batch, oh, ow, filters)


def _convolve_forward(images: Array, kernel: Array, strides: tuple[int, int]) -> tuple[Array, Any]:
    return _convolve(images, kernel, strides), (images, kernel)


def _convolve_backward(strides: tuple[int, int], saved: Any, slope: Array) -> tuple[Array, Array]:
    images, kernel = saved
    window, filters = kernel.shape[:2], kernel.shape[3]
    slope = slope.reshape(-1, filters)
    patches = _patches(images, window, strides)
    kernel_slope = patches.reshape(-1, patches.shape[-1]).T @ slope
    patch_slope = slope @ kernel.reshape(-1, filters).T
    image_slope = _add_patches(patch_slope, images.shape, window, strides)
    return image_slope, kernel_slope.reshape(kernel.shape)


_convolve.defvjp(_convolve_forward, _convolve_backward)


class Conv2D(keras.layers.Conv2D):  # type: ignore[misc]
    """Keras's convolution as patches × matrix."""

    def convolution_op(self, inputs: Array, kernel: Array) -> Array:
        """Convolve; groups, dilation and channels-first go Keras's own way."""
        plain = self.groups == 1 and set(self.dilation_rate) == {1}
        if not plain or self.data_format != "channels_last":
            return super().convolution_op(inputs, kernel)
        kernel = jnp.asarray(kernel.value if hasattr(kernel, "value") else kernel)
        pads = _paddings(inputs.shape[1:3], kernel.shape[:2], self.strides, self.padding)
        if any(any(pad) for pad in pads):
            inputs = jnp.pad(inputs, ((0, 0), *pads, (0, 0)))
        return _convolve(inputs, kernel, tuple(self.strides))


# ── pooling ──────────────────────────────────────────────────────────────────────────────────


def _windows(images: Array, window: tuple[int, int], strides: tuple[int, int]) -> Iterator[Array]:
    """Yield, for every place in the window, the pixels there at every position."""
    _, height, width, _ = images.shape
    (kh, kw), (sh, sw) = window, strides
    oh, ow = _outputs(height, kh, sh), _outputs(width, kw, sw)
    for i in range(kh):
        for j in range(kw):
            yield images[:, i : i + (oh - 1) * sh + 1 : sh, j : j + (ow - 1) * sw + 1 : sw]


@partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def _max_pool(images: Array, window: tuple[int, int], strides: tuple[int, int]) -> Array:
    slices = _windows(images, window, strides)
    largest = next(slices)
    for each in slices:
        largest = jnp.maximum(largest, each)
    return largest


def _max_pool_forward(
    images: Array, window: tuple[int, int], strides: tuple[int, int]
) -> tuple[Array, Any]:
    largest = _max_pool(images, window, strides)
    return largest, (images, largest)


def _max_pool_backward(
    window: tuple[int, int], strides: tuple[int, int], saved: Any, slope: Array
) -> tuple[Array]:
    """Give the slope to the first of the largest pixels, as XLA's select-and-scatter does."""
    images, largest = saved
    taken = jnp.zeros(largest.shape, bool)
    parts = []
    for each in _windows(images, window, strides):
        hit = (each == largest) & ~taken
        taken = taken | hit
        parts.append(jnp.where(hit, slope, 0))
    stacked = jnp.stack(parts, axis=3)
    return (_add_patches(stacked, images.shape, window, strides),)


_max_pool.defvjp(_max_pool_forward, _max_pool_backward)


class MaxPooling2D(keras.layers.MaxPooling2D):  # type: ignore[misc]
    """Keras's max pooling as a maximum of strided slices."""

    def call(self, inputs: Array) -> Array:
        """Pool; channels-first goes Keras's own way."""
        if self.data_format != "channels_last":
            return super().call(inputs)
        pads = _paddings(inputs.shape[1:3], self.pool_size, self.strides, self.padding)
        if any(any(pad) for pad in pads):
            inputs = jnp.pad(inputs, ((0, 0), *pads, (0, 0)), constant_values=-jnp.inf)
        return _max_pool(inputs, tuple(self.pool_size), tuple(self.strides))


class AveragePooling2D(keras.layers.AveragePooling2D):  # type: ignore[misc]
    """Keras's average pooling as a sum of strided slices; padding does not count."""

    def call(self, inputs: Array) -> Array:
        """Pool; channels-first goes Keras's own way."""
        if self.data_format != "channels_last":
            return super().call(inputs)
        pads = _paddings(inputs.shape[1:3], self.pool_size, self.strides, self.padding)
        ones = np.pad(np.ones((1, *inputs.shape[1:3], 1), np.float32), ((0, 0), *pads, (0, 0)))
        counts = sum(_windows(ones, tuple(self.pool_size), tuple(self.strides)))
        inputs = jnp.pad(inputs, ((0, 0), *pads, (0, 0)))
        return sum(_windows(inputs, tuple(self.pool_size), tuple(self.strides))) / counts


# ── dropout ──────────────────────────────────────────────────────────────────────────────────

_dropout_key: ContextVar[Array] = ContextVar("dropout_key")


@contextmanager
def dropout_key(key: Array) -> Iterator[None]:
    """Give the dropout layers called inside the key that their masks follow from."""
    token = _dropout_key.set(key)
    try:
        yield
    finally:
        _dropout_key.reset(token)


def _hash_bits(key: Array, shape: tuple[int, ...]) -> Array:
    """Return one 32-bit hash an element: a counter, mixed with two words drawn from `key`.

    The mixing steps are those of lowbias32 (C. Wellons, "Prospecting for hash functions", 2018),
    done twice, with a word of the key before each.
    """
    words = jax.random.bits(key, (2,), jnp.uint32)
    bits = lax.iota(jnp.uint32, int(np.prod(shape))).reshape(shape)
    for word in (words[0], words[1]):
        bits = bits ^ word
        bits = (bits ^ (bits >> 16)) * jnp.uint32(0x7FEB352D)
        bits = (bits ^ (bits >> 15)) * jnp.uint32(0x846CA68B)
        bits = bits ^ (bits >> 16)
    return bits


class Dropout(keras.layers.Dropout):  # type: ignore[misc]
    """Keras's dropout with cheap masks; which mask depends only on `dropout_key` and `place`."""

    def __init__(self, rate: float, *, place: int = 0, **settings: Any) -> None:
        super().__init__(rate, **settings)
        self.place = place

    def call(self, inputs: Array, training: bool = False) -> Array:
        """Zero a share `rate` of the values and scale the others by 1/(1 - rate)."""
        if not training or self.rate == 0:
            return inputs
        key = jax.random.fold_in(_dropout_key.get(), self.place)
        threshold = min(round(self.rate * 2**32), 2**32 - 1)
        keep = _hash_bits(key, inputs.shape) >= jnp.uint32(threshold)
        return jnp.where(keep, inputs / (1 - self.rate), 0)


# ── models ───────────────────────────────────────────────────────────────────────────────────

FAST: dict[type, type] = {
    keras.layers.Conv2D: Conv2D,
    keras.layers.MaxPooling2D: MaxPooling2D,
    keras.layers.AveragePooling2D: AveragePooling2D,
    keras.layers.Dropout: Dropout,
}
LAYERS: dict[str, type] = {
    "dense": keras.layers.Dense,
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
        return _build_from_python(model.python, input_shape, n_classes, seed=seed)
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
    return keras.Sequential(stack)


def _layer(kind: str, arguments: Mapping[str, Any], *, place: int, seed: int) -> Any:
    settings = {key: _argument(key, value, seed=seed) for key, value in arguments.items()}
    if kind == "dropout":
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
    model = _with_fast_layers(model)
    probe = np.asarray(model(np.zeros((2, *input_shape), np.float32)))
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
        place = {"place": places.get(layer.name, 0)} if ours is Dropout else {}
        return ours(**{**layer.get_config(), **place})

    clone = keras.models.clone_model(model, clone_function=fast)
    clone.set_weights(model.get_weights())
    return clone
