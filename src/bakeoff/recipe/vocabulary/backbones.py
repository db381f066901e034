"""Backbones by name: networks trained on ImageNet, as Keras's applications has them, and Lite0.

A backbone of Keras is one line here: its name is that of keras.applications, written as layers are.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.metadata import version

IMAGENET = "ImageNet (ILSVRC 2012): 1,281,167 photographs from the web in 1,000 classes"


@dataclass(frozen=True)
class KnownBackbone:
    """What is known of a backbone without building it.

    keras : its name in keras.applications; None for efficientnet_lite0, which is not there
    module : the module there that has its `preprocess_input`
    side : height and width of the images that it was trained on
    features : how many values it gives for an image
    parameters : all of them, without a classifier
    flops : operations for an image, a multiply-add as two; convolutions and dense layers alone
    """

    keras: str | None
    module: str
    side: int
    features: int
    parameters: int
    flops: int
    seen: str = IMAGENET


LITE0 = "efficientnet_lite0"
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
BACKBONES: dict[str, KnownBackbone] = {
    LITE0: KnownBackbone(None, "", 224, 1280, 3_413_024, 767_815_104),
    "mobilenet": KnownBackbone("MobileNet", "mobilenet", 224, 1024, 3_228_864, 1_135_432_704),
    "mobilenet_v2": KnownBackbone("MobileNetV2", "mobilenet_v2", 224, 1280, 2_257_984, 598_988_544),
    "mobilenet_v3_small": KnownBackbone(
        "MobileNetV3Small", "mobilenet_v3", 224, 576, 939_120, 109_793_152
    ),
    "mobilenet_v3_large": KnownBackbone(
        "MobileNetV3Large", "mobilenet_v3", 224, 960, 2_996_352, 428_161_920
    ),
    "efficientnet_b0": KnownBackbone(
        "EfficientNetB0", "efficientnet", 224, 1280, 4_049_571, 769_069_504
    ),
    "efficientnet_b1": KnownBackbone(
        "EfficientNetB1", "efficientnet", 240, 1280, 6_575_239, 1_371_045_664
    ),
    "efficientnet_b2": KnownBackbone(
        "EfficientNetB2", "efficientnet", 260, 1408, 7_768_569, 1_984_307_744
    ),
    "efficientnet_v2_b0": KnownBackbone(
        "EfficientNetV2B0", "efficientnet_v2", 224, 1280, 5_919_312, 1_433_612_352
    ),
    "efficientnet_v2_b1": KnownBackbone(
        "EfficientNetV2B1", "efficientnet_v2", 240, 1280, 6_931_124, 2_391_078_720
    ),
    "nasnet_mobile": KnownBackbone("NASNetMobile", "nasnet", 224, 1056, 4_269_716, 1_125_165_632),
    "densenet121": KnownBackbone("DenseNet121", "densenet", 224, 1024, 7_037_504, 5_666_275_328),
    "resnet50_v2": KnownBackbone("ResNet50V2", "resnet_v2", 224, 2048, 23_564_800, 6_960_414_720),
}


def features_identity(name: str, changed: str = "") -> str:
    """Return what a backbone's features depend on, as text: its weights, or Keras's version.

    changed : how images are changed before, as text
    """
    weights = LITE0_SHA256 if name == LITE0 else f"keras {version('keras')}"
    return f"{name} {weights} {BACKBONES[name].side}" + (f" {changed}" if changed else "")


@dataclass(frozen=True)
class PretrainedLayer:
    """A layer of a backbone with a kernel, and what follows it up to the next such layer.

    trainable : its trainable parameters
    flops : operations for an image
    values : how many values it puts out for an image
    """

    name: str
    trainable: int
    flops: int
    values: int


@lru_cache
def backbone_layers(name: str) -> tuple[PretrainedLayer, ...]:
    """Return the layers of a backbone in order; docs/draw_backbones.py has written them down."""
    file = resources.files("bakeoff.recipe.vocabulary") / "backbone_layers.json"
    return tuple(PretrainedLayer(*row) for row in json.loads(file.read_text())[name])


def layers_from(name: str, start: str | None) -> tuple[PretrainedLayer, ...]:
    """Return the layers from `start` on: its whole name, or what comes before an underscore in it.

    None is the first layer. Empty where there is no such layer.
    """
    layers = backbone_layers(name)
    for index, layer in enumerate(layers):
        if start is None or begins(layer.name, start):
            return layers[index:]
    return ()


def begins(layer: str, start: str) -> bool:
    """Say whether a layer is named `start`, or `start` and more after an underscore."""
    return layer == start or layer.startswith(f"{start}_")
