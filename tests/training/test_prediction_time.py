"""How long predicting takes, with a clock that is set by hand.

Oracle: the median of what the clock shows, and the calls that are made. Cost: 2 s.
Run: pytest tests/training/test_prediction_time.py
"""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from bakeoff.training import prediction_time as module
from bakeoff.training.prediction_time import prediction_seconds
from bakeoff.training.trainer import Trainer
from tests.helpers.trainers import declare, development


@pytest.fixture
def clock(monkeypatch):
    """A call takes 30 ms; every seventh takes 300."""
    lengths = itertools.cycle([0.03] * 6 + [0.3])
    shown = [0.0]

    def perf_counter():
        now = shown[0]
        if clock.running:
            shown[0] = now = now + next(lengths)
        clock.running = not clock.running
        return now

    clock = SimpleNamespace(perf_counter=perf_counter, running=False)
    monkeypatch.setattr(module, "time", clock)


def test_an_image_alone_and_one_of_a_batch(clock):
    data, model = development(n=60, validation=0), declare()
    weights = Trainer(model, data, seed=0, selection="last").result().weights
    found = prediction_seconds(model, weights, data.train_images, maximum=255.0, n_classes=3)
    # Four calls of 30 ms are more than 0.1 s; then 30, 30, 300, 30 … have the median of 30.
    assert found == {
        "image_seconds": pytest.approx(0.03),
        "batch_seconds": pytest.approx(0.03 / len(data.train_images)),
    }


@pytest.mark.parametrize("length, calls", [(0.001, 20), (0.06, 2), (7.0, 1)])
def test_what_is_slow_is_called_once_and_what_is_fast_twenty_times(monkeypatch, length, calls):
    called = []
    clock = SimpleNamespace(perf_counter=lambda: length * len(called))
    monkeypatch.setattr(module, "time", clock)
    assert module._median_seconds(lambda: called.append(1)) == pytest.approx(length)
    assert len(called) == 1 + calls  # the first compiles


def test_a_backbone_computes_the_features_anew(monkeypatch):
    """A cache that knows the images must not make predicting look fast."""
    seen = []

    def ready(model, weights, shape, *, maximum, n_classes, extract):
        seen.append(extract)
        return lambda images: seen.append(len(images))

    monkeypatch.setattr(module, "ready", ready)
    images, model = np.zeros((300, 6, 6, 1), np.uint8), SimpleNamespace(frozen_backbone="any")
    prediction_seconds(model, {}, images, maximum=255.0, n_classes=3)
    assert seen[0] is module.fresh_features
    assert set(seen[1:]) == {1, module.PREDICTION_BATCH}
