"""Layers that change images before a backbone.

Oracle: names, indices and classes by hand. Cost: 0.1 s.
Run: pytest tests/training/test_make_layer.py
"""

from bakeoff.recipe import Layer
from bakeoff.training.layers.augmentation import Cutout
from bakeoff.training.layers.image_shifts import RandomFlip
from bakeoff.training.make_layer import augmenting


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
