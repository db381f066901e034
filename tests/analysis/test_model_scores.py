"""One model's predictions, scored.

Oracle: three images and two seeds by hand. Cost: nothing.
Run: pytest tests/analysis/test_model_scores.py
"""

import numpy as np
import pytest

from bakeoff.analysis.model_scores import ModelScores


def test_two_seeds_of_three_images_by_hand():
    labels = np.array([0, 0, 1])
    first = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]], dtype=np.float32)
    second = np.array([[0.6, 0.4], [0.7, 0.3], [0.9, 0.1]], dtype=np.float32)
    scores = ModelScores.of([first, second], labels)
    assert scores.n_classes == 2
    assert scores.correct.tolist() == [[True, False, True], [True, True, False]]
    np.testing.assert_allclose(
        scores.losses, -np.log([[0.9, 0.2, 0.6], [0.6, 0.7, 0.1]]), rtol=1e-6
    )
    assert scores.balanced == pytest.approx((0.75, 0.5))
    assert scores.confusion.tolist() == [[1.5, 0.5], [0.5, 0.5]]
    assert scores.predicted.tolist() == [[1, 2], [3, 0]]
    assert len(scores.calibration) == 2
    assert scores.f1.shape == (2, 3)
