"""A share of the learning rate for some variables.

Oracle: two of Keras's optimizers with the same gradients. Cost: 0.5 s.
Run: pytest tests/training/test_rate_by_variable.py
"""

import keras
import numpy as np
import pytest

from bakeoff.training.rate_by_variable import rate_by_variable

KINDS = {
    "AdamW": {"weight_decay": 0.1},
    "SGD": {"momentum": 0.9, "weight_decay": 0.05},
    "Lion": {},
    "Adam": {"use_ema": True},
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_two_optimizers(kind):
    def made(rate, variables):
        optimizer = getattr(keras.optimizers, kind)(rate, **KINDS[kind])
        optimizer.build(variables)
        return optimizer

    start = np.asarray([1.0, -2.0, 0.5], np.float32)
    slow, fast, slow_alone, fast_alone = (keras.Variable(start) for _ in range(4))
    both = made(0.1, [slow, fast])
    rate_by_variable(both, [slow], 0.25)
    first, second = made(0.025, [slow_alone]), made(0.1, [fast_alone])
    for step in range(3):
        gradients = [np.asarray([0.3, -0.1, 0.2], np.float32) * (step + 1), start * step]
        both.apply(gradients, [slow, fast])
        first.apply(gradients[:1], [slow_alone])
        second.apply(gradients[1:], [fast_alone])
    for found, expected in ((slow, slow_alone), (fast, fast_alone)):
        np.testing.assert_allclose(found.value, expected.value, atol=1e-6)
    if kind == "Adam":
        found, expected = both._model_variables_moving_average[0], first
        expected = expected._model_variables_moving_average[0]
        np.testing.assert_allclose(found.value, expected.value, atol=1e-6)


def test_nothing_is_touched_without_need():
    optimizer = keras.optimizers.Adam(0.1)
    rate_by_variable(optimizer, [], 0.5)
    rate_by_variable(optimizer, [keras.Variable(1.0)], 1.0)
    assert "update_step" not in vars(optimizer)
