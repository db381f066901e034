"""What shows how to use an exported file: three lines to read, and a program that runs as it is."""

_PIXELS = '''"""Say which class each picture is: python example.py PICTURE..."""
import io, json, os, pathlib, sys
import numpy as np
from PIL import Image

pictures = [pathlib.Path(path).absolute() for path in sys.argv[1:]]
os.chdir(pathlib.Path(__file__).absolute().parent)  # where its files are, whoever calls it
files = map(pathlib.Path, ("preprocessing.json", "classes.json"))
how, classes = [json.loads(file.read_bytes()) for file in files]
turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF orientation to Image.Transpose

def read(path):
    """Return a picture's pixels as the network's training images had them."""
    mode = "L" if how["channels"] == 1 else "RGB"
    picture = Image.open(io.BytesIO(pathlib.Path(path).read_bytes()))
    if picture.format in ("PNG", "TIFF"):
        picture.load()  # PNG's EXIF may come last; TIFF's orientation is applied
    exif = Image.Exif()
    exif.load(picture.info.get("exif", b""))  # getexif would take XMP's orientation, too
    orientation = exif.get(274)
    sides = how["width"], how["height"]
    wide, tall = sides[::-1] if orientation in (5, 6, 7, 8) else sides
    picture.draft(None, (2 * wide, 2 * tall))  # decodes large JPEGs at a fraction
    if picture.mode == "F":
        raise ValueError("values with fractions, whose scale nothing says")
    if picture.mode.startswith("I"):  # 16 bits
        deep, white = np.asarray(picture), how["white_of_16_bits"]
        low, top = deep.min(), deep.max()
        if low < 0 or not how["least_top_of_16_bits"] <= top <= 1.005 * white:
            sys.exit(f"{path}: not on the scale of the study's pictures: from {low} to {top}")
        deep = (deep * (65535 / white) + 128) // 257
        deep = np.minimum(deep, 255).astype("uint8")
        inverted = getattr(picture, "tag_v2", {}).get(262) == 0  # TIFF's white may be 0
        picture = Image.fromarray(255 - deep if inverted else deep)
    elif picture.has_transparency_data:
        picture = picture.convert("RGBA")
    elif picture.mode not in ("L", "RGB"):
        picture = picture.convert("L" if picture.mode == "1" else "RGB")
    (width, height), inner, box = picture.size, (wide, tall), None
    if how["fit"] == "crop":
        share = min(width / wide, height / tall)
        left, top = max(width - share * wide, 0) / 2, max(height - share * tall, 0) / 2
        box = (left, top, width - left, height - top)
    elif how["fit"] == "pad":
        share = max(width / wide, height / tall)
        inner = (max(round(width / share), 1), max(round(height / share), 1))
    picture = picture.resize(inner, Image.Resampling.BILINEAR, box)
    if picture.mode == "RGBA":
        clear, picture = picture, Image.new("RGB", inner, "white")
        picture.paste(clear, mask=clear)
    canvas = Image.new(mode, (wide, tall))
    canvas.paste(picture.convert(mode), ((wide - inner[0]) // 2, (tall - inner[1]) // 2))
    if orientation in turns:
        canvas = canvas.transpose(Image.Transpose(turns[orientation]))
    pixels = np.asarray(canvas) * (how["maximum"] / how["white"])
    return (pixels.round() if how["dtype"] == "uint8" else pixels).astype(how["dtype"])

images = []
for path in pictures or sys.exit("expected pictures: python example.py PICTURE..."):
    try:
        images.append(read(path))
    except Exception as error:  # Pillow's are of all kinds
        sys.exit(f"{path}: not an image that can be read here: {error}")
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
