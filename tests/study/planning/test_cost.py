"""What training costs, by arithmetic, and how long many jobs take on some workers.

Oracle: schedules by hand; costs that must grow. Cost: nothing.
Run: pytest tests/study/planning/test_cost.py
"""

from pathlib import Path

import pytest

from bakeoff.recipe import parse
from bakeoff.recipe.architecture import describe
from bakeoff.recipe.vocabulary.backbones import BACKBONES
from bakeoff.study.planning.cost import BACKBONE_SLOWER, feature_seconds, makespan, trial_seconds
from tests.helpers.trainers import declare


@pytest.mark.parametrize(
    ("lengths", "workers", "busy", "end"),
    [
        ([], 2, (), 0),
        ([3, 1, 1], 1, (), 5),
        ([3, 1, 1], 2, (), 3),
        ([1, 1, 3], 2, (), 4),  # in this order the long one comes last
        ([1, 1], 2, (5, 0), 5),
        ([2, 2], 2, (1, 1), 3),
        ([1], 9, (), 1),
    ],
)
def test_each_job_goes_to_the_first_free_worker(lengths, workers, busy, end):
    assert makespan(lengths, workers=workers, busy=busy) == end


def seconds(layers=({"dense": 64},), *, images=1000, validation=0, shape=(8, 8, 1), **settings):
    model = declare(list(layers))
    known = describe(model, shape, 10)
    return trial_seconds(model, known, images=images, validation=validation, **settings)


def test_more_of_anything_takes_longer():
    usual = seconds()
    assert seconds(images=2000) == pytest.approx(2 * usual, rel=0.02)
    assert seconds(validation=1000) == pytest.approx(usual * 4 / 3)
    assert seconds([{"dense": 640}]) > 2 * usual
    assert seconds(shape=(16, 16, 1)) > usual
    dropped = seconds([{"dense": 64}, {"dropout": 0.5}])
    assert dropped > usual
    assert seconds([{"dense": 64}, {"gaussian_noise": 0.5}]) > dropped
    assert seconds(rate=1e9) > usual


def test_features_of_changed_images_are_those_of_every_change_and_of_training_images_alone():
    name, flips = "efficientnet_lite0", [{"random_flip": "horizontal"}]
    models = {
        "plain": {"backbone": name},
        "few": {"backbone": {"name": name, "augment": flips, "passes": 2}},
        "more": {"backbone": {"name": name, "augment": flips, "passes": 4}},  # two more than few
        "others": {"backbone": {"name": name, "augment": [{"random_zoom": 0.2}], "passes": 3}},
    }
    recipe = parse({"name": "x", "data": "digits", "models": models}, origin="", folder=Path())
    one = BACKBONES[name].flops * BACKBONE_SLOWER
    assert feature_seconds(recipe, 100, 1.0) == 100 * (1 + 3 + 2) * one
    assert feature_seconds(recipe, 100, 1.0, training=60) == (100 + 60 * (3 + 2)) * one
