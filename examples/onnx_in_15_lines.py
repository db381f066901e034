"""A Bakeoff export without Bakeoff: python onnx_in_15_lines.py EXPORT PICTURE..."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

folder, pictures = Path(sys.argv[1]), sys.argv[2:]
classes = json.loads((folder / "classes.json").read_text())
how = json.loads((folder / "preprocessing.json").read_text())
grey = [Image.open(each).convert("L").resize((how["width"], how["height"])) for each in pictures]
pixels = np.round(np.stack([np.asarray(each) for each in grey]) * (how["maximum"] / 255))
model = onnxruntime.InferenceSession(folder / "model.onnx")
found = model.run(None, {"pixels": pixels.astype(how["dtype"])[..., None]})[0]
for picture, row in zip(pictures, found, strict=True):
    print(picture, classes[row.argmax()], f"{row.max():.1%}")  # noqa: T201
