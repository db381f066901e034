"""Writes backbone_layers.json and prints the lines of BACKBONES; without any network's weights.

Run: python docs/draw_backbones.py [NAME...]; it takes minutes. Names are those of BACKBONES.
"""

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

from bakeoff.training.backbones import efficientnet_lite0

TABLE = Path(__file__).parents[1] / "src/bakeoff/recipe/vocabulary/backbone_layers.json"
SIDES = {
    **dict.fromkeys(["EfficientNetB1", "EfficientNetV2B1"], 240),
    **dict.fromkeys(["EfficientNetB2"], 260),
}
NAMES = {
    "efficientnet_lite0": None,
    "mobilenet": "MobileNet",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_small": "MobileNetV3Small",
    "mobilenet_v3_large": "MobileNetV3Large",
    "efficientnet_b0": "EfficientNetB0",
    "efficientnet_b1": "EfficientNetB1",
    "efficientnet_b2": "EfficientNetB2",
    "efficientnet_v2_b0": "EfficientNetV2B0",
    "efficientnet_v2_b1": "EfficientNetV2B1",
    "nasnet_mobile": "NASNetMobile",
    "densenet121": "DenseNet121",
    "resnet50_v2": "ResNet50V2",
}


def rows(network):
    """Return [name, trainable parameters, operations, values put out] from kernel to kernel.

    Left out are networks that do not name all their layers: Keras numbers those by what else a
    process has built.
    """
    found = []
    for layer in network.layers:
        kernels = [w for w in layer.weights if "kernel" in w.name]
        if kernels:
            found.append([layer.name, 0, 0, 0])
        if not found:  # scaling, before the first weights
            continue
        shape = layer.output.shape
        positions = int(np.prod(shape[1:-1]))
        found[-1][1] += sum(int(np.prod(w.shape)) for w in layer.trainable_weights)
        found[-1][2] += sum(2 * positions * int(np.prod(w.shape)) for w in kernels)
        found[-1][3] += int(np.prod(shape[1:]))
    return found


def main():
    """Build each network and write down what it consists of."""
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    for name in sys.argv[1:] or NAMES:
        known = NAMES[name]
        side = SIDES.get(known, 224)
        if known is None:
            network, module = efficientnet_lite0.build(side), ""
        else:
            build = getattr(keras.applications, known)
            shape = (side, side, 3)
            network = build(weights=None, include_top=False, pooling="avg", input_shape=shape)
            module = build.__module__.rsplit(".", 1)[1]
        table[name] = rows(network)
        flops = sum(row[2] for row in table[name])
        print(
            f'    "{name}": KnownBackbone({known!r}, "{module}", {side}, '
            f"{network.output.shape[-1]}, {network.count_params():_}, {flops:_}),",
            flush=True,
        )
        keras.backend.clear_session()
        ordered = {each: table[each] for each in NAMES if each in table}
        lines = [
            f'"{each}": {json.dumps(ordered[each], separators=(",", ":"))}' for each in ordered
        ]
        TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
