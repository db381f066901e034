"""What shows how to use an exported file: three lines to read, and a program that runs as it is."""

_PIXELS = '''"""Say which class each picture is: python example.py PICTURE..."""
import json, pathlib, sys
import numpy as np
from PIL import Image, ImageOps

files = map(pathlib.Path, ("preprocessing.json", "classes.json"))
how, classes = [json.loads(file.read_bytes()) for file in files]
size, mode = (how["width"], how["height"]), "L" if how["channels"] == 1 else "RGB"
images = []
for path in sys.argv[1:]:
    picture = ImageOps.exif_transpose(Image.open(path))
    if picture.mode.startswith("I"):  # 16 bits
        deep = np.asarray(picture) * (255 / how["white_of_16_bits"])
        picture = Image.fromarray(np.minimum(deep, 255).round().astype("uint8"))
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    fit = {"stretch": Image.Image.resize, "crop": ImageOps.fit, "pad": ImageOps.pad}[how["fit"]]
    picture = fit(picture.convert(mode), size, Image.BILINEAR)
    pixels = np.asarray(picture) * (how["maximum"] / how["white"])
    images.append((pixels.round() if how["dtype"] == "uint8" else pixels).astype(how["dtype"]))
images = np.stack(images).reshape(-1, how["height"], how["width"], how["channels"])
'''

_RUN = {
    "onnx": """import onnxruntime
model = onnxruntime.InferenceSession("model.onnx")
probabilities = model.run(["probabilities"], {"pixels": images})[0]
""",
    "litert": """from ai_edge_litert.interpreter import Interpreter
model = Interpreter("model.tflite").get_signature_runner()
probabilities = np.concatenate([model(pixels=one[None])["probabilities"] for one in images])
""",
    "keras": """import os
os.environ.setdefault("KERAS_BACKEND", "jax")  # or torch, or tensorflow
import keras
model = keras.saving.load_model("model.keras")
probabilities = model.predict(images, verbose=0)
""",
    "safetensors": """import os
os.environ.setdefault("KERAS_BACKEND", "jax")  # or torch, or tensorflow
import keras, safetensors.numpy
model = keras.models.model_from_json(open("model.json").read())
weights = safetensors.numpy.load_file("model.safetensors")
model.set_weights([weights[name] for name in sorted(weights)])
probabilities = model.predict(images, verbose=0)
""",
}
_PRINT = """for path, row in zip(sys.argv[1:], probabilities):
    print(path, classes[row.argmax()], f"{row.max():.1%}")
"""
_NEEDS = {
    "onnx": "numpy, pillow and onnxruntime",
    "litert": "numpy, pillow and ai-edge-litert",
    "keras": "numpy, pillow and Keras 3 with any of its backends",
    "safetensors": "numpy, pillow, safetensors and Keras 3 with any of its backends",
}


def example(format: str) -> str:
    """Return a program that predicts pictures with the file."""
    return f"{_PIXELS}\n{_RUN[format]}\n{_PRINT}"


def lines(format: str) -> str:
    """Return the few lines that matter; `images` has the pixels."""
    return _RUN[format]


def requirements(format: str) -> str:
    """Return what the program needs, in words."""
    return _NEEDS[format]
