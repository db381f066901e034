"""The answer at the top: each of the five cases, and which goes before which.

Oracle: studies whose case is plain by how they are made. Cost: 5 s.
Run: pytest tests/analysis/test_headline.py
"""

import re
from math import ceil

import numpy as np
import pytest

from bakeoff.analysis.compare import compare
from tests.helpers.fake_study import FakeModel, write_study


@pytest.fixture
def headline(tmp_path):
    """Return a function that writes a study and returns what stands at its top."""

    def headline(models, **settings):
        return compare([write_study(tmp_path / "s", models, **settings)]).headline

    return headline


def test_the_better_one_is_to_be_used(headline):
    found = headline({"big": FakeModel(0.95, parameters=50_000), "small": FakeModel(0.9)})
    assert (found.case, found.model, found.text) == ("use", "big", "Use big.")
    assert found.reason.startswith(
        "It has the highest mean accuracy, 95.00 %, and loses less than 0."
    )


def test_who_is_named_for_the_highest_mean_is_named_with_who_may_be_better(tmp_path):
    models = {
        "big": FakeModel(0.95, parameters=50_000),
        "small": FakeModel((0.94, 0.945, 0.95, 0.955, 0.95)),
    }
    found = compare([write_study(tmp_path / "s", models)])
    chosen, headline = found.recommended, found.headline
    assert (headline.case, headline.model, chosen.loses_to) == ("use", "big", "small")
    assert chosen.loses_at_most > found.give_up
    most = f"{ceil(1e4 * chosen.loses_at_most) / 100:.2f}"
    assert headline.text == f"Use big, though small may be up to {most} points better."
    assert f" but may lose {most} points to small (one-sided bound of 95 %, 5 " in headline.reason
    said = found.to_json()["recommended"]
    assert (said["model"], said["loses_to"]) == ("big", "small")
    assert said["loses_at_most"] == chosen.loses_at_most
    assert said["bound_level"] == pytest.approx(0.95)
    assert said["within_give_up"] is found.within_give_up is False


def test_equals_of_one_size_have_no_winner(headline):
    models = {"a": FakeModel(0.95, parameters=1000), "b": FakeModel(0.95, parameters=1049)}
    found = headline(models)
    assert (found.case, found.model, found.models) == ("no winner", None, ("a", "b"))
    assert found.text == "No winner among a and b."
    assert found.reason.startswith("a and b are not separated (difference +0.00 points")


def test_of_equals_of_different_sizes_the_smaller_may_win(headline):
    models = {"a": FakeModel(0.95, parameters=1000), "b": FakeModel(0.95, parameters=1060)}
    assert headline(models).case == "use"


def test_of_equals_of_one_size_the_faster_may_win_where_time_counts(headline):
    models = {
        "a": FakeModel(0.95, parameters=1000, predict_seconds=1e-4),
        "b": FakeModel(0.95, parameters=1049, predict_seconds=2e-4),
    }
    found = headline(models, prefer="time")
    assert (found.case, found.model) == ("use", "a")
    assert found.reason.endswith("is faster (or as fast and smaller) than it, at 0.1 ms an image")


def test_models_at_chance_are_not_usable(headline):
    found = headline({"a": FakeModel(0.1), "b": FakeModel(0.1)})
    assert (found.case, found.model, found.text) == (
        *("nothing usable", None, "Nothing here is usable."),
    )
    assert found.reason == (
        "a is not shown to beat chance (10.0 % correct) and b is not shown to beat chance (10.0 % "
        "correct)"
    )


def test_what_few_images_do_not_show_to_beat_chance_is_not_called_unusable(headline):
    found = headline({"a": FakeModel(0.6), "b": FakeModel(0.8)}, n_test=2)
    assert found.text == "Nothing here is shown to be usable."
    assert found.reason.endswith("correct); 2 test images can show little")


def test_nor_are_models_that_are_worse_than_a_baseline_or_failed(headline):
    gone = FakeModel(0.9, diverged=dict.fromkeys(range(5), 2))
    found = headline({"a": FakeModel(0.9), "b": gone}, baselines={"logistic": 0.94})
    assert found.case == "nothing usable"
    assert found.reason == (
        "a (90.0 % correct) is shown to be worse than the baseline logistic regression and b "
        "failed in 5 runs of 5"
    )


def test_a_model_behind_the_baseline_is_not_ahead_of_it(headline):
    found = headline({"a": FakeModel(0.918), "b": FakeModel(0.915)}, baselines={"logistic": 0.92})
    assert found.case == "a baseline does as well"
    assert "the best model, a (91.80 %), is behind by 0.20 points (95 % interval −" in found.reason


def test_a_model_as_good_as_the_baseline_is_neither_ahead_nor_behind(headline):
    found = headline({"a": FakeModel(0.92), "b": FakeModel(0.9)}, baselines={"logistic": 0.92})
    assert "the best model, a (92.00 %), is level with it (95 % interval −" in found.reason


def test_the_reasons_of_many_models_stand_with_the_findings(headline):
    found = headline({name: FakeModel(0.1) for name in "abcd"})
    assert found.reason == (
        "Each of the 4 models failed, is not shown to beat chance or is worse than a baseline"
    )


def test_a_baseline_that_nobody_is_shown_to_beat_does_as_well(headline):
    found = headline({"a": FakeModel(0.921), "b": FakeModel(0.92)}, baselines={"logistic": 0.92})
    assert (found.case, found.models) == ("a baseline does as well", ("logistic", "a"))
    assert found.text == "No model is shown to be better than the baseline logistic."
    assert found.reason.startswith(
        "The baseline has 92.00 % correct; the best model, a (92.10 %), is ahead by 0.10 points "
        "(95 % interval "
    )


