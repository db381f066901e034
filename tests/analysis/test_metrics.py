"""Metrics against scikit-learn, Keras's definition of the loss, hand counts and derivatives.

Cost: 3 s. Run: .venv/bin/pytest tests/analysis/test_metrics.py
"""

import re

import numpy as np
import pytest
from sklearn import metrics as reference

from bakeoff.analysis import metrics
from bakeoff.analysis.estimates import estimate_parts


@pytest.fixture
def trial():
    """Predicted probabilities of 400 images in 5 classes of unequal size, half of them learned."""
    rng = np.random.default_rng(5)
    labels = rng.choice(5, size=400, p=[0.4, 0.3, 0.15, 0.1, 0.05]).astype(np.int64)
    logits = rng.normal(size=(400, 5)) + 1.5 * np.eye(5)[labels]
    exp = np.exp(logits)
    return (exp / exp.sum(axis=1, keepdims=True)).astype(np.float32), labels


def test_against_scikit_learn(trial):
    probabilities, labels = trial
    predicted = metrics.predictions(probabilities)
    matrix = metrics.confusion_matrix(labels, predicted, 5)
    assert matrix.dtype == np.int64
    assert (matrix == reference.confusion_matrix(labels, predicted, labels=range(5))).all()
    assert metrics.correct(probabilities, labels).mean() == reference.accuracy_score(
        labels, predicted
    )
    assert metrics.per_class_accuracy(labels, predicted, 5) == pytest.approx(
        reference.recall_score(labels, predicted, average=None)
    )
    assert metrics.balanced_accuracy(labels, predicted, 5) == pytest.approx(
        reference.balanced_accuracy_score(labels, predicted)
    )
    assert metrics.macro_f1(labels, predicted, 5) == pytest.approx(
        reference.f1_score(labels, predicted, average="macro")
    )
    exact = probabilities.astype(np.float64)
    assert metrics.cross_entropy(probabilities, labels).mean() == pytest.approx(
        reference.log_loss(labels, exact / exact.sum(axis=1, keepdims=True)), rel=1e-6
    )


def test_a_class_without_images_is_left_out():
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    assert metrics.confusion_matrix(labels, predicted, 3).tolist() == [
        [1, 1, 0],
        [0, 2, 0],
        [0, 0, 0],
    ]
    assert metrics.per_class_accuracy(labels, predicted, 3).tolist() == pytest.approx(
        [0.5, 1, np.nan], nan_ok=True
    )
    assert metrics.balanced_accuracy(labels, predicted, 3) == 0.75
    assert metrics.macro_f1(labels, predicted, 3) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert metrics.macro_f1_scores(labels, predicted, 3).mean() == pytest.approx(11 / 15)


def test_loss_is_clipped_as_keras_clips():
    probabilities = np.array([[0, 1], [1, 0], [0.25, 0.75]], dtype=np.float32)
    losses = metrics.cross_entropy(probabilities, np.array([0, 0, 0]))
    assert losses.dtype == np.float64
    assert losses == pytest.approx([-np.log(1e-7), 1e-7, np.log(4)])


def test_rows_that_are_not_finite_are_wrong_and_cost_the_largest_loss():
    nan, inf = np.nan, np.inf
    probabilities = np.array(
        [[nan, nan, nan], [inf, 0, 0], [0, nan, 1], [0.2, 0.2, 0.6]], dtype=np.float32
    )
    labels = np.array([0, 0, 2, 2])
    predicted = metrics.predictions(probabilities)
    assert predicted.tolist() == [metrics.NO_PREDICTION] * 3 + [2]
    assert metrics.correct(probabilities, labels).tolist() == [False, False, False, True]
    losses = metrics.cross_entropy(probabilities, labels)
    assert losses == pytest.approx([-np.log(1e-7)] * 3 + [-np.log(0.6)], rel=1e-6)
    assert metrics.confusion_matrix(labels, predicted, 3).sum() == 1
    assert metrics.per_class_accuracy(labels, predicted, 3)[2] == 0.5
    assert metrics.macro_f1(labels, predicted, 3) == pytest.approx((0 + 2 / 3) / 2)
    assert metrics.macro_f1_scores(labels, predicted, 3).mean() == pytest.approx(1 / 3)
    curve = metrics.calibration(probabilities, labels)
    assert curve.counts.sum() == 1
    assert curve.error == pytest.approx(0.4)
    assert metrics.calibration(probabilities[:3], labels[:3]).error is None


def test_the_first_of_equal_probabilities_is_the_prediction():
    assert metrics.predictions(np.array([[0.4, 0.4, 0.2]], dtype=np.float32)).tolist() == [0]


def test_per_image_parts_are_the_derivatives_by_an_image_s_weight(trial):
    probabilities, labels = trial
    predicted = metrics.predictions(probabilities)
    value = metrics.macro_f1(labels, predicted, 5)
    scores = metrics.macro_f1_scores(labels, predicted, 5)
    assert scores.shape == labels.shape
    assert scores.mean() == pytest.approx(value)

    def weighted(weights):
        return reference.f1_score(labels, predicted, average="macro", sample_weight=weights)

    step = 1e-4 * np.eye(len(labels))
    for i in range(0, len(labels), 20):
        derivative = (weighted(1 + step[i]) - weighted(1 - step[i])) / 2e-4
        assert scores[i] == pytest.approx(value + len(labels) * derivative)


def test_per_image_parts_have_the_variance_of_repeated_test_sets():
    rng = np.random.default_rng(0)
    values, variances = [], []
    for _ in range(400):
        labels = rng.choice(3, size=500, p=[0.5, 0.3, 0.2])
        predicted = np.where(rng.random(500) < 0.8, labels, rng.integers(3, size=500))
        values.append(metrics.macro_f1(labels, predicted, 3))
        scores = metrics.macro_f1_scores(labels, predicted, 3)
        variances.append(estimate_parts(scores[None, :]).image_variance)
    assert np.mean(variances) == pytest.approx(np.var(values, ddof=1), rel=0.15)


def test_calibration_by_hand():
    probabilities = np.array(
        [[0.95, 0.05], [0.85, 0.15], [0.55, 0.45], [1, 0], [0.3, 0.7]], dtype=np.float32
    )
    curve = metrics.calibration(probabilities, np.array([0, 1, 0, 0, 1]), bins=5)
    assert curve.edges.tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert curve.counts.tolist() == [0, 0, 1, 1, 3]
    assert curve.confidence[2:].tolist() == pytest.approx([0.55, 0.7, 2.8 / 3])
    assert curve.accuracy[2:].tolist() == pytest.approx([1, 1, 2 / 3])
    assert np.isnan(curve.confidence[:2]).all()
    assert curve.error == pytest.approx((0.45 + 0.3 + 3 * (2.8 - 2) / 3) / 5)
    told = metrics.predictions(probabilities)
    again = metrics.calibration(probabilities, np.array([0, 1, 0, 0, 1]), bins=5, predicted=told)
    assert again.error == curve.error


def test_a_calibrated_model_has_a_small_error():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, size=100_000)
    labels = (rng.random(100_000) > sure).astype(np.int64)
    curve = metrics.calibration(np.stack([sure, 1 - sure], axis=1), labels)
    assert curve.error < 0.01


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"^expected probabilities of shape \(2, n_classes\), "):
        metrics.correct(np.ones((3, 2), dtype=np.float32), np.array([0, 1]))
    message = "expected a prediction for each label, got (3,) for (2,)"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        metrics.macro_f1(np.array([0, 1]), np.array([0, 1, 1]), 2)
