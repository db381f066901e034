"""Backbones by name: networks trained on ImageNet, as Keras's applications has them, and Lite0.

A backbone of Keras is one line here: its name is that of keras.applications, written as layers are.
"""

from dataclasses import dataclass
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
}


def identity(name: str) -> str:
    """Return what a backbone's features depend on, as text: its weights, or Keras's version."""
    weights = LITE0_SHA256 if name == LITE0 else f"keras {version('keras')}"
    return f"{name} {weights} {BACKBONES[name].side}"