def test_a_run_that_collapsed_is_named_beside_the_interval_that_it_widens(tmp_path):
    """It is no failure, as it predicts all classes: more seeds had been asked for."""
    models = {"a": FakeModel((0.97, 0.1, 0.97, 0.97, 0.97)), "b": FakeModel(0.58)}
    found = compare([write_study(tmp_path / "s", models)])
    why = "a is not shown to beat chance with seed 1, which may make this interval wide"
    assert found.headline.case == "a baseline does as well"
    assert found.headline.reason.endswith(f"to +67.78); {why}")
    assert f"; {why}: mend that before adding seeds" in found.pairs[0].sentence
    texts = {each.code: each.text for each in found.findings if each.model in (None, "a")}
    assert texts["worse-than-baseline"].endswith(f"67.78); {why}.")
    assert texts["chance-level"].startswith("a is not shown to beat chance in seed 1 of 5 seeds: ")
    assert "too-few-seeds" not in texts


def test_a_run_that_diverged_late_and_is_as_good_as_the_others_widens_no_interval(tmp_path):
    models = {"a": FakeModel((0.95, 0.94, 0.945), diverged={1: 8}), "b": FakeModel(0.943)}
    found = compare([write_study(tmp_path / "s", models, seeds=(0, 1, 2))])
    assert found.model("a").failed == (1,)
    (pair,) = found.pairs
    assert (pair.verdict, pair.failed) == ("not separated", "")
    assert "makes this interval wide" not in pair.sentence


def test_an_interval_that_shows_a_model_worse_is_not_called_wide(headline):
    models = {
        "a": FakeModel((*[0.8] * 9, 0.1), diverged={9: 0}),
        "b": FakeModel((0.9, 0.9, 0.15), seeds=(0, 1, 2)),
    }
    found = headline(models, baselines={"logistic": 0.97}, seeds=range(10))
    assert found.text == "No model is shown to be better than the baseline logistic."
    assert "the best model, a (73.00 %), is behind by 24.00 points" in found.reason
    assert re.search(r" to −[0-9.]+\)$", found.reason)


def test_what_is_said_to_have_failed_is_the_model_to_use(headline):
    models = {
        "big": FakeModel((0.96, 0.955, 0.96, 0.965), diverged={1: 8}, parameters=50_000),
        "small": FakeModel(0.9),
    }
    found = headline(models, seeds=(0, 1, 2, 3))
    assert (found.case, found.model) == ("use", "big")
    assert found.reason.endswith("; but 1 of 4 runs of big failed, which training it again may too")


def test_seeds_near_chance_like_all_others_have_not_collapsed(tmp_path):
    models = {"a": FakeModel((0.53, 0.55, 0.53)), "b": FakeModel(0.54)}
    settings = {"seeds": (0, 1, 2), "class_names": ("x", "y"), "baselines": {"majority": 0.5}}
    found = compare([write_study(tmp_path / "s", models, **settings)])
    assert "chance-level" in {each.code for each in found.findings}
    assert found.pairs[0].failed == ""


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"seeds": (0, 1)},
            "2 seeds of a model cannot tell a better model from a lucky run: train at least 3 of "
            "each (--seeds 3), better 5",
        ),
        (
            {"n_test": 60},
            "The test set is too small: 60 images, fewer than 20 of a class (0 6, 1 6, 2 6 and 7 "
            "more)",
        ),
    ],
    ids=["seeds", "images"],
)
def test_too_little_is_known(headline, settings, reason):
    found = headline({"a": FakeModel(0.9), "b": FakeModel(0.95)}, **settings)
    assert (found.case, found.model, found.models) == ("cannot say", None, ("b",))
    assert found.text == "Cannot say which model to use; b scored highest."
    assert found.reason == reason


def test_an_equal_of_which_hardly_anything_is_known_is_no_equal(headline):
    """The interval of the pair is −100 to +100: "no winner" would sound as if it said something."""
    models = {"a": FakeModel((0.97, 0.96, 0.1)), "b": FakeModel(0.9)}
    found = headline(models, seeds=(0, 1, 2))
    assert (found.case, found.model) == ("cannot say", None)
    assert found.text == "Cannot say which model to use; b scored highest."
    assert found.reason == (
        "The accuracy of a is only known to lie between 0 % and 100 %, since 1 of its 3 seeds is "
        "not shown to beat chance"
    )


def test_a_model_most_of_whose_runs_failed_is_not_to_be_used(headline):
    gone = FakeModel(0.95, diverged=dict.fromkeys(range(5), 1))
    found = headline({"a": gone, "b": FakeModel(0.9)})
    assert (found.case, found.model) == ("cannot say", None)
    assert found.reason == "5 of 5 runs of a failed"


def test_a_tiny_class_that_decides_is_named(headline):
    def ninth(answer):
        def change(seed, probabilities):
            probabilities[-15:] = 0.001
            probabilities[-15:, answer] = 0.991
            return probabilities

        return change

    labels = np.concatenate([np.arange(1000) % 9, np.full(15, 9)])
    models = {"a": FakeModel(0.932, change=ninth(9)), "b": FakeModel(0.94, change=ninth(0))}
    found = headline(models, labels=labels)
    assert (found.case, found.model, found.models) == ("cannot say", None, ("a",))
    assert found.reason == (
        "Class 9 has only 15 test images, and without them another model would be recommended"
    )
