"""Precision, recall, F1 and the areas under ROC and precision-recall curves, class by class.

Oracle: scikit-learn, and hand arithmetic on six images. Cost: 2 s.
Run: .venv/bin/pytest tests/analysis/test_class_scores.py
"""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
)

from bakeoff.analysis.class_scores import GRID, class_scores, one_curve


def comparison(probabilities, labels):
    return SimpleNamespace(probabilities={"m": probabilities}, labels=labels)


def test_everything_is_scikit_learns(rng):
    labels = rng.integers(0, 4, 300)
    raw = rng.random((3, 300, 4)).round(2) + 0.8 * np.eye(4)[labels]  # rounded: ties
    probabilities = (raw / raw.sum(axis=2, keepdims=True)).astype(np.float32)
    found = class_scores(comparison(probabilities, labels), "m")
    for k, scores in enumerate(found):
        precision, recall, f1, areas, averages = [], [], [], [], []
        for each in probabilities:
            p, r, f, _ = precision_recall_fscore_support(labels, each.argmax(axis=1))
            precision.append(p[k])
            recall.append(r[k])
            f1.append(f[k])
            areas.append(roc_auc_score(labels == k, each[:, k]))
            averages.append(average_precision_score(labels == k, each[:, k]))
        for spread, expected in (
            (scores.precision, precision),
            (scores.recall, recall),
            (scores.f1, f1),
            (scores.roc_area, areas),
            (scores.average_precision, averages),
        ):
            assert spread.mean == pytest.approx(np.mean(expected))
            assert spread.low == pytest.approx(min(expected))
            assert spread.high == pytest.approx(max(expected))
        assert scores.images == (labels == k).sum()
        curves = [one_curve(each[:, k], labels == k) for each in probabilities]
        for name in ("roc", "pr"):
            band, each = getattr(scores, name), [getattr(curve, name) for curve in curves]
            np.testing.assert_allclose(band.mean, np.mean(each, axis=0))
            np.testing.assert_array_equal((band.low, band.high), (np.min(each, 0), np.max(each, 0)))


def test_the_roc_curve_is_scikit_learns_on_the_grid(rng):
    truth = rng.random(200) < 0.3
    score = (rng.random(200) + 0.4 * truth).round(1)  # of ties the curve has slopes
    alarms, found, _ = roc_curve(truth, score, drop_intermediate=False)
    drawn = one_curve(score, truth).roc
    between = np.abs(GRID[:, None] - alarms).min(axis=1) > 1e-9  # at a step it has two values
    assert between.sum() > 100
    expected = np.interp(GRID, alarms, found)
    np.testing.assert_allclose(drawn[between], expected[between])
    assert drawn[-1] == 1


def test_precision_is_the_highest_with_at_least_that_recall(rng):
    truth = rng.random(200) < 0.3
    score = rng.random(200).round(2) + 0.4 * truth
    precision, recall, _ = precision_recall_curve(truth, score)
    precision, recall = precision[:-1], recall[:-1]  # without the point that scikit-learn adds
    expected = [precision[recall >= at - 1e-12].max() for at in GRID]
    np.testing.assert_allclose(one_curve(score, truth).pr, expected)


def test_by_hand():
    """Scores 0.9 right, 0.8 wrong, 0.7 right, the rest wrong: precision 1, then 2/3."""
    score = np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.1])
    truth = np.array([True, False, True, False, False, False])
    curve = one_curve(score, truth)
    assert curve.average_precision == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert curve.roc_area == pytest.approx(7 / 8)
    assert curve.pr[0] == 1
    assert curve.pr[-1] == pytest.approx(2 / 3)


def test_what_is_never_answered_or_never_there_has_no_number(rng):
    labels = np.array([0, 0, 1, 1])
    probabilities = np.zeros((1, 4, 3), np.float32)
    probabilities[0, :, 0] = 1
    probabilities[0, 3] = np.nan  # no answer
    first, second, third = class_scores(comparison(probabilities, labels), "m")
    assert third is None  # no image of it
    assert np.isnan(second.precision.mean)  # never answered
    assert (second.recall.mean, second.f1.mean) == (0, 0)
    assert first.precision.mean == pytest.approx(2 / 3)
