"""An optimizer in a few words.

Oracle: by hand. Cost: nothing.

Run: pytest tests/study/planning/test_optimizer_words.py
"""

from bakeoff.study.planning.optimizer_words import optimizer_words
from tests.helpers.refused_recipes import declare


def test_learning_rates_in_words():
    phases = [
        {"epochs": 1, "constant": 0.0005},
        {"epochs": 2, "exponential": {"start": 0.0005, "rate": -0.1}},
        {"epochs": 3, "linear": {"start": 0.1, "end": 0.01}},
        {"cosine": {"start": 0.1, "end": 0}},
    ]
    training = {"epochs": 10, "optimizer": {"adam": {"learning_rate": phases}}}
    optimizer = declare(training=training).models["mlp"].training.optimizer
    assert optimizer_words(optimizer) == (
        "adam, learning rate 0.0005 for 1 epoch, then 0.0005·exp(−0.1·k) for 2 epochs, then 0.1 to "
        "0.01, linearly for 3 epochs, then 0.1 to 0 along a cosine"
    )


def test_nesterov_without_a_momentum():
    optimizer = declare(training={"optimizer": {"sgd": {"nesterov": True}}}).training.optimizer
    assert optimizer_words(optimizer) == (
        "sgd, nesterov yes (without a momentum it does nothing), learning rate 0.01"
    )
