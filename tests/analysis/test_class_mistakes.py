"""Which classes are taken for which others.

Oracle: a matrix by hand. Cost: nothing. Run: pytest tests/analysis/test_class_mistakes.py
"""

import numpy as np

from bakeoff.analysis.class_mistakes import mistakes, row_rates


def test_mistakes_and_rates_by_hand():
    matrix = np.array([[8.0, 2.0, 0.0], [1.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
    images = np.array([10, 4, 0])
    assert mistakes(matrix, images) == [(1, 2, 3.0, 0.75), (0, 1, 2.0, 0.2), (1, 0, 1.0, 0.25)]
    assert row_rates(matrix, images).tolist() == [[0.8, 0.2, 0], [0.25, 0, 0.75], [0, 0, 0]]
    some_without_prediction = np.array([20, 8, 0])
    assert mistakes(matrix, some_without_prediction)[0] == (1, 2, 3.0, 0.375)
