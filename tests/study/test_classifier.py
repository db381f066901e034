"""A whole study behind scikit-learn's fit and predict.

Oracle: the digits, even or odd. Cost: 2 s.

Run: pytest tests/study/test_classifier.py
"""

import numpy as np
import pytest

import bakeoff


@pytest.mark.usefixtures("its_jobs_in_process")
def test_a_study_behind_fit_and_predict(tmp_path, digits):
    from sklearn.base import clone

    images, words = digits.images[:400, ..., 0], np.array(["even", "odd"])[digits.labels[:400] % 2]
    networks = {"a": {"layers": [{"dense": 16}]}, "b": {"layers": []}}
    given = bakeoff.Classifier(networks, seeds=2, training={"epochs": 4}, out=tmp_path / "study")
    winner = clone(given).fit(images, words)
    assert winner.classes_.tolist() == ["even", "odd"]
    assert winner.model_ in networks
    chances = winner.predict_proba(images[:50])
    assert chances.shape == (50, 2)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    assert set(winner.predict(images[:50])) <= {"even", "odd"}
    assert winner.score(images, words) > 0.7
    assert winner.result_.folder.report_file.is_file()
