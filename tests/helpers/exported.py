"""What exported files predict, by the runtimes that they are made for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Predictions = NDArray[np.float32]


def run_onnx(content: bytes, images: NDArray[Any]) -> Predictions:
    """Return the probabilities of an ONNX file, by onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found: Predictions = session.run(["probabilities"], {"pixels": images})[0]
    return found


def run_litert(content: bytes, images: NDArray[Any]) -> Predictions:
    """Return the probabilities of a LiteRT file, by ai-edge-litert."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    pixels = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(pixels, images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(pixels, images)
    interpreter.invoke()
    found: Predictions = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return found
