"""The values of a choice, in words and at the ends; how many settings several choices have.

Oracle: values by hand, and the model that one would write with them. Cost: nothing.
Run: pytest tests/recipe/test_dimension.py
"""

import pytest

from bakeoff.recipe.dimension import largest, middle, most_settings, quicker, short_names
from bakeoff.recipe.search_space import dimensions, filled
from tests.recipe.test_search_space import MODEL


@pytest.mark.parametrize(
    ("choice", "value"),
    [
        ({"log": [0.0001, 0.01]}, 0.001),
        ({"uniform": [0, 0.5]}, 0.25),
        ({"whole": [1, 3]}, 2),
        ({"whole": [1, 4]}, 2),
        ({"choice": [64, 128, 256]}, 128),
        ({"choice": [1024, 128, 512, 256]}, 256),
        ({"choice": ["adam", "sgd", "rmsprop"]}, "adam"),
        ({"choice": [True, False]}, True),
        ({"choice": [1, "none", 3]}, 1),
    ],
)
def test_the_middle_of_a_choice(choice, value):
    dims = dimensions({"here": choice})
    assert filled({"here": choice}, middle(dims)) == {"here": value}


@pytest.mark.parametrize(
    ("choice", "value"),
    [
        ({"log": [0.0001, 0.01]}, 0.00316228),
        ({"uniform": [0, 0.4]}, 0.3),
        ({"choice": [0.1, 0.001, 0.01]}, 0.1),
        ({"choice": [0.1, 0.001, 0.01, 0.03, 1]}, 0.1),
    ],
)
def test_a_higher_learning_rate_and_nothing_else_moves_up(choice, value):
    raw = {"optimizer": {"adam": {"learning_rate": choice}}, "dropout": {"uniform": [0, 0.5]}}
    wanted = {"optimizer": {"adam": {"learning_rate": value}}, "dropout": 0.25}
    assert filled(raw, quicker(dimensions(raw))) == wanted


def test_the_largest_network_takes_of_whole_numbers_the_end_that_is_larger():
    raw = {
        "units": {"choice": [64, 32, 128]},
        "pool": {"whole": [1, 4]},  # the smaller, the larger is what comes after it
        "batch_size": {"choice": [32, 64, 128]},
        "activation": {"choice": ["relu", "tanh"]},
        "dropout": {"uniform": [0, 0.5]},
    }

    def size(setting):
        model = filled(raw, setting)
        return model["units"] * (8 - model["pool"])

    found = filled(raw, largest(dimensions(raw), size))
    assert found == {"units": 128, "pool": 1, "batch_size": 64, "activation": "relu",
                     "dropout": 0.25}  # fmt: skip
    assert largest(dimensions(raw), lambda setting: 0) == middle(dimensions(raw))


def test_choices_of_the_same_layers_in_several_options_have_names_of_their_own():
    """One name for both: the table of the best settings had each value in two columns."""
    block = {"conv2d": {"filters": {"whole": [2, 8]}, "kernel_size": 3}}
    dims = dimensions({"layers": [{"choice": [[block], [block, "flatten"]]}]})
    assert [short_names(dims)[each.place] for each in dims] == [
        "layers[1]",
        "choice[1][1].conv2d.filters",
        "choice[2][1].conv2d.filters",
    ]


def test_values_at_shares_of_their_ranges_and_in_words():
    batch, optimizer, rate, *_, momentum, repeat, _, _ = dimensions(MODEL)
    assert [rate.at(share) for share in (0, 0.5, 1)] == [0.0001, 0.001, 0.01]
    assert [momentum.at(share) for share in (0, 0.5, 1)] == [0.0, 0.45, 0.9]
    assert [repeat.at(share) for share in (0, 0.33, 0.34, 0.67, 1)] == [0, 0, 1, 2, 2]
    assert [batch.at(share) for share in (0, 0.49, 0.5, 1)] == [0, 0, 1, 1]
    assert (rate.at(1 / 3), rate.share(0.001)) == (0.000464159, pytest.approx(0.5))
    assert [optimizer.words(k) for k in (0, 1)] == ["adam", "sgd"]
    assert (rate.words(0.00123456), repeat.words(2), batch.words(1)) == ("0.00123", "2", "64")
    assert (rate.range_words, batch.range_words) == ("0.0001 to 0.01 (log)", "32, 64")


def test_how_many_settings_there_are():
    one = dimensions({"layers": [{"dense": {"units": {"choice": [4, 8]}}}]})
    layers = [{"dense": {"units": {"choice": [4, 8]}}}, {"dense": {"whole": [1, 3]}}]
    two = dimensions({"layers": layers})
    drawn = dimensions({"layers": [{"dropout": {"uniform": [0, 0.5]}}]})
    assert [most_settings(each) for each in (one, two, drawn)] == [2, 6, None]


def test_choices_that_exclude_each_other_are_not_multiplied():
    """`plan` spoke of 40 settings where there were 12."""
    options = [
        {"residual": [{"conv2d": {"filters": 1, "kernel_size": {"choice": [3, 5]}}}]},
        {"conv2d": {"filters": {"whole": [2, 6]}, "activation": {"choice": ["relu", "tanh"]}}},
    ]
    assert most_settings(dimensions({"layers": [{"choice": options}]})) == 2 + 5 * 2
    block = [{"dense": {"units": {"choice": [4, 8]}}}]
    for low, count in ((0, 1 + 2 * 2), (1, 2 * 2)):
        layers = [{"repeat": {"whole": [low, 2], "layers": block}}]
        assert most_settings(dimensions({"layers": layers})) == count
    endless = [{"dropout": {"uniform": [0, 0.5]}}, "flatten"]
    assert most_settings(dimensions({"layers": [{"choice": endless}]})) is None
