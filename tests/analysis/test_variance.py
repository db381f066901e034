"""One model's scores, split by where they vary.

Oracle: the two-way analysis of variance of statsmodels. Cost: 2 s.

Run: pytest tests/analysis/test_variance.py
"""

import numpy as np
import pytest

from bakeoff.analysis.statistics import (
    compare_pair,
)
from bakeoff.analysis.variance import decompose

# Two seeds on four images. A: p = (1, ½, ½, ½), a = (1, ¼). B: p = (1, 0, 1, 0), a = (½, ½).
A = [[1, 1, 1, 1], [1, 0, 0, 0]]
B = [[1, 0, 1, 0], [1, 0, 1, 0]]


def test_residual_is_that_of_the_two_way_analysis_of_variance():
    import pandas as pd  # takes seconds, as statsmodels does
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    rng = np.random.default_rng(2)
    scores = rng.normal(size=(3, 8)) + rng.normal(size=8) + rng.normal(size=(3, 1))
    seed, image = np.indices(scores.shape).reshape(2, -1)
    cells = pd.DataFrame({"score": scores.ravel(), "seed": seed, "image": image})
    table = anova_lm(ols("score ~ C(seed) + C(image)", cells).fit())
    squares = table["sum_sq"] / table["df"]
    pair = compare_pair(scores / 20 + 0.5, scores / 20 + 0.5)
    assert pair.residual[0] == pytest.approx(squares["Residual"] / 400)


def test_what_is_decomposed_once_serves_every_pair():
    assert compare_pair(decompose(A), decompose(B)) == compare_pair(A, B)


def test_rounding_is_no_variance():
    thirds = np.zeros((3, 1001), dtype=bool)
    thirds[0] = True  # every p_i is 1/3, which no float is
    pair = compare_pair(thirds, thirds[[1, 0, 2]])
    assert pair.v1 == pytest.approx(0, abs=1e-30)
    assert compare_pair(np.full((3, 1001), 1 / 3), np.full((3, 1001), 0.1)).df is None


def test_the_parts_of_a_hand_made_model():
    parts = decompose(A)
    assert (parts.n_seeds, parts.n_images) == (2, 4)
    assert (parts.mean, parts.ends, parts.between_images) == (0.625, (0, 1), 1 / 16)
    assert (parts.between_seeds, parts.residual) == (9 / 32, 1 / 8)
