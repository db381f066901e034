"""What a plan promises against studies drawn from real networks.

Oracle: the pool of benchmarks/seed_pool. Cost: 2 s. Run: pytest tests/analysis/test_power.py
"""

import numpy as np
import pytest

from bakeoff.analysis.power import IMAGES, NOISE, SEEDS, about_power, detectable
from bakeoff.analysis.statistics import compare_pair
from bakeoff.analysis.variance import decompose
from benchmarks import seed_pool


@pytest.fixture(scope="module")
def pool():
    return seed_pool.read()


def test_the_variances_are_those_of_the_pool(pool):
    a, b = (decompose(pool.correct[name]) for name in ("convolution", "wide"))
    pair = compare_pair(a, b)
    assert (pair.v1 - pair.v3) * pool.n_images == pytest.approx(IMAGES, rel=0.01)
    assert a.residual == pytest.approx(NOISE, rel=0.01)
    assert a.between_seeds - a.residual / pool.n_images == pytest.approx(SEEDS, rel=0.01)


def test_a_difference_called_detectable_is_found_in_about_four_of_five_studies(pool):
    rng = np.random.default_rng(0)
    truth = pool.correct["convolution"].mean() - pool.correct["wide"].mean()
    assert detectable(360, 5, 2) == pytest.approx(truth, rel=0.1)
    found = 0
    for _ in range(200):
        images = rng.choice(pool.n_images, 360, replace=False)
        a, b = (pool.draw(rng, name, images, 5) for name in ("convolution", "wide"))
        found += compare_pair(a, b).p < 0.05
    assert 0.7 < found / 200 < 0.95


def test_what_makes_a_study_sharper():
    assert detectable(360, 5, 2) > detectable(360, 10, 2) > detectable(10_000, 10, 2)
    assert detectable(360, 5, 4) > detectable(360, 5, 2)
    assert detectable(360, 2, 2) is detectable(360, 5, 1) is None
    assert detectable(1000, 20, 5) == pytest.approx(detectable(1000, 20, 2, 10))  # ten pairs


def test_looks_share_out_the_level():
    once, of_three = (detectable(1000, 20, 2, looks) for looks in (0, 3))
    assert once < of_three < detectable(1000, 20, 5, 3)
    assert "at the last of 3 looks" in about_power(1000, 20, 2, 3)
    assert "looks" not in about_power(1000, 20, 2)
