"""What training costs, by arithmetic, and how long many jobs take on some workers.

Oracle: schedules by hand; costs that must grow. Cost: nothing. Run: pytest tests/study/test_cost.py
"""

import pytest

from bakeoff.recipe.architecture import describe
from bakeoff.study.cost import makespan, trial_seconds
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
