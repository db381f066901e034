"""A Keras model as elementary operations: its layers followed from the pixels to the end."""

from typing import Any

from bakeoff.training.backend import keras
from bakeoff.training.plain_model import calls_of
from bakeoff.use.export.layers import Input, write_layer
from bakeoff.use.export.operations import Program, Value


def program_of(model: Any, dtype: str) -> Program:
    """Return a Keras model of one input and one output as elementary operations.

    dtype : of the pixels, "uint8" or "float32"

    Raises StudyError, naming a layer, where there is no way to write it down.
    """
    pixels = Value("pixels", tuple(int(side) for side in model.input_shape[1:]))
    program = Program(pixels, dtype)
    start = program.add("cast", pixels) if dtype != "float32" else pixels
    program.output = _follow(program, model, start)
    return program


def _follow(program: Program, model: Any, start: Value) -> Value:
    """Follow a model's layers, those of models inside it too."""
    if isinstance(model, keras.Sequential):
        value = start
        for layer in model.layers:
            value = _write(program, layer, [value])
        return value
    values: dict[int, Value] = {}

    def written(each: Any) -> Input:
        return values.get(id(each), start) if isinstance(each, keras.KerasTensor) else each

    calls, end = calls_of(model)
    for layer, inputs, output in calls:
        values[id(output)] = _write(program, layer, list(map(written, inputs)))
    return values[id(end)]


def _write(program: Program, layer: Any, inputs: list[Input]) -> Value:
    if isinstance(layer, keras.layers.InputLayer):
        return inputs[0]
    if isinstance(layer, keras.Model):
        return _follow(program, layer, inputs[0])
    return write_layer(program, layer, inputs)
