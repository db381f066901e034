"""Prints the lines of BACKBONES for the networks of keras.applications; without their weights.

Run: python docs/draw_backbones.py
"""

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

SIDES = {
    **dict.fromkeys(["EfficientNetB1", "EfficientNetV2B1"], 240),
    **dict.fromkeys(["EfficientNetB2", "EfficientNetV2B2"], 260),
    **dict.fromkeys(["EfficientNetB3", "EfficientNetV2B3"], 300),
    **dict.fromkeys(["InceptionV3", "Xception"], 299),
}
NAMES = {
    "mobilenet": "MobileNet",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_small": "MobileNetV3Small",
    "mobilenet_v3_large": "MobileNetV3Large",
    "efficientnet_b0": "EfficientNetB0",
    "efficientnet_b1": "EfficientNetB1",
    "efficientnet_b2": "EfficientNetB2",
    "efficientnet_b3": "EfficientNetB3",
    "efficientnet_v2_b0": "EfficientNetV2B0",
    "efficientnet_v2_b1": "EfficientNetV2B1",
    "efficientnet_v2_b2": "EfficientNetV2B2",
    "efficientnet_v2_b3": "EfficientNetV2B3",
    "nasnet_mobile": "NASNetMobile",
    "densenet121": "DenseNet121",
    "resnet50": "ResNet50",
    "resnet50_v2": "ResNet50V2",
    "inception_v3": "InceptionV3",
    "xception": "Xception",
    "vgg16": "VGG16",
    "convnext_tiny": "ConvNeXtTiny",
}


def flops(network):
    """Return the operations of convolutions and dense layers for one image."""
    total = 0
    for layer in network.layers:
        places = np.prod(layer.output.shape[1:-1]) if hasattr(layer, "kernel") else 0
        weights = [w for w in layer.weights if "kernel" in w.name]
        total += sum(2 * int(places) * int(np.prod(w.shape)) for w in weights)
    return int(total)


for name, known in NAMES.items():
    side = SIDES.get(known, 224)
    build = getattr(keras.applications, known)
    network = build(weights=None, include_top=False, pooling="avg", input_shape=(side, side, 3))
    module = build.__module__.rsplit(".", 1)[1]
    count, features = network.count_params(), network.output.shape[-1]
    print(
        f'    "{name}": KnownBackbone("{known}", "{module}", {side}, {features}, {count:_}, '
        f"{flops(network):_}),",
        flush=True,
    )
    keras.backend.clear_session()
