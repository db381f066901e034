"""Names of weights, which do not count what a process has built.

Oracle: two models of one builder. Cost: 1 s. Weights of another model are refused in
test_predict.py. Run: pytest tests/training/test_saved_weights.py
"""

import numpy as np

from bakeoff.training.backend import keras
from bakeoff.training.saved_weights import in_order, weight_names


def test_weights_have_the_same_names_whatever_a_process_built_before():
    """Custom layers call weights after themselves, with a number: trials of one seed differed."""

    class Scale(keras.layers.Layer):
        def build(self, shape):
            self.kept = self.add_weight(shape=shape[1:], name=f"{self.name}_weight")
            self.nameless = self.add_weight(shape=shape[1:])

        def call(self, inputs):
            return inputs * self.kept + self.nameless

    networks = [keras.Sequential([keras.Input((3,)), Scale(), Scale()]) for _ in range(2)]
    first, second = map(weight_names, networks)
    assert networks[0].weights[0].name != networks[1].weights[0].name
    assert first == second
    assert [name[4:] for name in first] == ["scale_weight", "variable"] * 2
    known = {
        f"{index:03d}.{each.name}": np.asarray(each)
        for index, each in enumerate(networks[0].weights)
    }  # as earlier versions saved them
    assert len(in_order(known, networks[1])) == 4
