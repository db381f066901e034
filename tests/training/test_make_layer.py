"""Layers that change images before a backbone, and what layers draw.

Oracle: names, indices and classes by hand. Cost: 0.3 s.
Run: pytest tests/training/test_make_layer.py
"""

import numpy as np

from bakeoff.recipe import Layer
from bakeoff.training.layers.augmentation import Cutout
from bakeoff.training.layers.image_shifts import RandomFlip
from bakeoff.training.make_layer import augmenting, make_layer


def test_they_have_draws_and_names_of_their_own():
    declared = [
        Layer(kind="random_flip", arguments={"mode": "horizontal"}),
        Layer(kind="cutout", arguments={"size": 3}),
    ]
    flip, cutout = augmenting(declared)
    assert (type(flip), type(cutout)) == (RandomFlip, Cutout)
    assert (flip.name, cutout.name) == ("before_1_random_flip", "before_2_cutout")
    assert (flip.index, cutout.index) == (1_000_001, 1_000_002)  # no model has so many layers
    assert augmenting([]) == []


def test_the_initial_weights_of_one_layer_are_independent():
    settings = {"filters": 400, "kernel_size": 20, "bias_initializer": "random_normal"}
    declared = Layer(kind="separable_conv2d", arguments=settings)
    layer = make_layer(declared.kind, declared.arguments, name="one", index=1, seed=3)
    layer.build((None, 20, 20, 1))
    drawn = [np.asarray(each).reshape(-1) for each in layer.trainable_variables]
    correlations = np.corrcoef(drawn)[np.triu_indices(3, 1)]
    assert np.abs(correlations).max() < 0.2
