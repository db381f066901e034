"""The baselines, which are kept as a softmax layer's weights.

Oracle: scikit-learn's own predictions; hand counts for the majority.
Cost: 3 s. Run: pytest tests/training/test_baselines.py
"""

import re

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bakeoff.training import baselines


def images(rng, labels, *, dtype=np.uint8):
    """8×8 images that tell their class, with noise."""
    noise = rng.integers(0, 120, (len(labels), 8, 8, 1))
    noise[np.arange(len(labels)), labels % 8] += 80
    return noise.astype(dtype) / (255 if dtype == np.float32 else 1)


def fitted(name, labels, pictures, *, n_classes, maximum=255.0):
    weights = baselines.fit(name, pictures, labels, maximum=maximum, n_classes=n_classes)
    assert {key: (value.dtype, value.shape) for key, value in weights.items()} == {
        "kernel": (np.float32, (64, n_classes)),
        "bias": (np.float32, (n_classes,)),
    }
    probabilities = baselines.predict(weights, pictures, maximum=maximum)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    return probabilities


def reference(labels, pictures, maximum=255.0):
    flat = (pictures.reshape(len(pictures), -1) / maximum).astype(np.float32)
    model = LogisticRegression(max_iter=baselines.ITERATIONS).fit(flat, labels)
    return model.predict_proba(flat)


def test_logistic_regression_is_scikit_learns_on_digits(digits):
    some = slice(0, 500)
    labels, pictures = digits.labels[some], digits.images[some]
    ours = fitted("logistic", labels, pictures, n_classes=10, maximum=16.0)
    np.testing.assert_allclose(ours, reference(labels, pictures, 16.0), atol=1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_two_classes_are_scikit_learns(rng, dtype):
    labels = rng.integers(0, 2, 60)
    pictures = images(rng, labels, dtype=dtype)
    maximum = 255.0 if dtype == np.uint8 else 1.0
    ours = fitted("logistic", labels, pictures, n_classes=2, maximum=maximum)
    np.testing.assert_allclose(ours, reference(labels, pictures, maximum), atol=1e-4)


@pytest.mark.parametrize("present", [[0, 2, 3], [1, 3]])
def test_a_class_that_training_lacks_is_never_predicted(rng, present):
    labels = rng.choice(present, 60)
    pictures = images(rng, labels)
    ours = fitted("logistic", labels, pictures, n_classes=4)
    np.testing.assert_allclose(ours[:, present], reference(labels, pictures), atol=1e-4)
    assert np.delete(ours, present, axis=1).max() < 1e-6


@pytest.mark.parametrize("name", ["majority", "logistic"])
def test_a_single_class_is_always_predicted(rng, name):
    labels = np.full(20, 2)
    ours = fitted(name, labels, images(rng, labels), n_classes=3)
    assert (ours.argmax(axis=1) == 2).all()
    np.testing.assert_allclose(ours[:, 2], 1, atol=1e-6)
    assert np.isfinite(np.log(ours)).all()  # a class never seen is improbable, not impossible


def test_parameters_are_those_that_were_fitted(rng):
    labels = rng.integers(0, 4, 100)
    pictures = images(rng, labels)
    for name, count in (("majority", 4), ("logistic", 4 * (64 + 1))):
        weights = baselines.fit(name, pictures, labels, maximum=255.0, n_classes=4)
        assert baselines.parameters(name, weights) == count


def test_the_majority_gives_every_image_the_shares_of_the_classes(rng):
    labels = np.array([0] * 5 + [1] * 12 + [3] * 3)
    ours = fitted("majority", labels, images(rng, labels), n_classes=4)
    np.testing.assert_allclose(ours, np.tile([0.25, 0.6, 0, 0.15], (20, 1)), atol=1e-6)


def test_fitting_twice_gives_the_same_bits(digits):
    some = slice(0, 300)
    first, second = (
        baselines.fit(
            "logistic", digits.images[some], digits.labels[some], maximum=16.0, n_classes=10
        )
        for _ in range(2)
    )
    assert all(first[key].tobytes() == second[key].tobytes() for key in first)


def test_what_is_predicted_does_not_depend_on_the_other_images(digits):
    some = slice(0, 300)
    weights = baselines.fit(
        "logistic", digits.images[some], digits.labels[some], maximum=16.0, n_classes=10
    )
    whole = baselines.predict(weights, digits.images[:100], maximum=16.0)
    alone = [baselines.predict(weights, digits.images[i : i + 1], maximum=16.0) for i in range(100)]
    np.testing.assert_allclose(whole, np.concatenate(alone), atol=1e-6)


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"kernel": np.zeros((64, 3), np.float32)},
        {"kernel": np.zeros((63, 3), np.float32), "bias": np.zeros(3, np.float32)},
        {"kernel": np.zeros((64, 3), np.float32), "bias": np.zeros(2, np.float32)},
    ],
)
def test_weights_of_something_else_are_refused(rng, weights):
    text = re.escape("these weights are not a baseline's")
    with pytest.raises(ValueError, match=f"^{text}$"):
        baselines.predict(weights, images(rng, np.array([0])), maximum=255.0)
