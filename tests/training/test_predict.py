"""Predicting with saved weights: the same in any batch, and refused with the wrong weights.

Oracle: one batch against others. Cost: 5 s. Run: pytest tests/training/test_predict.py
"""

import re

import numpy as np
import pytest

from bakeoff.training import predict as module
from bakeoff.training.predict import predict
from bakeoff.training.trainer import Trainer
from tests.helpers.trainers import declare, development, trained


def test_predictions_do_not_depend_on_the_batch_they_are_made_in(monkeypatch):
    data, model = development(n=90, validation=10), declare()
    weights = trained(Trainer(model, data, seed=0, selection="last")).weights

    def predicted(images):
        return predict(model, weights, images, maximum=255.0, n_classes=3)

    whole = predicted(data.train_images)
    module._predictor.cache_clear()
    monkeypatch.setattr(module, "PREDICTION_BATCH", 7)
    np.testing.assert_allclose(predicted(data.train_images), whole, atol=1e-6)
    np.testing.assert_allclose(predicted(data.train_images[5:6]), whole[5:6], atol=1e-6)
    module._predictor.cache_clear()
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole.sum(axis=1), 1, atol=1e-6)


def test_weights_of_another_model_are_refused():
    data, model = development(), declare()
    weights = Trainer(model, data, seed=0, selection="last").result().weights
    name = next(iter(weights))
    for wrong in ({}, {**weights, "more": weights[name]}, {**weights, name: weights[name][:1]}):
        text = re.escape("these weights are of another model")
        with pytest.raises(ValueError, match=f"^{text}$"):
            predict(model, wrong, data.train_images, maximum=255.0, n_classes=3)


def test_one_program_serves_models_that_were_trained_in_other_ways():
    data = development()
    weights = Trainer(declare(), data, seed=0, selection="last").result().weights
    module._predictor.cache_clear()
    first, second = (
        predict(model, weights, data.train_images, maximum=255.0, n_classes=3)
        for model in (declare(epochs=9), declare(optimizer="sgd", label_smoothing=0.1))
    )
    assert module._predictor.cache_info().currsize == 1
    np.testing.assert_array_equal(first, second)
    module._predictor.cache_clear()
