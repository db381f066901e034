"""Checks an exported file where Bakeoff is not: run as a script, in a process of its own.

Arguments: the format, the exported folder, an npy file of pixels, an npy file to write the
probabilities to, and modules that are to seem not installed. It imports NumPy and what runs the
file, and nothing of Bakeoff.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 500


def onnx(folder: Path) -> Callable[[Any], Any]:
    """Run model.onnx with onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    return lambda pixels: session.run(["probabilities"], {"pixels": pixels})[0]


def litert(folder: Path) -> Callable[[Any], Any]:
    """Run model.tflite with LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(folder / "model.tflite"))
    pixels = interpreter.get_input_details()[0]["index"]
    output = interpreter.get_output_details()[0]["index"]

    def run(images: Any) -> Any:
        interpreter.resize_tensor_input(pixels, images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(pixels, images)
        interpreter.invoke()
        return interpreter.get_tensor(output)

    return run


def keras(folder: Path) -> Callable[[Any], Any]:
    """Run model.keras with Keras on JAX; `safe_mode` refuses what would run code."""
    import keras as library

    model = library.saving.load_model(folder / "model.keras", safe_mode=True)
    return lambda pixels: model.predict(pixels, verbose=0, batch_size=len(pixels))


def safetensors(folder: Path) -> Callable[[Any], Any]:
    """Build the model that model.json describes and give it the weights in order."""
    import keras as library
    from safetensors.numpy import load_file

    model = library.models.model_from_json((folder / "model.json").read_text(encoding="utf-8"))
    weights = load_file(folder / "model.safetensors")
    model.set_weights([weights[name] for name in sorted(weights)])
    return lambda pixels: model.predict(pixels, verbose=0, batch_size=len(pixels))


def main(words: list[str]) -> None:
    """Predict all images and write the probabilities."""
    sys.modules.update(dict.fromkeys(words[4:]))  # type: ignore[arg-type]  # None: no such module
    kinds = {"onnx": onnx, "litert": litert, "keras": keras, "safetensors": safetensors}
    run = kinds[words[0]](Path(words[1]))
    images = np.load(words[2], mmap_mode="r", allow_pickle=False)
    parts = [run(np.array(images[at : at + BATCH])) for at in range(0, len(images), BATCH)]
    strangers = {"bakeoff", "tensorflow", "torch"} & {each.split(".")[0] for each in sys.modules}
    if strangers:
        raise SystemExit(f"this process loaded {', '.join(sorted(strangers))}")
    np.save(words[3], np.concatenate(parts), allow_pickle=False)


if __name__ == "__main__":
    main(sys.argv[1:])
