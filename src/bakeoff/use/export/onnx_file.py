"""Elementary operations as an ONNX model: pixels of any number of images in, probabilities out.

ONNX convolves and pools with channels before height and width, so images are transposed before and
after; runtimes remove pairs of these. Opset 20 is the first with Gelu.
"""

from typing import Any

import numpy as np

from bakeoff.errors import UsageError
from bakeoff.use.export.operations import Operation, Program, spread
from bakeoff.utils.user_paths import to_install

OPSET, IR = 20, 10
_FIRST, _LAST = (0, 3, 1, 2), (0, 2, 3, 1)  # channels
_ELEMENTWISE = {
    **{"add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div"},
    **{"maximum": "Max", "minimum": "Min", "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"},
    **{"exp": "Exp", "log": "Log", "abs": "Abs", "sqrt": "Sqrt", "elu": "Elu", "prelu": "PRelu"},
}


class _Graph:
    """Nodes and constants of a model that is being written."""

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.names: dict[str, str] = {}  # of values that are the graph's input or output

    def constant(self, value: Any, kind: type = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str | None = None, **settings: Any) -> str:
        output = output or f"n{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [output], **settings))
        return output


def onnx_model(program: Program, *, name: str) -> bytes:
    """Return the content of an ONNX file.

    Raises UsageError where the onnx package is missing.
    """
    try:
        import onnx
    except ImportError:
        raise UsageError(f"expected the package onnx, found none: {to_install('onnx')}") from None
    assert program.output is not None
    graph = _Graph(onnx)
    graph.names = {program.pixels.name: "pixels", program.output.name: "probabilities"}
    for operation in program.operations:
        _write(graph, operation)
    types = {"uint8": onnx.TensorProto.UINT8, "float32": onnx.TensorProto.FLOAT}

    def described(title: str, kind: int, shape: Any) -> Any:
        return onnx.helper.make_tensor_value_info(title, kind, ["n", *shape])

    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            name,
            [described("pixels", types[program.dtype], program.pixels.shape)],
            [described("probabilities", types["float32"], program.output.shape)],
            graph.constants,
        ),
        producer_name="bakeoff",
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR,
    )
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


def _write(graph: _Graph, operation: Operation) -> None:
    inputs = [graph.names.get(each.name, each.name) for each in operation.inputs]
    output = graph.names.get(operation.output.name, operation.output.name)
    kind, settings = operation.kind, operation.settings
    constants = {
        name: value for name, value in operation.constants.items() if name not in ("kernel", "bias")
    }
    if kind == "cast":
        graph.node("Cast", inputs, output, to=graph.onnx.TensorProto.FLOAT)
    elif kind in _ELEMENTWISE:
        others = [graph.constant(value) for value in constants.values()]
        graph.node(_ELEMENTWISE[kind], inputs + others, output)
    elif kind in ("conv2d", "depthwise"):
        _convolution(graph, operation, inputs[0], output)
    elif kind in ("max_pool", "average_pool"):
        extra = {} if kind == "max_pool" else {"count_include_pad": 0}
        _on_channels_first(
            graph,
            "MaxPool" if kind == "max_pool" else "AveragePool",
            [inputs[0]],
            output,
            kernel_shape=settings["window"],
            strides=settings["strides"],
            pads=_pads(operation, settings["window"], (1, 1)),
            **extra,
        )
    elif kind == "matmul":
        kernel = graph.constant(operation.constants["kernel"])
        bias = operation.constants.get("bias")
        others = [] if bias is None else [graph.constant(bias)]
        graph.node("Gemm", [inputs[0], kernel, *others], output)
    elif kind in ("mean", "max"):
        reduce = "ReduceMean" if kind == "mean" else "ReduceMax"
        axes = graph.constant(settings["axes"], np.int64)
        graph.node(reduce, [inputs[0], axes], output, keepdims=int(settings["keep"]))
    elif kind == "reshape":
        shape = graph.constant((-1, *operation.output.shape), np.int64)
        graph.node("Reshape", [inputs[0], shape], output)
    elif kind == "transpose":
        graph.node("Transpose", inputs, output, perm=settings["axes"])
    elif kind == "concatenate":
        graph.node("Concat", inputs, output, axis=settings["axis"])
    elif kind == "pad":
        (top, bottom), (left, right) = settings["pads"]
        pads = graph.constant((0, top, left, 0, 0, bottom, right, 0), np.int64)
        graph.node("Pad", [inputs[0], pads], output)
    elif kind == "crop":
        (top, left), (height, width, _) = settings["offset"], operation.output.shape
        bounds = ((top, left), (top + height, left + width), (1, 2))
        graph.node(
            "Slice", [inputs[0], *(graph.constant(each, np.int64) for each in bounds)], output
        )
    elif kind == "softmax":
        graph.node("Softmax", inputs, output, axis=-1)
    elif kind == "gelu":
        graph.node(
            "Gelu", inputs, output, approximate="tanh" if settings["approximate"] else "none"
        )
    else:
        raise AssertionError(f"ONNX has no word yet for {kind}")


def _convolution(graph: _Graph, operation: Operation, source: str, output: str) -> None:
    kernel = operation.constants["kernel"]
    height, width, channels, last = kernel.shape
    groups = 1
    if operation.kind == "depthwise":  # one group a channel
        groups = channels
        kernel = kernel.reshape(height, width, 1, channels * last)
    inputs = [source, graph.constant(kernel.transpose(3, 2, 0, 1))]
    if "bias" in operation.constants:
        inputs.append(graph.constant(operation.constants["bias"]))
    dilation = operation.settings["dilation"]
    _on_channels_first(
        graph,
        "Conv",
        inputs,
        output,
        group=groups,
        strides=operation.settings["strides"],
        dilations=dilation,
        pads=_pads(operation, (height, width), dilation),
    )


def _on_channels_first(
    graph: _Graph, kind: str, inputs: list[str], output: str, **settings: Any
) -> None:
    first = graph.node("Transpose", [inputs[0]], perm=_FIRST)
    made = graph.node(kind, [first, *inputs[1:]], **settings)
    graph.node("Transpose", [made], output, perm=_LAST)


def _pads(operation: Operation, window: Any, dilation: Any) -> list[int]:
    """Return zeros before height and width, then after them."""
    strides, padding = operation.settings["strides"], operation.settings["padding"]
    sides = operation.inputs[0].shape[:2]
    both = [
        spread(size, reach, stride, padding, apart)
        for size, reach, stride, apart in zip(sides, window, strides, dilation, strict=True)
    ]
    return [before for before, _ in both] + [after for _, after in both]
