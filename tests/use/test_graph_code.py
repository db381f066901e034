"""A declared model as code that builds it with Keras.

Oracle: the code is run, and the network compared with Bakeoff's own. Cost: 3 s.
Run: pytest tests/use/test_graph_code.py
"""

import keras
import numpy as np
import pytest

from bakeoff.training.build_model import build
from bakeoff.use.graph_code import builder
from tests.helpers.trainers import declare

LAYERS = [
    {"conv2d": {"filters": 4, "kernel_size": 3, "kernel_regularizer": {"l2": 0.01}}},
    {"group_normalization": 2},
    {"max_pooling2d": {"pool_size": [2, 1]}},
    {"dropout": 0.25},
    {"dense": {"units": 5, "activation": "relu", "kernel_initializer": "he_normal"}},
]
BRANCHED = [{"residual": [{"conv2d": {"filters": 3, "kernel_size": 3, "padding": "same"}}]}]


def test_one_line_a_layer_with_what_is_not_the_default():
    lines = [line.strip() for line in builder(declare(LAYERS), (8, 8, 1), 3).splitlines()]
    assert "keras.layers.Dropout(0.25)," in lines
    assert 'keras.layers.Dense(3, activation="softmax"),' in lines
    (pooling,) = (line for line in lines if "MaxPooling2D" in line)
    assert "pool_size=(2, 1)" in pooling and "padding" not in pooling
    (convolution,) = (line for line in lines if "Conv2D" in line)
    assert "kernel_regularizer=keras.regularizers.L1L2(l2=0.01)" in convolution


@pytest.mark.parametrize("layers", [LAYERS, BRANCHED, []], ids=["chain", "branched", "none"])
def test_the_code_builds_the_network(layers):
    text = builder(declare(layers), (8, 8, 1), 3)
    names = {"keras": keras}
    exec(text, names)
    network = names["build"]()
    assert f"{network.count_params():,} parameters" in text
    assert (network.input_shape, network.output_shape) == ((None, 8, 8, 1), (None, 3))
    ours = build(declare(layers), (8, 8, 1), 3, seed=0)
    network.set_weights(ours.get_weights())
    images = np.random.default_rng(0).random((5, 8, 8, 1), np.float32)
    found, expected = (np.asarray(each(images, training=False)) for each in (network, ours))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert ('kernel_initializer="he_normal"' in text) == (layers is LAYERS)


def test_a_crop_has_an_offset_for_each_image_and_scores_the_middle():
    """Keras 3.15 crops all images of a batch alike, and scores the whole image."""
    names = {"keras": keras}
    declared = declare([{"random_crop": {"height": 4, "width": 5}}, {"dense": 3}])
    exec(builder(declared, (6, 9, 2), 3), names)
    network, ours = names["build"](), build(declared, (6, 9, 2), 3, seed=0)
    layer = next(each for each in network.layers if type(each).__name__ == "RandomCrop")
    image = np.arange(6 * 9 * 2, dtype=np.float32).reshape(6, 9, 2)
    cut = np.asarray(layer(np.stack([image] * 300), training=True))
    assert cut.shape == (300, 4, 5, 2)
    tops, lefts = np.divmod(cut[:, 0, 0, 0].astype(int) // 2, 9)
    for part, top, left in zip(cut, tops, lefts, strict=True):
        np.testing.assert_array_equal(part, image[top : top + 4, left : left + 5])
    assert {*tops.tolist()} == {0, 1, 2} and {*lefts.tolist()} == {0, 1, 2, 3, 4}
    assert len({*zip(tops.tolist(), lefts.tolist(), strict=True)}) == 15
    for mine, its in zip(network.trainable_variables, ours.trainable_variables, strict=True):
        mine.assign(its)
    images = np.random.default_rng(0).random((5, 6, 9, 2), np.float32)
    found, expected = (np.asarray(each(images, training=False)) for each in (network, ours))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_layer_that_keras_does_not_have_is_written_out():
    names = {"keras": keras}
    exec(builder(declare([{"cutout": 4}, {"dense": 3}]), (9, 8, 2), 3), names)
    layer = next(each for each in names["build"]().layers if type(each).__name__ == "Cutout")
    images = np.ones((64, 9, 8, 2), np.float32)
    filled = np.asarray(layer(images, training=True)) == 0
    np.testing.assert_array_equal(filled[..., 0], filled[..., 1])
    counts = filled[..., 0].sum((1, 2))
    assert counts.max() == 16 and counts.min() >= 4  # at a corner half of each side is outside
    np.testing.assert_array_equal(layer(images), images)
