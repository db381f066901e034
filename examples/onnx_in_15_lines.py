"""An export for grey pictures, without Bakeoff: python onnx_in_15_lines.py EXPORT PICTURE..."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

out, pictures = Path(sys.argv[1]), sys.argv[2:]
classes, how = (json.loads((out / f"{n}.json").read_text()) for n in ("classes", "preprocessing"))
(how["color"], how["fit"]) == ("grey", "stretch") or sys.exit(f"run {out}/example.py instead")
size, kind = (how["width"], how["height"]), Image.Resampling.BILINEAR
grey = [ImageOps.exif_transpose(Image.open(p)).convert("L").resize(size, kind) for p in pictures]
pixels = np.round(np.stack(grey) * (how["maximum"] / 255)).astype(how["dtype"])[..., None]
found = onnxruntime.InferenceSession(out / "model.onnx").run(None, {"pixels": pixels})[0]
for picture, row in zip(pictures, found, strict=True):
    print(picture, classes[row.argmax()], f"{row.max():.1%}")  # noqa: T201
