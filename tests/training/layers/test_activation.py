"""Activations that stand as layers: what the layer before may apply, and that it is done once.

Oracle: Keras's own layers, by hand. Cost: less than 1 s, but for importing Keras.
Run: pytest tests/training/layers/test_activation.py
"""

import numpy as np
import pytest

from bakeoff.training.backend import keras
from bakeoff.training.layers.activation import ELU, Activation, ReLU, applied

OURS = [(ReLU, "ReLU", ()), (ELU, "ELU", ()), (Activation, "Activation", ("elu",))]


def test_what_can_be_applied_by_the_layer_before():
    layers = [ReLU(), ReLU(threshold=1), ELU(), ELU(alpha=2), Activation("elu"), Activation("gelu")]
    assert [applied(each) for each in layers] == ["relu", None, "elu", None, "elu", None]
    assert applied(keras.layers.ReLU()) is None


@pytest.mark.parametrize(("ours", "name", "arguments"), OURS, ids=lambda each: str(each))
def test_it_is_keras_s_unless_it_is_done(ours, name, arguments):
    values = np.array([[-2.0, 0.0, 3.0]], np.float32)
    layer = ours(*arguments)
    expected = getattr(keras.layers, name)(*arguments)(values)
    np.testing.assert_array_equal(layer(values), expected)
    layer.done = True
    np.testing.assert_array_equal(layer(values), values)
