"""Options in words: no two options of a choice read the same, where they say different things.

Oracle: the words, by hand. Cost: under a second. Run:

    .venv/bin/pytest tests/recipe/test_option_words.py
"""

from bakeoff.recipe.option_words import option_words, tell_apart


def test_an_option_is_called_by_the_name_it_begins_with():
    assert option_words({"dropout": 0.25}) == "dropout 0.25"
    assert option_words([{"dense": {"units": 3}}, "flatten"]) == "dense + flatten"
    assert (option_words([]), option_words(None), option_words(True)) == ("none", "none", "true")
    assert (option_words({}), option_words({"l2": None})) == ("none", "l2")
    backbone = {"name": "efficientnet_lite0", "trainable": True}
    assert option_words(backbone) == "name efficientnet_lite0, trainable true"


def test_options_that_begin_alike_are_written_out():
    """A search said that it chose "optimizer sgd" where two options were called so."""
    slow, fast = ({"sgd": {"learning_rate": rate, "momentum": 0.9}} for rate in (0.01, 0.1))
    assert tell_apart([slow, "adam", fast]) == [
        "sgd (learning_rate 0.01, momentum 0.9)",
        "adam",
        "sgd (learning_rate 0.1, momentum 0.9)",
    ]
    falls = [[{"exponential": {"start": 0.01, "rate": rate}}] for rate in (-0.1, -0.3)]
    assert tell_apart([0.001, *falls]) == [
        "0.001",
        "exponential (start 0.01, rate -0.1)",
        "exponential (start 0.01, rate -0.3)",
    ]
    blocks = [[{"dense": {"units": units}}, "flatten"] for units in (8, {"choice": [16, 32]})]
    assert tell_apart(blocks) == [
        "dense (units 8) + flatten",
        "dense (units (choice (16, 32))) + flatten",
    ]
    ranges = [{"adam": {"learning_rate": {"log": [low, 0.01]}}} for low in (0.0001, 0.001)]
    assert tell_apart(ranges)[0] == "adam (learning_rate (log (0.0001, 0.01)))"
