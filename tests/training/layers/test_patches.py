"""Convolution as a product of patches, which several lanes take on a GPU; here on the CPU.

Oracle: sums in float64 written out, and Keras's layers. That lanes agree to the bit: tests of
multi_trial. Cost: 6 s, compiling. Run: pytest tests/training/layers/test_patches.py
"""

import numpy as np
import pytest

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers import context
from bakeoff.training.layers.convolution import Conv2D
from bakeoff.training.layers.depthwise import DepthwiseConv2D
from bakeoff.training.layers.patches import convolve_patches
from bakeoff.training.layers.pooling import AveragePooling2D, MaxPooling2D
from tests.helpers.layers import agree

CONVOLUTIONS = [
    # images, filters, window, strides, padding
    ((3, 9, 7, 2), 5, (3, 3), (1, 1), "same"),
    ((4, 5, 6, 3), 2, (1, 1), (1, 1), "valid"),
    ((2, 11, 10, 2), 3, (2, 3), (3, 1), "valid"),
    ((2, 11, 10, 2), 3, (3, 2), (1, 3), "same"),
]


@pytest.fixture
def in_lanes(monkeypatch):
    """Compute layers as for several lanes on a GPU."""
    monkeypatch.setattr(context.jax, "default_backend", lambda: "gpu")
    with context.lanes():
        yield


def test_values_and_gradients_are_the_sums_that_define_them(rng):
    images, kernel = rng.standard_normal((2, 6, 7, 3)), rng.standard_normal((3, 2, 3, 4))
    strides = 2, 1
    wanted = np.zeros((2, 2, 6, 4))
    for y, x in np.ndindex(2, 6):
        window = images[:, 2 * y : 2 * y + 3, x : x + 2]
        wanted[:, y, x] = np.einsum("bijc,ijcf->bf", window, kernel)
    pull = rng.standard_normal(wanted.shape)
    of_images, of_kernel = np.zeros(images.shape), np.zeros(kernel.shape)
    for y, x in np.ndindex(2, 6):
        rows, columns = slice(2 * y, 2 * y + 3), slice(x, x + 2)
        of_images[:, rows, columns] += np.einsum("bf,ijcf->bijc", pull[:, y, x], kernel)
        of_kernel += np.einsum("bijc,bf->ijcf", images[:, rows, columns], pull[:, y, x])
    single = [each.astype(np.float32) for each in (images, kernel, pull)]
    found, back = jax.vjp(lambda i, k: convolve_patches(i, k, strides), *single[:2])
    for each, other in zip((found, *back(single[2])), (wanted, of_images, of_kernel), strict=True):
        np.testing.assert_allclose(each, other, atol=1e-5)


@pytest.mark.parametrize("shape, filters, window, strides, padding", CONVOLUTIONS)
def test_lanes_on_a_gpu_convolve_as_keras(
    shape, filters, window, strides, padding, rng, in_lanes, monkeypatch
):
    asked = []
    monkeypatch.setattr(
        "bakeoff.training.layers.convolution.convolve_patches",
        lambda *given: asked.append(given) or convolve_patches(*given),
    )
    settings = {"strides": strides, "padding": padding, "bias_initializer": "random_normal"}
    agree(
        Conv2D(filters, window, **settings),
        keras.layers.Conv2D(filters, window, **settings),
        rng.standard_normal(shape, np.float32),
    )
    assert asked


def test_lanes_on_a_gpu_pool_and_convolve_channels_as_keras(rng, in_lanes):
    images = rng.standard_normal((3, 9, 7, 2), np.float32)
    for ours, theirs, settings in (
        (MaxPooling2D, keras.layers.MaxPooling2D, {"pool_size": 3, "strides": 2}),
        (AveragePooling2D, keras.layers.AveragePooling2D, {"pool_size": 2, "padding": "same"}),
        (DepthwiseConv2D, keras.layers.DepthwiseConv2D, {"kernel_size": 3}),
    ):
        agree(ours(**settings), theirs(**settings), images)


def test_patches_are_for_several_lanes_on_a_gpu_alone(monkeypatch):
    def ways(data_format="channels_last"):
        which = context.ours, context.in_patches, context.in_slices
        return [say(data_format) for say in which]

    assert ways() == [True, False, True]
    with context.lanes():
        assert ways() == [True, False, True]
        monkeypatch.setattr(context.jax, "default_backend", lambda: "gpu")
        assert ways() == [False, True, True]
        assert ways("channels_first") == [False, False, False]
    assert ways() == [False, False, False]
