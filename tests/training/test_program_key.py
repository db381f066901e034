"""Which models share their compiled programs.

Oracle: what a program is given when it runs, and what it was compiled for. Cost: nothing.
Run: pytest tests/training/test_program_key.py
"""

import pytest

from bakeoff.training.program_key import prediction_key, program_key
from tests.helpers.trainers import declare

LAYERS = [{"dense": 8}, {"dropout": 0.5}]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (declare(LAYERS, rate=0.1), True),
        (declare(LAYERS, epochs=9, patience=3), True),
        (declare([LAYERS[0], {"dropout": 0.2}]), True),
        (declare([LAYERS[0], {"dropout": 0.0}]), False),
        (declare(LAYERS[:1]), False),
        (declare(LAYERS, optimizer="sgd"), False),
        (declare(LAYERS, label_smoothing=0.1), False),
    ],
)
def test_what_a_program_is_given_is_not_in_its_key(other, same):
    assert (program_key(other) == program_key(declare(LAYERS))) is same


def test_to_predict_it_does_not_matter_how_a_model_was_trained():
    assert prediction_key(declare()) == prediction_key(declare(optimizer="sgd", mixup=0.2))
    assert prediction_key(declare()) != prediction_key(declare(LAYERS))
