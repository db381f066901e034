"""A trained model in Keras's own layers, where Keras does otherwise than Bakeoff.

Oracle: Bakeoff's own prediction. Cost: 5 s. Run: pytest tests/training/test_plain_model.py
"""

import numpy as np

from bakeoff.training.build_model import build
from bakeoff.training.plain_model import plain_model
from bakeoff.training.predict import predict, weight_names
from tests.helpers.trainers import declare

LAYERS = [
    {"random_crop": {"height": 5, "width": 4}},
    {"residual": [{"conv2d": {"filters": 2, "kernel_size": 3, "padding": "same"}}]},
    {"cutout": 2},
    {"random_contrast": 0.3},
    {"dense": 4},
]


def test_crops_are_from_the_middle_and_residuals_add(rng):
    model = declare(LAYERS)
    network = build(model, (8, 7, 1), 3, seed=2)
    variables = [*network.trainable_variables, *network.non_trainable_variables]
    weights = dict(zip(weight_names(network), map(np.asarray, variables), strict=True))
    images = rng.integers(0, 256, (6, 8, 7, 1), dtype=np.uint8)
    plain = plain_model(model, [weights], input_shape=(8, 7, 1), n_classes=3, maximum=255.0)
    expected = predict(model, weights, images, maximum=255.0, n_classes=3)
    np.testing.assert_allclose(plain.predict(images, verbose=0), expected, atol=1e-5)
