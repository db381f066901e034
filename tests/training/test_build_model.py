"""A declared model as a Keras model: its layers, their names, their initial weights.

tests/recipe/test_architecture.py compares shapes and counts of random models.

Oracle: the layers written out. Cost: 2 s. Run: pytest tests/training/test_build_model.py
"""

import keras
import numpy as np

from bakeoff.training.build_model import build
from tests.helpers.trainers import declare

LAYERS = [
    {"conv2d": {"filters": 2, "kernel_size": 3, "kernel_regularizer": {"l2": 0.01}}},
    {"residual": [{"conv2d": {"filters": 4, "kernel_size": 3, "padding": "same"}}]},
    {"dropout": 0.5},
    {"dense": 3},
]


def built(layers=LAYERS, seed=0):
    return build(declare(layers), (8, 7, 1), 5, seed=seed)


def test_bakeoff_adds_what_a_recipe_leaves_out():
    model = built(["batch_normalization", {"dense": 3}])
    assert type(model) is keras.Sequential
    assert [layer.name for layer in model.layers] == [
        *("batch_normalization_1", "flatten_before_2", "dense_2", "dense_3"),
    ]
    assert model.layers[-1].activation is keras.activations.softmax
    assert model.output_shape == (None, 5)


def test_a_residual_is_a_branch_with_a_shortcut_where_channels_differ():
    model = built()
    added = model.get_layer("residual_1")
    assert isinstance(added, keras.layers.Add)
    assert {each.name for each in model.layers if "conv2d" in each.name} == {
        *("conv2d_1", "conv2d_2", "conv2d_3"),  # the third is the shortcut
    }
    assert model.get_layer("conv2d_3").kernel_size == (1, 1)


def test_a_regularizer_is_keras_own():
    layer = built().get_layer("conv2d_1")
    assert layer.kernel_regularizer.get_config() == {"l1": 0.0, "l2": 0.01}


def test_a_seed_fixes_the_initial_weights_and_layers_of_one_shape_differ():
    def weights(seed):
        model = built([{"dense": 5}, {"dense": 5}, {"dense": 5}], seed)
        return [np.asarray(layer.kernel) for layer in model.layers if layer.name[:5] == "dense"]

    for one, again, other in zip(weights(3), weights(3), weights(4), strict=True):
        np.testing.assert_array_equal(one, again)
        assert not np.array_equal(one, other)
    assert not np.array_equal(*weights(3)[1:3])
