"""How findings, and reports, name seeds, baselines and parts of a split.

Oracle: by hand. Cost: nothing. Run: pytest tests/analysis/test_wording.py
"""

from types import SimpleNamespace

import pytest

from bakeoff.analysis import wording


def model(seeds, unit="seed"):
    return SimpleNamespace(seeds=tuple(seeds), unit=unit)


def comparison(*counts, unit="seed"):
    return SimpleNamespace(models=tuple(model(range(count)) for count in counts), unit=unit)


def test_baselines_have_their_whole_names():
    names = [wording.baseline_in_words(name) for name in ("majority", "logistic", "mine")]
    assert names == ["majority class", "logistic regression", "mine"]


def test_the_part_train_is_called_training():
    parts = [wording.part_in_words(part) for part in ("train", "validation", "test")]
    assert parts == ["training", "validation", "test"]


@pytest.mark.parametrize(
    ("seeds", "positions", "said"),
    [
        ((0, 1, 2, 3, 4), [3], "seed 3 of 5 seeds"),
        ((10, 11, 12, 13), [1, 3], "seeds 11 and 13 of 4 seeds"),
        ((10, 11, 12, 13), [0, 1, 3], "seeds 10, 11 and 13 of 4 seeds"),
        ((7, 8, 9), [0, 1, 2], "all 3 seeds"),
        ((7, 8), [0, 1], "both seeds"),
    ],
)
def test_seeds_are_named_by_number_unless_all_are_meant(seeds, positions, said):
    assert wording.seeds_of(model(seeds), positions) == said
    assert wording.seeds_of(model(seeds, "repeat"), positions) == said.replace("seed", "repeat")


def test_what_a_number_of_several_seeds_is():
    assert wording.mean_of(5, model(range(9))) == "mean of 5 seeds"
    assert wording.mean_of(1, model(range(9))) == "one seed"
    assert wording.mean_of(3, model(range(9), "repeat")) == "mean of 3 repeats"


def test_models_may_have_different_numbers_of_seeds():
    assert wording.seed_count(comparison(5, 5)) == "5 seeds"
    assert wording.seed_count(comparison(1)) == "1 seed"
    assert wording.seed_count(comparison(4, 3, 5)) == "3 to 5 seeds"
    assert wording.seed_count(comparison(2, 3, unit="repeat")) == "2 to 3 repeats"
    assert wording.seed_count(comparison()) == "0 seeds"


def test_lists_of_seeds_join_runs():
    assert wording.seed_list((3,)) == "seed 3"
    assert wording.seed_list((0, 1, 2, 3, 4)) == "seeds 0–4"
    assert wording.seed_list((0, 1, 2, 7), "repeat") == "repeats 0–2, 7"
