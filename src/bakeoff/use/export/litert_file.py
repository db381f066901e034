"""Elementary operations as a LiteRT (TensorFlow Lite) file, written without TensorFlow.

The file is a FlatBuffer; the package ai-edge-litert, which runs it, brings the classes of its
schema. LiteRT's images lie as Keras's do, so most operations are one of its own.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import UsageError
from bakeoff.use.export.operations import Operation, Program, Value
from bakeoff.utils.user_paths import to_install

VERSION = 3  # of the schema
_ELEMENTWISE = {
    **{"add": "ADD", "subtract": "SUB", "multiply": "MUL", "divide": "DIV"},
    **{"maximum": "MAXIMUM", "minimum": "MINIMUM", "relu": "RELU", "sigmoid": "LOGISTIC"},
    **{"tanh": "TANH", "exp": "EXP", "log": "LOG", "abs": "ABS", "sqrt": "SQRT", "elu": "ELU"},
    "prelu": "PRELU",
}
_OPTIONS = {  # operators whose options must be there, though all are at their defaults
    **{"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "DIV": "DivOptions"},
    **{"MAXIMUM": "MaximumMinimumOptions", "MINIMUM": "MaximumMinimumOptions"},
}


class _Graph:
    """Tensors, buffers and operators of a model that is being written."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self.buffers: list[Any] = [schema.BufferT()]  # the first is empty, by convention
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.codes: dict[str, int] = {}
        self._numbers: dict[str, int] = {}

    def constant(self, array: NDArray[Any]) -> int:
        """Add a tensor of known values; return its number."""
        buffer = self.schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
        self.buffers.append(buffer)
        kind = "INT32" if array.dtype == np.int32 else "FLOAT32"
        return self._tensor(f"c{len(self.tensors)}", array.shape, kind, len(self.buffers) - 1)

    def value(self, value: Value, kind: str = "FLOAT32") -> int:
        """Return the number of the tensor that a value is; its batch may have any size."""
        if value.name not in self._numbers:
            number = self._tensor(value.name, (1, *value.shape), kind, 0)
            self.tensors[number].shapeSignature = [-1, *value.shape]
            self._numbers[value.name] = number
        return self._numbers[value.name]

    def _tensor(self, name: str, shape: Any, kind: str, buffer: int) -> int:
        tensor = self.schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(shape), buffer
        tensor.type, tensor.hasRank = getattr(self.schema.TensorType, kind), True
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def operator(
        self, code: str, inputs: list[int], output: int, options: str | None = None, **settings: Any
    ) -> None:
        """Add an operator; `options` names its class of options, `settings` their values."""
        operator = self.schema.OperatorT()
        operator.opcodeIndex = self.codes.setdefault(code, len(self.codes))
        operator.inputs, operator.outputs = inputs, [output]
        options = options or _OPTIONS.get(code)
        if options is not None:
            operator.builtinOptionsType = getattr(self.schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(self.schema, f"{options}T")()
            for name, value in settings.items():
                setattr(operator.builtinOptions, name, value)
        self.operators.append(operator)


def litert_model(program: Program, *, name: str) -> bytes:
    """Return the content of a .tflite file.

    Raises UsageError where the package ai-edge-litert is missing.
    """
    try:
        import flatbuffers
        from ai_edge_litert import schema_py_generated as schema
    except ImportError:
        raise UsageError(
            f"expected the package ai-edge-litert, found none: {to_install('litert')}"
        ) from None
    assert program.output is not None
    graph = _Graph(schema)
    pixels = graph.value(program.pixels, program.dtype.upper())
    for operation in program.operations:
        _write(graph, operation)
    output = graph.value(program.output)
    graph.tensors[pixels].name, graph.tensors[output].name = "pixels", "probabilities"
    subgraph = schema.SubGraphT()
    subgraph.name = name
    subgraph.tensors, subgraph.operators = graph.tensors, graph.operators
    subgraph.inputs, subgraph.outputs = [pixels], [output]
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs = [_named(schema, "pixels", pixels)]
    signature.outputs = [_named(schema, "probabilities", output)]
    model = schema.ModelT()
    model.signatureDefs = [signature]
    model.version, model.description = VERSION, "written by Bakeoff"
    model.subgraphs, model.buffers = [subgraph], graph.buffers
    model.operatorCodes = [_code(schema, each) for each in graph.codes]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _named(schema: Any, name: str, tensor: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, tensor
    return entry


def _code(schema: Any, name: str) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    return code


def _write(graph: _Graph, operation: Operation) -> None:
    inputs, output = [graph.value(each) for each in operation.inputs], graph.value(operation.output)
    kind, settings, constants = operation.kind, operation.settings, operation.constants
    if kind == "cast":
        graph.operator("CAST", inputs, output, "CastOptions")
    elif kind in _ELEMENTWISE:
        others = [graph.constant(value) for value in constants.values()]
        graph.operator(_ELEMENTWISE[kind], inputs + others, output)
    elif kind in ("conv2d", "depthwise"):
        _convolution(graph, operation, inputs[0], output)
    elif kind in ("max_pool", "average_pool"):
        (height, width), strides = settings["window"], settings["strides"]
        graph.operator(
            "MAX_POOL_2D" if kind == "max_pool" else "AVERAGE_POOL_2D",
            inputs,
            output,
            "Pool2DOptions",
            padding=_padding(graph, settings["padding"]),
            strideH=strides[0],
            strideW=strides[1],
            filterHeight=height,
            filterWidth=width,
        )
    elif kind == "matmul":
        weights = graph.constant(constants["kernel"].T)
        bias = graph.constant(constants["bias"]) if "bias" in constants else -1
        graph.operator("FULLY_CONNECTED", [*inputs, weights, bias], output, "FullyConnectedOptions")
    elif kind in ("mean", "max"):
        axes = graph.constant(np.asarray(settings["axes"], np.int32))
        code = "MEAN" if kind == "mean" else "REDUCE_MAX"
        keep = bool(settings["keep"])
        graph.operator(code, [*inputs, axes], output, "ReducerOptions", keepDims=keep)
    elif kind == "reshape":
        shape = graph.constant(np.asarray((-1, *operation.output.shape), np.int32))
        graph.operator("RESHAPE", [*inputs, shape], output)
    elif kind == "transpose":
        axes = graph.constant(np.asarray(settings["axes"], np.int32))
        graph.operator("TRANSPOSE", [*inputs, axes], output, "TransposeOptions")
    elif kind == "concatenate":
        graph.operator(
            "CONCATENATION", inputs, output, "ConcatenationOptions", axis=settings["axis"]
        )
    elif kind == "pad":
        pads = graph.constant(np.asarray(((0, 0), *settings["pads"], (0, 0)), np.int32))
        graph.operator("PAD", [*inputs, pads], output, "PadOptions")
    elif kind == "crop":
        begin, size = (0, *settings["offset"], 0), (-1, *operation.output.shape)
        bounds = [graph.constant(np.asarray(each, np.int32)) for each in (begin, size)]
        graph.operator("SLICE", [*inputs, *bounds], output, "SliceOptions")
    elif kind == "softmax":
        graph.operator("SOFTMAX", inputs, output, "SoftmaxOptions", beta=1.0)
    elif kind == "gelu":
        graph.operator("GELU", inputs, output, "GeluOptions", approximate=settings["approximate"])
    else:
        raise AssertionError(f"LiteRT has no word yet for {kind}")


def _padding(graph: _Graph, padding: str) -> int:
    return int(getattr(graph.schema.Padding, padding.upper()))


def _convolution(graph: _Graph, operation: Operation, source: int, output: int) -> None:
    kernel, settings = operation.constants["kernel"], operation.settings
    height, width, channels, last = kernel.shape
    common = {
        "padding": _padding(graph, settings["padding"]),
        "strideH": settings["strides"][0],
        "strideW": settings["strides"][1],
        "dilationHFactor": settings["dilation"][0],
        "dilationWFactor": settings["dilation"][1],
    }
    filters = channels * last if operation.kind == "depthwise" else last
    bias = operation.constants.get("bias", np.zeros(filters, np.float32))
    if operation.kind == "depthwise":
        weights = kernel.reshape(1, height, width, filters)
        inputs = [source, graph.constant(weights), graph.constant(bias)]
        graph.operator(
            "DEPTHWISE_CONV_2D",
            inputs,
            output,
            "DepthwiseConv2DOptions",
            depthMultiplier=last,
            **common,
        )
        return
    inputs = [source, graph.constant(kernel.transpose(3, 0, 1, 2)), graph.constant(bias)]
    graph.operator("CONV_2D", inputs, output, "Conv2DOptions", **common)
