"""A declared model as Python code that builds it with Keras: one line a layer."""

import inspect
import json
import re
from typing import Any

from bakeoff.errors import StudyError
from bakeoff.recipe import ModelRecipe
from bakeoff.recipe.vocabulary.backbones import BACKBONES
from bakeoff.training.backend import keras
from bakeoff.training.layers.augmentation import Cutout, RandomCrop
from bakeoff.training.plain_model import calls_of, keras_class, without_ours

_HIDDEN = ("name", "dtype", "data_format", "seed", "trainable", "index")
_CUTOUT = '''
    class Cutout(keras.layers.Layer):
        """A square of each image is filled while training; Keras has no such layer."""

        def __init__(self, size, fill_value=0.0, **settings):
            super().__init__(**settings)
            self.size, self.fill_value = size, fill_value
            self.seeds = keras.random.SeedGenerator()

        def call(self, inputs, training=False):
            if not training:
                return inputs
            count, height, width, _ = keras.ops.shape(inputs)

            def within(side):
                center = keras.random.randint((count, 1), 0, side, seed=self.seeds)
                first, places = center - self.size // 2, keras.ops.arange(side)
                return (places >= first) & (places < first + self.size)

            square = within(height)[:, :, None, None] & within(width)[:, None, :, None]
            return keras.ops.where(square, self.fill_value, inputs)

        def get_config(self):
            return {**super().get_config(), "size": self.size, "fill_value": self.fill_value}

'''
_CROP = '''
    class RandomCrop(keras.layers.Layer):
        """Each image is cut at an offset of its own while training; Keras's cuts a batch alike."""

        def __init__(self, height, width, **settings):
            super().__init__(**settings)
            self.height, self.width = height, width
            self.seeds = keras.random.SeedGenerator()

        def call(self, inputs, training=False):
            count, height, width, _ = keras.ops.shape(inputs)
            if not training:
                top, left = (height - self.height) // 2, (width - self.width) // 2
                return inputs[:, top : top + self.height, left : left + self.width]

            def places(side, kept):
                first = keras.random.randint((count, 1), 0, side - kept + 1, seed=self.seeds)
                return first + keras.ops.arange(kept, dtype=first.dtype)

            rows = places(height, self.height)[:, :, None, None]
            columns = places(width, self.width)[:, None, :, None]
            inputs = keras.ops.take_along_axis(inputs, rows, axis=1)
            return keras.ops.take_along_axis(inputs, columns, axis=2)

        def get_config(self):
            return {**super().get_config(), "height": self.height, "width": self.width}

'''
_WRITTEN_OUT = {Cutout: _CUTOUT, RandomCrop: _CROP}


def builder(model: ModelRecipe, input_shape: tuple[int, int, int], n_classes: int) -> str:
    """Return the text of a function build() that returns the model, untrained.

    Where there is a frozen backbone, of its features in the place of images.

    Raises StudyError where a layer is neither Keras's nor written out here.
    """
    network = without_ours(model, input_shape, n_classes)
    layers: list[Any] = network.layers
    sides: tuple[int, ...] = input_shape
    if model.frozen_backbone is not None:  # on features, which are rows: nothing to flatten
        layers, sides = layers[1:], (BACKBONES[model.frozen_backbone].features,)
    shape = repr(tuple(sides))
    parameters = f"{network.count_params():,} parameters"
    if isinstance(network, keras.Sequential):
        lines = [f"            {_call(layer, model.name)}," for layer in layers]
        start = f"    return keras.Sequential(\n        [\n            keras.Input({shape}),"
        body = "\n".join([start, *lines, "        ]", "    )"])
    else:
        body = _connected(network, shape, model.name)
    own = "".join(text for kind, text in _WRITTEN_OUT.items() if kind in map(type, layers))
    return f'def build():\n    """Return the network: {parameters}."""\n{own}{body}'


def _connected(network: Any, shape: str, model: str) -> str:
    lines = [f"    x0 = keras.Input({shape})"]
    names: dict[int, str] = {}
    calls, end = calls_of(network)
    for number, (layer, tensors, output) in enumerate(calls, start=1):
        inputs = [names.get(id(tensor), "x0") for tensor in tensors]
        given = inputs[0] if len(inputs) == 1 else f"[{', '.join(inputs)}]"
        names[id(output)] = f"x{number}"
        lines.append(f"    x{number} = {_call(layer, model)}({given})")
    lines.append(f"    return keras.Model(x0, {names[id(end)]})")
    return "\n".join(lines)


def _call(layer: Any, model: str) -> str:
    """Return the call that makes a layer, with the arguments that are not the defaults."""
    kind = type(layer) if type(layer) in _WRITTEN_OUT else keras_class(layer)
    if kind is None or kind is keras.layers.Layer:
        raise StudyError(
            f"{model}: expected layers of Keras's own, found {type(layer).__name__}, which only "
            "Bakeoff has: this model cannot be ejected"
        )
    config = layer.get_config()
    given, positional = [], True
    for name, parameter in inspect.signature(kind.__init__).parameters.items():
        if name not in config or name in _HIDDEN:
            continue
        if parameter.default is inspect.Parameter.empty:
            pair = kind is keras.layers.RandomContrast  # one number is what is above 1 alone there
            text = repr((config[name][1],) * 2) if pair else _value(config[name])
            given.append(text if positional else f"{name}={text}")
        elif not _same(config[name], parameter.default, name):
            positional = False
            given.append(f"{name}={_value(config[name])}")
    where = "" if kind in _WRITTEN_OUT else "keras.layers."
    return f"{where}{kind.__name__}({', '.join(given)})"


def _same(value: Any, default: Any, name: str) -> bool:
    """Say whether a configured value is what the default comes to."""
    if name.endswith("_initializer"):
        usual = keras.initializers.serialize(keras.initializers.get(default))
        return bool(_drawing(value) == _drawing(usual))
    if name == "activation":
        return value in (default, "linear" if default is None else default)
    if isinstance(default, int) and isinstance(value, list | tuple):
        return all(each == default for each in value)
    if isinstance(value, list | tuple) and isinstance(default, list | tuple):
        return tuple(value) == tuple(default)
    return bool(value == default)


def _drawing(serialized: Any) -> Any:
    """Return an initializer's class and settings, without its seed."""
    if not isinstance(serialized, dict):
        return serialized
    settings = {key: each for key, each in serialized["config"].items() if key != "seed"}
    return serialized["class_name"], settings


def _value(value: Any) -> str:
    """Return a configured value as code."""
    if isinstance(value, dict) and "class_name" in value:
        name = value["class_name"]
        if name in ("L1L2", "L1", "L2"):
            settings = {key: float(each) for key, each in value["config"].items() if each}
            text = ", ".join(f"{key}={each!r}" for key, each in settings.items())
            return f"keras.regularizers.L1L2({text})"
        return json.dumps(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, list):
        value = tuple(value)
    if isinstance(value, tuple) and len(value) == 2 and value[0] == value[1]:
        return repr(value[0])
    return repr(value)
