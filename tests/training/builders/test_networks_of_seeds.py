"""Models compared: their networks in words, and their initial weights.

Oracle: models written here that differ in one thing. Cost: 2 s. What builders do with seeds is in
test_builder_checks.py. Run: pytest tests/training/builders/test_networks_of_seeds.py
"""

import numpy as np
import pytest

from bakeoff.training.backend import keras
from bakeoff.training.builders.networks_of_seeds import difference, equal_weights, same_start

L = keras.layers


def model(*layers, **dense):
    return keras.Sequential([keras.Input((4,)), *layers, L.Dense(3, **dense)])


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (lambda: model(), None),
        (lambda: model(L.Dense(3)), "1 layer, then 2"),
        (lambda: model(use_bias=False), "Dense with use_bias True, then False"),
        (lambda: keras.Sequential([keras.Input((4,)), L.Dropout(0.1)]), "Dense, then Dropout"),
    ],
)
def test_networks_that_differ_are_told_in_words(other, found):
    assert difference(model(), other(), model()) == found


def test_what_counts_the_layers_of_a_process_is_no_difference():
    class Counted(L.Layer):
        count = 0

        def get_config(self):
            Counted.count += 1
            return {**super().get_config(), "number": Counted.count}

    one, other, again = (model(Counted()) for _ in range(3))
    assert difference(one, other, again) is None


def test_weights_that_are_not_a_number_equal_themselves():
    one, other = model(), model()
    assert not equal_weights(one, other)
    for each in (one, other):
        each.set_weights([np.full_like(value, np.nan) for value in each.get_weights()])
    assert equal_weights(one, other)


def test_an_initializer_with_a_seed_draws_again_and_loaded_weights_do_not():
    assert same_start(model(), model()) == (0, 1, False)
    one, other = (
        model(kernel_initializer=keras.initializers.GlorotUniform(seed=1)) for _ in range(2)
    )
    assert same_start(one, other) == (1, 1, True)
    one, other = model(), model()
    other.set_weights([np.arange(12.0).reshape(4, 3), np.zeros(3)])
    one.set_weights(other.get_weights())
    assert same_start(one, other) == (1, 1, False)
