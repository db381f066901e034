"""How long depthwise convolutions and EfficientNet-Lite0's features take on one core.

Run: python benchmarks/backbone.py
Prints milliseconds of processor time, the least of five: ours and XLA's for the layers of
EfficientNet-Lite0 on 8 images, and for each image's features.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bakeoff.training.backbones import efficientnet_lite0
from bakeoff.training.backend import jax, keras, start
from bakeoff.training.layers.depthwise import DepthwiseConv2D

IMAGES = 8
SIDE = 224
LAYERS = (  # side, channels, kernel, stride
    *((112, 32, 3, 1), (112, 96, 3, 2), (56, 144, 3, 1), (56, 144, 5, 2)),
    *((28, 240, 5, 1), (14, 480, 3, 1), (14, 672, 5, 1), (7, 1152, 5, 1)),
)


def milliseconds(run: Callable[..., Any], *arguments: Any) -> float:
    """Return the least processor time of five runs, the compiling one left out."""
    jax.block_until_ready(run(*arguments))
    least = float("inf")
    for _ in range(5):
        started = time.process_time()
        jax.block_until_ready(run(*arguments))
        least = min(least, time.process_time() - started)
    return 1e3 * least


def compiled(model: Any) -> Callable[[Any], Any]:
    """Return a model or layer as a compiled function of its input."""
    weights = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]
    run = jax.jit(lambda w, o, images: model.stateless_call(w, o, images)[0])
    return lambda images: run(weights, others, images)


def main() -> None:
    """Measure and print."""
    start("cpu")
    rng = np.random.default_rng(0)
    for side, channels, kernel, stride in LAYERS:
        images = rng.standard_normal((IMAGES, side, side, channels), np.float32)
        times = []
        for kind in (keras.layers.DepthwiseConv2D, DepthwiseConv2D):
            layer = kind(kernel, strides=stride, padding="same", use_bias=False)
            layer.build(images.shape)
            times.append(milliseconds(compiled(layer), images))
        what = f"{side}×{side}×{channels}, kernel {kernel}, stride {stride}"
        sys.stdout.write(f"{what:34} XLA {times[0]:6.1f} ms, ours {times[1]:5.1f} ms\n")
    images = 255 * rng.random((IMAGES, SIDE, SIDE, 3), np.float32)
    each = milliseconds(compiled(efficientnet_lite0.build(SIDE)), images) / IMAGES
    sys.stdout.write(f"features of an image of {SIDE}×{SIDE}: {each:.1f} ms\n")


if __name__ == "__main__":
    main()
